// SPDX-License-Identifier: Apache-2.0
// The exit code of every command for every end it can come to, and its one JSON object.
import {
  chmodSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { generateKey } from '../../dist/index.js'
import {
  type CommandChoice,
  commandOf,
  contractOf,
  policyOf,
  writeDocuments,
} from '../e2e/support/documents.js'
import { type JsonAnswer, oneObject } from '../e2e/support/json.js'
import { Stage, publicKeyIn, withoutSandbox } from '../e2e/support/stage.js'

let stage: Stage
let home: string
const noSandbox = await withoutSandbox()

beforeAll(() => {
  stage = new Stage()
  home = stage.home()
})

afterAll(() => stage.dispose())

interface Answered {
  readonly code: number | null
  readonly document: JsonAnswer
}

/** Runs a command with and without `--json`: the code is the same, words go to stderr only. */
async function both(argv: readonly string[], env: Record<string, string> = {}): Promise<Answered> {
  const [json, words] = await Promise.all([
    stage.ambit([...argv, '--json'], { home, env }),
    stage.ambit(argv, { home, env }),
  ])
  expect({ code: words.code, stdout: words.stdout }).toEqual({ code: json.code, stdout: '' })
  expect(words.stderr).not.toBe('')
  return { code: json.code, document: oneObject(json.stdout) }
}

const errorOf = ({ document }: Answered): unknown =>
  (document as { error?: { code?: unknown } }).error?.code

/** Files that are no contract and no policy. */
function files(contract: string | object, policy: string | object): string[] {
  const folder = stage.folder()
  const text = (value: string | object) =>
    typeof value === 'string' ? value : JSON.stringify(value)
  const paths = [join(folder, 'contract.json'), join(folder, 'policy.yaml')] as const
  writeFileSync(paths[0], text(contract))
  writeFileSync(paths[1], text(policy))
  return [...paths]
}

const contract = (changes: object = {}) =>
  contractOf([commandOf({ argv: ['true'], cwd: '/usr' })], changes)

describe('check', () => {
  it.each<[string, number, object, object, string]>([
    ['an allowed contract', 0, contract(), policyOf(['true']), 'allow'],
    ['a denied one', 2, contract(), policyOf(['false']), 'deny'],
    [
      'one that needs an approval',
      4,
      contract({ approval_mode: 'human_required' }),
      policyOf(['true']),
      'needs_approval',
    ],
  ])('answers %s with %i', async (_, code, first, second, decision) => {
    const answer = await both(['check', ...files(first, second)])
    expect(answer).toMatchObject({
      code,
      document: { version: 'ambit.check.v1', decision: { decision } },
    })
  })

  it.each<[string, string | object, string | object, string]>([
    ['a contract that is no JSON', '{', policyOf(['true']), 'ERR_CONTRACT_INVALID'],
    [
      'a contract with a field too many',
      contract({ x: 1 }),
      policyOf(['true']),
      'ERR_CONTRACT_INVALID',
    ],
    ['a policy that is no YAML', contract(), 'a: [', 'ERR_POLICY_INVALID'],
    [
      'a policy with a field too many',
      contract(),
      policyOf(['true'], { x: 1 }),
      'ERR_POLICY_INVALID',
    ],
  ])('answers %s with 3, and run with 125', async (_, first, second, error) => {
    const paths = files(first, second)
    const [checked, ran] = [await both(['check', ...paths]), await both(['run', ...paths])]
    expect([checked.code, errorOf(checked)]).toEqual([3, error])
    expect([ran.code, errorOf(ran)]).toEqual([125, error])
  })

  it('answers files that are not there with 3', async () => {
    const [first = '', second = ''] = files(contract(), policyOf(['true']))
    const none = join(stage.folder(), 'none')
    const missing = [await both(['check', none, second]), await both(['check', first, none])]
    expect(missing.map(errorOf)).toEqual(['ERR_CONTRACT_UNREADABLE', 'ERR_POLICY_UNREADABLE'])
    expect(missing.map(({ code }) => code)).toEqual([3, 3])
  })
})

describe('wrong usage', () => {
  it.each<[string, string[]]>([
    ['check without files', ['check']],
    ['check with a file too many', ['check', 'a', 'b', 'c']],
    ['check with a flag it does not have', ['check', 'a', 'b', '--nope']],
    ['run without a policy', ['run', 'a']],
    ['run in a mode there is not', ['run', 'a', 'b', '--mode', 'open']],
    ['verify without a receipt', ['verify']],
    ['doctor with an argument', ['doctor', 'a']],
    ['keys generate with an argument', ['keys', 'generate', 'a']],
    ['a command there is not', ['nope']],
  ])('is 64: %s', async (_, argv) => {
    const answer = await both(argv)
    expect([answer.code, errorOf(answer)]).toEqual([64, 'ERR_CONFIG_USAGE'])
  })

  it('is not a home that is no absolute path: that is a setting', async () => {
    const [first = '', second = ''] = files(contract(), policyOf(['true']))
    const answer = await both(['run', first, second], { AMBIT_HOME: 'relative' })
    expect([answer.code, errorOf(answer)]).toEqual([125, 'ERR_CONFIG_INVALID'])
  })
})

/** One way a run can end. */
interface Ending {
  readonly name: string
  /** Makes the command's files in its folder. */
  readonly command: (folder: string) => Partial<CommandChoice> & Pick<CommandChoice, 'argv'>
  readonly code: number
  /** The status of a run, or the code of an error. */
  readonly says: string
  readonly contract?: object
}

const script = (folder: string, text: string, mode = 0o755): string => {
  const path = join(folder, 'script.sh')
  writeFileSync(path, text)
  chmodSync(path, mode)
  return path
}

const sh = (text: string) => (folder: string) => ({ argv: ['sh', script(folder, text)] })

const ENDINGS: readonly Ending[] = [
  { name: 'success', command: sh('exit 0'), code: 0, says: 'success' },
  { name: "the command's own code", command: sh('exit 42'), code: 42, says: 'failed' },
  { name: "the command's own code, even ours", command: sh('exit 125'), code: 125, says: 'failed' },
  { name: 'a denial', command: () => ({ argv: ['rm', 'x'] }), code: 120, says: 'denied' },
  {
    name: 'an approval that is missing',
    command: sh('exit 0'),
    contract: { approval_mode: 'dual_control_required' },
    code: 121,
    says: 'needs_approval',
  },
  {
    name: 'a path that is missing',
    command: (folder) => ({ argv: ['true'], read: [join(folder, 'none')] }),
    code: 122,
    says: 'ERR_SANDBOX_PATH_MISSING',
  },
  {
    name: 'a path that is a symbolic link',
    command: (folder) => {
      symlinkSync('/etc', join(folder, 'link'))
      return { argv: ['true'], read: [join(folder, 'link')] }
    },
    code: 122,
    says: 'ERR_SANDBOX_PATH_SYMLINK',
  },
  {
    name: 'a network that cannot be held to its list',
    command: () => ({ argv: ['true'], network: 'allowlisted' }),
    code: 122,
    says: 'ERR_SANDBOX_UNSUPPORTED',
  },
  {
    name: 'a program that may not be executed',
    command: (folder) => ({ argv: [script(folder, '#!/bin/sh\n', 0o644)] }),
    code: 126,
    says: 'failed',
  },
  {
    name: 'a program that is a folder',
    command: (folder) => {
      mkdirSync(join(folder, 'script.sh'))
      return { argv: [join(folder, 'script.sh')] }
    },
    code: 126,
    says: 'failed',
  },
  {
    name: 'a program that is not there',
    command: () => ({ argv: ['no-such-program'] }),
    code: 127,
    says: 'failed',
  },
  { name: 'SIGKILL', command: sh('kill -9 $$'), code: 137, says: 'failed' },
  { name: 'SIGSEGV', command: sh('kill -11 $$'), code: 139, says: 'failed' },
  { name: 'SIGTERM', command: sh('kill $$'), code: 143, says: 'failed' },
]

/** Returns the arguments of a run in a new folder. */
function runOf({ command, contract: changes }: Pick<Ending, 'command' | 'contract'>): string[] {
  const folder = stage.folder()
  const choice = command(folder)
  const allowed = ['sh', 'true', 'sleep', 'no-such-program', join(folder, 'script.sh')]
  const document = contractOf([commandOf({ cwd: folder, ...choice })], changes)
  const paths = writeDocuments(stage.folder(), document, policyOf(allowed))
  return ['run', paths.contract, paths.policy]
}

describe.skipIf(noSandbox)('run', () => {
  it.each(ENDINGS)('answers $name with $code', async (ending) => {
    const { code, document } = await both(runOf(ending))
    const said = (document['error'] as { code: string } | undefined)?.code ?? document['status']
    const exit = document.version === 'ambit.run.v1' ? document['exit_code'] : code
    expect({ code, exit, said }).toEqual({
      code: ending.code,
      exit: ending.code,
      said: ending.says,
    })
  })

  it('refuses what it cannot hold a command to with 122', async () => {
    const folder = stage.folder()
    const command = commandOf({ argv: ['true'], cwd: folder, network: 'allowlisted' })
    const document = contractOf([command])
    const paths = writeDocuments(folder, document, policyOf(['true']))
    const answer = await both(['run', paths.contract, paths.policy])
    expect([answer.code, errorOf(answer)]).toEqual([122, 'ERR_SANDBOX_UNSUPPORTED'])
  })

  it('ends what takes too long with 124, within a second of its limit', async () => {
    const argv = runOf({ command: () => ({ argv: ['sleep', '600'], timeoutSec: 1 }) })
    const { stdout, code } = await stage.ambit([...argv, '--json'], { home })
    const { status, commands } = oneObject(stdout)
    const [command] = commands as { termination: object; duration_ms: number }[]
    expect({ code, status, termination: command?.termination }).toEqual({
      code: 124,
      status: 'timed_out',
      termination: { kind: 'timed_out' },
    })
    expect(command?.duration_ms).toBeGreaterThanOrEqual(1000)
    expect(command?.duration_ms).toBeLessThan(2000)
  })

  it("passes the command's output through, and with --json to stderr", async () => {
    const argv = runOf({ command: sh('echo out; echo err >&2; exit 3') })
    const words = await stage.ambit(argv, { home })
    expect(words).toMatchObject({ code: 3, stdout: 'out\n' })
    expect(words.stderr).toMatch(/^err\n✗ failed {2}exit 3 {2}sandbox full {2}run_\S+\n$/u)
    const json = await stage.ambit([...argv, '--json'], { home })
    expect(json.stderr.split('\n').toSorted()).toEqual(['', 'err', 'out'])
    expect(oneObject(json.stdout)).toMatchObject({ status: 'failed', exit_code: 3 })
  })

  it('writes receipts that verify, where it is told to', async () => {
    const evidence = join(stage.folder(), 'evidence')
    const receipt = join(stage.folder(), 'deep/receipt.json')
    const flags = ['--receipt-out', receipt, '--evidence-out', evidence, '--quiet']
    const argv = [...runOf({ command: sh('exit 0') }), ...flags]
    const own = stage.home()
    expect(await stage.ambit(argv, { home: own })).toMatchObject({
      code: 0,
      stdout: '',
      stderr: '',
    })
    const names = ['000001.decision.json', '000002.execution.json']
    const all = [receipt, ...names.map((name) => join(evidence, name))]
    const { code, stdout } = await stage.ambit(['verify', ...all, '--json'], { home: own })
    expect(code).toBe(0)
    const types = (oneObject(stdout)['results'] as { verdict: { payload_type: string } }[]).map(
      ({ verdict }) => verdict.payload_type,
    )
    expect(types).toEqual(['csc.receipt.v0.1', 'ambit:decision', 'ambit:execution'])
  })
})

/** Makes a receipt of a denial, which every machine can make. */
async function denied(): Promise<string> {
  const receipt = join(stage.folder(), 'receipt.json')
  const argv = [...runOf({ command: () => ({ argv: ['rm'] }) }), '--receipt-out', receipt]
  expect(await stage.ambit(argv, { home })).toMatchObject({ code: 120 })
  return receipt
}

/** Returns a file with a changed copy of a receipt. */
function changed(receipt: string, change: (text: string) => string): string {
  const copy = join(stage.folder(), 'changed.json')
  const text = readFileSync(receipt, 'utf8')
  const result = change(text)
  expect(result).not.toBe(text)
  writeFileSync(copy, result)
  return copy
}

describe('verify', () => {
  let receipt: string
  let stranger: string

  beforeAll(async () => {
    receipt = await denied()
    const folder = stage.folder()
    stranger = join(folder, 'stranger.pub.pem')
    generateKey(join(folder, 'stranger.pem'), stranger)
  })

  it('answers a valid receipt with 0', async () => {
    expect((await both(['verify', receipt])).code).toBe(0)
  })

  it('answers a changed receipt with 1', async () => {
    const copy = changed(receipt, (text) => text.replace('"blocked"', '"success"'))
    expect((await both(['verify', copy])).code).toBe(1)
  })

  it('answers a receipt without its signature with 1', async () => {
    const copy = changed(receipt, (text) => text.replace(/"signature": \{[^}]*\},/u, ''))
    expect((await both(['verify', copy])).code).toBe(1)
  })

  it.each<[string, (text: string) => string]>([
    ['an empty file', () => ''],
    ['a document of another kind', () => '{}'],
    ['a receipt that is cut', (text) => text.slice(0, -10)],
    ['a receipt with a member twice', (text) => text.replace('{', '{"status":"success",')],
  ])('answers %s with 2', async (_, change) => {
    expect((await both(['verify', changed(receipt, change)])).code).toBe(2)
  })

  it('answers a key that did not sign, and one that is none, with 5', async () => {
    expect((await both(['verify', receipt, '--key', stranger])).code).toBe(5)
    const none = await both(['verify', receipt, '--key', receipt])
    expect([none.code, errorOf(none)]).toEqual([5, 'ERR_KEY_MALFORMED'])
    const missing = await both(['verify', receipt, '--key', join(stage.folder(), 'none')])
    expect([missing.code, errorOf(missing)]).toEqual([5, 'ERR_KEY_FILE_UNREADABLE'])
  })

  it('answers key ids that belong to no key with 64', async () => {
    const own = publicKeyIn(home)
    for (const keys of [[], ['--key', own, '--key-id', 'a']]) {
      const answer = await both(['verify', receipt, ...keys, '--key-id', 'b'])
      expect([answer.code, errorOf(answer)]).toEqual([64, 'ERR_CONFIG_USAGE'])
    }
    expect((await both(['verify', receipt, '--key', own])).code).toBe(0)
  })

  it('answers a file that is missing or cannot be read with 7', async () => {
    expect((await both(['verify', join(stage.folder(), 'none.json')])).code).toBe(7)
    expect((await both(['verify', stage.folder()])).code).toBe(7)
  })

  it('answers many receipts with the worst of their codes', async () => {
    const bad = changed(receipt, (text) => text.replace('"blocked"', '"success"'))
    const none = join(stage.folder(), 'none.json')
    const { code, document } = await both(['verify', receipt, none, bad])
    const exits = (document['results'] as { exit: number }[]).map(({ exit }) => exit)
    expect({ code, exits }).toEqual({ code: 1, exits: [0, 7, 1] })
  })
})

