// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import { curlTargets } from '../../src/policy/egress.js'

describe('what curl would contact', () => {
  it.each([
    ['https://a.test/x', ['a.test']],
    ['HTTPS://A.TEST:8443', ['a.test']],
    ['a.test', ['a.test']],
    ['https://a.test./', ['a.test']],
    ['https://a%2etest/', ['a.test']],
    ['https://ok.test@evil.test/', ['evil.test']],
    ['https://evil.test/?h=ok.test', ['evil.test']],
    ['http://0x7f.1/', ['127.0.0.1']],
    ['-sSLo out https://a.test', ['a.test']],
    ['-oout https://a.test', ['a.test']],
    ['-X POST -H x -d y a.test', ['a.test']],
    ['--url a.test --url b.test', ['a.test', 'b.test']],
    ['--data b.test a.test', ['a.test']],
    ['--url=https://a.test/?x=y b.test', ['a.test', 'b.test']],
    ['--data=x a.test', ['a.test']],
    ['--unknown b.test a.test', ['b.test', 'a.test']],
    ['-', ['-']],
    ['--version', []],
  ])('%s', (args, hosts) => {
    expect(curlTargets(['curl', ...args.split(' ')])).toEqual({ hosts, unclear: [] })
  })

  it.each([
    ['-K cfg', '-K'],
    ['-sKcfg', '-sKcfg'],
    ['--config cfg', '--config'],
    ['--conf cfg', '--conf'],
    ['--config=cfg', '--config=cfg'],
    ['-x proxy.test', '-x'],
    ['--proxy proxy.test', '--proxy'],
    ['--connect-to ::evil.test:443', '--connect-to'],
    ['--resolve a.test:443:1.2.3.4', '--resolve'],
    ['--unix-socket /s', '--unix-socket'],
    ['--expand-url {{x}}', '--expand-url'],
    ['file:///etc/passwd', 'file:///etc/passwd'],
    ['gopher://a.test', 'gopher://a.test'],
    ['https://{a,b}.test', 'https://{a,b}.test'],
    ['https://a[1-3].test', 'https://a[1-3].test'],
    ['https://a\\@b.test', 'https://a\\@b.test'],
    ['https://a@b@c.test', 'https://a@b@c.test'],
    ['https://é.test', 'https://é.test'],
  ])('%s cannot be judged', (args, unclear) => {
    expect(curlTargets(['curl', ...args.split(' ')])).toEqual({ hosts: [], unclear: [unclear] })
  })
})
