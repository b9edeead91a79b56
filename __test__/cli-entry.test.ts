// SPDX-License-Identifier: Apache-2.0
// bin/ambit.js with commands of our own making: what it does is the same for every command.
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '..')

const COMMAND = `import { Args, Command, Flags } from '@oclif/core'
export default class Try extends Command {
  static strict = true
  static args = { file: Args.string({ required: true }) }
  static flags = {
    boom: Flags.boolean(),
    code: Flags.integer(),
    exit: Flags.integer({ default: 0 }),
    json: Flags.boolean(),
    mode: Flags.string({ options: ['hardened', 'local'] }),
  }
  async run() {
    const { flags } = await this.parse(Try)
    if (flags.boom) throw new TypeError('boom \\u001b[31m\\u202e')
    if (flags.code === undefined) this.exit(flags.exit)
    process.exitCode = flags.code
  }
}
`
const BROKEN = `throw Object.assign(new Error('no addon here'), { code: 'ERR_ADDON_MISSING' })`

let top = ''

/** Returns a package with the entry of the project and the given commands. */
function makePackage(name: string, commands: Record<string, string>): string {
  const dir = join(top, name)
  cpSync(join(root, 'bin'), join(dir, 'bin'), { recursive: true })
  cpSync(join(root, 'package.json'), join(dir, 'package.json'))
  symlinkSync(join(root, 'node_modules'), join(dir, 'node_modules'))
  for (const [path, code] of Object.entries(commands)) {
    mkdirSync(join(dir, 'dist/commands', path, '..'), { recursive: true })
    writeFileSync(join(dir, 'dist/commands', path), code)
  }
  return dir
}

function ambit(dir: string, argv: string[], env: Record<string, string> = {}) {
  // from another folder: the entry must not depend on where it is called
  const options = { cwd: '/', env: { ...process.env, ...env }, encoding: 'utf8' } as const
  const program = join(dir, 'bin/ambit.js')
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...argv], options)
  return { status, stdout, stderr }
}

function document(code: string, message: string): string {
  return `${JSON.stringify({ version: 'ambit.error.v1', error: { code, message } })}\n`
}

beforeAll(() => {
  top = mkdtempSync(join(tmpdir(), 'ambit-cli-'))
  makePackage('works', { 'try.js': COMMAND, 'keys/generate.js': COMMAND })
  const broken = makePackage('broken', {
    'run.js': COMMAND,
    'verify.js': COMMAND,
    'try.js': COMMAND,
  })
  execFileSync(process.execPath, [join(root, 'scripts/lib/manifest.js'), broken], { stdio: 'pipe' })
  for (const name of ['run', 'verify', 'try']) {
    writeFileSync(join(broken, `dist/commands/${name}.js`), BROKEN)
  }
})

afterAll(() => {
  rmSync(top, { recursive: true, force: true })
})

describe('exit codes', () => {
  it.each([0, 2, 120, 255])('passes on %i, however the command sets it', (code) => {
    const want = { status: code, stdout: '', stderr: '' }
    expect(ambit(join(top, 'works'), ['try', 'x', '--exit', String(code)])).toEqual(want)
    expect(ambit(join(top, 'works'), ['try', 'x', '--code', String(code)])).toEqual(want)
    expect(ambit(join(top, 'works'), ['keys', 'generate', 'x', '--exit', `${code}`])).toEqual(want)
  })
})