describe('keys generate', () => {
  it('makes a pair and refuses to replace it', async () => {
    const own = stage.emptyHome()
    const make = async () => await stage.ambit(['keys', 'generate', '--json'], { home: own })
    const first = await make()
    expect([first.code, oneObject(first.stdout).version]).toEqual([0, 'ambit.keys.v1'])
    const file = join(own, 'keys/default.pem')
    const before = readFileSync(file)
    const second = await make()
    expect(second.code).toBe(1)
    expect(oneObject(second.stdout)).toMatchObject({ error: { code: 'ERR_KEY_FILE_EXISTS' } })
    expect(readFileSync(file)).toEqual(before)
  })

  it('replaces no public half either', async () => {
    const folder = stage.folder()
    writeFileSync(join(folder, 'k.pub.pem'), 'taken')
    const argv = ['keys', 'generate', '--out', join(folder, 'k.pem'), '--json']
    const { code, stdout } = await stage.ambit(argv, { home })
    expect(code).toBe(1)
    expect(oneObject(stdout)).toMatchObject({ error: { code: 'ERR_KEY_FILE_EXISTS' } })
    expect(readFileSync(join(folder, 'k.pub.pem'), 'utf8')).toBe('taken')
    // and no half of a pair is left
    expect(readdirSync(folder)).toEqual(['k.pub.pem'])
  })
})

describe.skipIf(noSandbox)('doctor', () => {
  it('answers 0 where runs get tier full, and says where keys are', async () => {
    const { code, document } = await both(['doctor'])
    expect({ code, document }).toMatchObject({
      code: 0,
      document: {
        version: 'ambit.doctor.v1',
        tier: 'full',
        home: { folder: home, signing_key: join(home, 'keys/default.pem') },
      },
    })
  })
})
