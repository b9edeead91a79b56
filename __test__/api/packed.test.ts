// SPDX-License-Identifier: Apache-2.0
// The tarball that would be published, installed: `import`, `require` and the command work.
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as ambit from '../../dist/index.js'
import { installPlatformPackage, root, runtimePackages } from '../e2e/support/installed.js'
import { finish } from '../e2e/support/processes.js'
import { SELF, newTop } from '../e2e/support/users.js'

const top = newTop()
const modules = join(top, 'node_modules')

beforeAll(() => {
  const flags = ['--ignore-scripts', '--json', '--update-notifier=false', '--cache', `${top}/cache`]
  const argv = ['pack', ...flags, '--pack-destination', top]
  const output = execFileSync('npm', argv, { cwd: root, encoding: 'utf8', stdio: 'pipe' })
  const [packed] = JSON.parse(output) as { filename: string }[]
  const target = join(modules, 'ambit')
  mkdirSync(target, { recursive: true })
  const tarball = join(top, packed?.filename ?? '')
  execFileSync('tar', ['-xzf', tarball, '-C', target, '--strip-components=1'])
  installPlatformPackage(modules)
  for (const path of runtimePackages(root)) {
    const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)
    mkdirSync(dirname(join(modules, name)), { recursive: true })
    symlinkSync(path, join(modules, name))
  }
})

afterAll(() => rmSync(top, { recursive: true }))

/** Runs a program in the folder that has the package installed. */
async function node(name: string, code: string) {
  const path = join(top, name)
  writeFileSync(path, code)
  return await finish(process.execPath, [path], { user: SELF, cwd: top })
}

const SAY = 'console.log(JSON.stringify([Object.keys(ambit).toSorted(), ambit.VERSION]))'
const SAID = `${JSON.stringify([Object.keys(ambit).toSorted(), ambit.VERSION])}\n`

describe('the packed package', () => {
  it.each<[string, string, string]>([
    ['import', 'a.mjs', `import * as ambit from 'ambit'\n${SAY}`],
    ['require', 'a.cjs', `const { ...ambit } = require('ambit')\ndelete ambit.__esModule\n${SAY}`],
  ])('gives the same names to %s, and says nothing', async (_, name, code) => {
    const want = { code: 0, signal: null, stdout: SAID, stderr: '' }
    expect(await node(name, code)).toEqual(want)
  })

  it('works for require: a document is checked and a receipt judged', async () => {
    const code = `const { parseContract, verifyReceipt } = require('ambit')
      try { parseContract(Buffer.from('{'), 'c.json') } catch (error) { console.log(error.code) }
      verifyReceipt('{}', { keys: [] }).then(({ code }) => console.log(code))`
    const stdout = 'ERR_CONTRACT_INVALID\nUNKNOWN_FORMAT\n'
    expect(await node('b.cjs', code)).toMatchObject({ code: 0, stdout, stderr: '' })
  })

  it('keeps everything else to itself', async () => {
    const code = "import('ambit/dist/native.js').catch(({ code }) => console.log(code))"
    const stdout = 'ERR_PACKAGE_PATH_NOT_EXPORTED\n'
    expect(await node('c.mjs', code)).toMatchObject({ code: 0, stdout, stderr: '' })
  })

  it('has the command', async () => {
    const program = join(modules, 'ambit/bin/ambit.js')
    const got = await finish(process.execPath, [program, 'verify', 'none', '--json'], {
      user: SELF,
      env: { AMBIT_HOME: join(top, 'home') },
    })
    expect(got).toMatchObject({ code: 7, stderr: '' })
  })

  it('holds what is run and read, no sources, no tests and no addon', () => {
    const names = readdirSync(join(modules, 'ambit')).filter((name) => !/^[A-Z]+\.md$/u.test(name))
    const want = ['LICENSE', 'bin', 'dist', 'index.d.ts', 'index.js', 'libc.js', 'package.json']
    expect(names.filter((name) => name !== 'oclif.manifest.json').toSorted()).toEqual(
      [...want, 'policies', 'schemas'].toSorted(),
    )
  })
})