describe('wrong usage', () => {
  it.each<[string, string[], string]>([
    ['an unknown command', ['nope'], 'unknown command `nope`'],
    ['an unknown command of a topic', ['keys', 'nope'], 'unknown command `keys nope`'],
    ['an unknown first flag', ['--nope'], 'unknown command `--nope`'],
    ['an unknown flag', ['try', 'x', '--nope'], 'Nonexistent flag: --nope'],
    ['a missing argument', ['try'], 'Missing 1 required arg: file'],
    ['an argument too many', ['try', 'x', 'y'], 'Unexpected argument: y'],
    [
      'a value outside the list',
      ['try', 'x', '--mode', 'm'],
      'Expected --mode=m to be one of: hardened, local',
    ],
    [
      'a value of another type',
      ['try', 'x', '--exit', 'y'],
      'Parsing --exit Expected an integer but received: y',
    ],
    [
      'a value that is missing',
      ['try', 'x', '--mode'],
      'Flag --mode expects one of these values: hardened, local',
    ],
    [
      'control characters',
      ['a\u{1b}[2J\u{7}\u{202e}\n\u{9b}b'],
      'unknown command `a\\x1b[2J\\x07\\u{202e} \\x9bb`',
    ],
  ])('is 64 and one line for %s', (_, argv, message) => {
    const stderr = `ambit: ${message}, see --help\n`
    expect(ambit(join(top, 'works'), argv)).toEqual({ status: 64, stdout: '', stderr })
  })

  it('is one JSON object on stdout with --json', () => {
    const stdout = document('ERR_CONFIG_USAGE', 'Nonexistent flag: --nope, see --help')
    const want = { status: 64, stdout, stderr: '' }
    expect(ambit(join(top, 'works'), ['try', 'x', '--nope', '--json'])).toEqual(want)
  })

  it('does not take a --json after -- for its own', () => {
    const stderr = 'ambit: Nonexistent flag: --nope, see --help\n'
    const argv = ['try', '--nope', '--', '--json']
    expect(ambit(join(top, 'works'), argv)).toEqual({ status: 64, stdout: '', stderr })
  })
})

describe('failures that no command could report', () => {
  it.each([
    ['run', 125],
    ['verify', 2],
    ['try', 1],
  ])('ends %s with %i when the addon is missing', (command, status) => {
    const stderr = 'ambit: no addon here\n'
    expect(ambit(join(top, 'broken'), [command])).toEqual({ status, stdout: '', stderr })
    const stdout = document('ERR_ADDON_MISSING', 'no addon here')
    expect(ambit(join(top, 'broken'), [command, '--json'])).toEqual({ status, stdout, stderr: '' })
  })

  it('shows the stack of a fault, without its control characters', () => {
    const { status, stdout, stderr } = ambit(join(top, 'works'), ['try', 'x', '--boom'])
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
    const lines = stderr.trimEnd().split('\n')
    expect(lines[0]).toBe('TypeError: boom \\x1b[31m\\u{202e}')
    expect(lines[1]).toMatch(/^ {4}at Try\.run \(file:/u)
    expect(lines.at(-1)).toBe('ambit: boom \\x1b[31m\\u{202e}')
  })

  it('hides the stack of a fault with --json', () => {
    const stdout = document('ERR_INTERNAL', 'boom \\x1b[31m\\u{202e}')
    const argv = ['try', 'x', '--boom', '--json']
    expect(ambit(join(top, 'works'), argv)).toEqual({ status: 1, stdout, stderr: '' })
  })
})

describe('code from elsewhere', () => {
  it('is not loaded as a user plugin', () => {
    const evil = join(top, 'data/ambit/node_modules/evil')
    mkdirSync(join(evil, 'commands'), { recursive: true })
    const plugins = [{ name: 'evil', type: 'user' }]
    const user = { name: 'ambit', oclif: { plugins }, dependencies: { evil: '1.0.0' } }
    writeFileSync(join(top, 'data/ambit/package.json'), JSON.stringify(user))
    const oclif = { commands: './commands', hooks: { init: './hook.js' } }
    const pjson = { name: 'evil', version: '1.0.0', type: 'module', oclif }
    writeFileSync(join(evil, 'package.json'), JSON.stringify(pjson))
    writeFileSync(join(evil, 'hook.js'), 'export default () => { console.log("EVIL") }')
    const env = { XDG_DATA_HOME: join(top, 'data') }
    const want = { status: 0, stdout: '', stderr: '' }
    expect(ambit(join(top, 'works'), ['try', 'x'], env)).toEqual(want)
  })
})
