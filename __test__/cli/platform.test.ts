// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import { adviceFor, platformsOf } from '../../src/cli/platform.js'

const kernel = '6.8.0-45-generic'
const nothing = () => undefined
const files = (there: Record<string, string>) => (path: string) => there[path]

describe('where a command runs', () => {
  it.each([
    ['nowhere that is known', { env: {}, kernel, read: nothing }, []],
    [
      'GitHub Actions',
      { env: { GITHUB_ACTIONS: 'true' }, kernel, read: nothing },
      ['github-actions'],
    ],
    [
      'a pod',
      { env: { KUBERNETES_SERVICE_HOST: '10.0.0.1' }, kernel, read: nothing },
      ['kubernetes'],
    ],
    ['Docker', { env: {}, kernel, read: files({ '/.dockerenv': '' }) }, ['container']],
    ['Podman', { env: {}, kernel, read: files({ '/run/.containerenv': '' }) }, ['container']],
    ['WSL2', { env: {}, kernel: '5.15.0-microsoft-standard-WSL2', read: nothing }, ['wsl']],
    [
      'Ubuntu on GitHub Actions',
      {
        env: { GITHUB_ACTIONS: 'true' },
        kernel,
        read: files({ '/etc/os-release': 'NAME=Ubuntu\nID=ubuntu\n' }),
      },
      ['github-actions', 'ubuntu'],
    ],
    [
      'a derivative of Ubuntu',
      { env: {}, kernel, read: files({ '/etc/os-release': 'ID=other\nID_LIKE=ubuntu\n' }) },
      [],
    ],
  ])('knows %s', (_, signs, want) => {
    expect(platformsOf(signs)).toStrictEqual(want)
  })
})

describe('what to do', () => {
  it('is nothing where tier full is there', () => {
    expect(adviceFor({ tier: 'full', settings: {} }, ['container'])).toStrictEqual([])
  })

  it('begins with the platform and ends with the lower tier', () => {
    const advice = adviceFor({ tier: 'lite', settings: { 'user.max_user_namespaces': '0' } }, [
      'container',
    ])
    expect(advice).toHaveLength(3)
    expect(advice[0]).toContain('container: ')
    expect(advice[1]).toContain('user.max_user_namespaces')
    expect(advice[2]).toContain('enforcement_floor: lite')
  })

  it('names Landlock only where the list of modules lacks it', () => {
    const without = adviceFor({ tier: 'none', settings: { security_modules: 'yama,lockdown' } }, [])
    expect(without).toStrictEqual([
      'Landlock is off: add it to `lsm=` on the command line of the kernel',
    ])
    const settings = { security_modules: 'capability,landlock' }
    expect(adviceFor({ tier: 'none', settings }, [])).toStrictEqual([])
  })
})
