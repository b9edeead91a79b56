// SPDX-License-Identifier: Apache-2.0
// What a command reads and is given: the runner's input, a terminal of its own, secrets.
import { chmodSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunOptions, dryRun, run } from '../../dist/index.js'
import { type CommandChoice, commandOf, contractOf, policyOf } from './support/documents.js'
import { entriesIn, faultsOf, summary } from './support/ledger.js'
import { start } from './support/processes.js'
import { PYTHON } from './support/range.js'
import { Stage, publicKeyIn, withoutPrograms, withoutSandbox } from './support/stage.js'
import { SELF } from './support/users.js'

const SH = 'sh'
const VALUE = ['s3cr3t', 'of', 'the', 'inputs', 'test'].join('-')
let stage: Stage

beforeAll(() => {
  stage = new Stage()
})

afterAll(() => stage.dispose())

const skip = withoutPrograms(PYTHON) || (await withoutSandbox())

/** A shell script as a file, and the command that runs it with these fields. */
function scripted(text: string, fields: object = {}, choice: Partial<CommandChoice> = {}) {
  const script = join(stage.folder(), 'script.sh')
  writeFileSync(script, text)
  const command = { argv: [SH, script], cwd: '/usr', read: [script], ...choice }
  return { ...commandOf(command), ...fields }
}

const policyWith = (rules: object) =>
  policyOf([SH], { policy_schema_version: 'ambit.policy.v1', ...rules })
const contractWith = (command: object) => contractOf([command], { version: 'ambit.contract.v1' })
const bytes = (document: object) => Buffer.from(JSON.stringify(document))

function optionsFor(command: object, rules: object, env: object = {}): RunOptions {
  return {
    contract: bytes(contractWith(command)),
    policy: bytes(policyWith(rules)),
    env: { AMBIT_HOME: stage.home(), ...env },
  }
}

const textOf = (output: Uint8Array): string => Buffer.from(output).toString('utf8')

/** A file that only its owner can read. */
function secretFile(content: string, mode = 0o600): string {
  const path = join(stage.folder(), 'secret')
  writeFileSync(path, content, { mode: 0o600 })
  chmodSync(path, mode)
  return path
}

async function codeOf(attempt: Promise<unknown>): Promise<readonly [unknown, string]> {
  try {
    await attempt
    return ['it ran', '']
  } catch (error) {
    return error instanceof Error ? ['code' in error && error.code, error.message] : [error, '']
  }
}

describe.skipIf(skip)('the input of the runner', () => {
  const asking = { stdin: { inherit: true } }
  const granting = { allow_features: ['stdin_inherit'] }

  it('reaches a command that asks for it under a policy that grants it', async () => {
    const options = optionsFor(scripted('while read x; do echo "<$x>"; done', asking), granting)
    const result = await run({ ...options, stdin: Readable.from([Buffer.from('a\nb'), 'c\n']) })
    expect(textOf(result.stdout)).toBe('<a>\n<bc>\n')
  })

  it('is not there for a command that does not ask, or is not allowed to', async () => {
    const stdin = () => Readable.from(['a\n'])
    const quiet = await run({ ...optionsFor(scripted('cat'), granting), stdin: stdin() })
    expect(textOf(quiet.stdout)).toBe('')
    const denied = await run({ ...optionsFor(scripted('cat', asking), {}), stdin: stdin() })
    expect(denied.decision.reason_codes).toEqual(['FEATURE_NOT_ALLOWED'])
    expect(denied.commands).toEqual([])
  })

  it('is not read further than the command does, and its failure ends the run', async () => {
    let pulled = 0
    const endless = new Readable({
      highWaterMark: 65_536,
      read() {
        pulled += 65_536
        this.push(Buffer.alloc(65_536))
      },
    })
    const options = optionsFor(scripted('head -c 100000 | wc -c', asking), granting)
    const result = await run({ ...options, stdin: endless })
    expect(textOf(result.stdout)).toBe('100000\n')
    expect(pulled).toBeLessThan(1024 * 1024)
    const failing = new Readable({
      read() {
        this.destroy(new Error('lost'))
      },
    })
    const again = optionsFor(scripted('cat', asking), granting)
    await expect(run({ ...again, stdin: failing })).rejects.toThrow('lost')
  })

  it('is that of `ambit run`', async () => {
    const home = stage.home()
    const folder = stage.folder()
    const files = [join(folder, 'c.json'), join(folder, 'p.yaml')] as const
    writeFileSync(files[0], bytes(contractWith(scripted('cat', asking))))
    writeFileSync(files[1], bytes(policyWith(granting)))
    const running = stage.start(['run', ...files, '--quiet'], { home, stdin: 'pipe' })
    running.child.stdin?.end('typed\n')
    expect(await running.ended).toMatchObject({ code: 0, stdout: 'typed\n', stderr: '' })
  })
})

describe.skipIf(skip)('a secret', () => {
  const inVariable = { secrets: [{ name: 'token', env: 'TOKEN' }] }
  const inFile = { secrets: [{ name: 'token', file: '/run/secrets/token' }] }
  const fromEnv = { secrets: [{ name: 'token', from_env: 'THE_TOKEN' }] }
  const show = 'printf %s "$TOKEN"; cat /run/secrets/token 2>/dev/null; true'

  it('comes from the environment or a private file into a variable or a file', async () => {
    const fromFile = (content: string) => ({
      secrets: [{ name: 'token', from_file: secretFile(content) }],
    })
    const seen: string[] = []
    for (const place of [inVariable, inFile]) {
      for (const rules of [fromEnv, fromFile(`${VALUE}\n`), fromFile(VALUE)]) {
        const options = optionsFor(scripted(show, place), rules, { THE_TOKEN: VALUE })
        seen.push(textOf((await run(options)).stdout))
      }
    }
    // a variable is without the line feed at the end of a file; a file is what the file was
    expect(seen).toEqual([VALUE, VALUE, VALUE, VALUE, `${VALUE}\n`, VALUE])
  })

  it('stands by name, and never by value, in what a run leaves behind', async () => {
    const options = optionsFor(scripted('exit 3', inVariable), fromEnv, { THE_TOKEN: VALUE })
    const out = join(stage.folder(), 'receipt.json')
    const evidenceOut = stage.folder()
    const result = await run({ ...options, receiptOut: out, evidenceOut })
    const home = options.env?.['AMBIT_HOME'] ?? ''
    const entries = entriesIn(home)
    const named = { secret_names: ['token'] }
    expect(entries[1]?.payload).toMatchObject({ scope: { declared: [named], granted: [named] } })
    expect(await faultsOf(entries, publicKeyIn(home))).toEqual([])
    const left = [home, evidenceOut].flatMap((folder) =>
      readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1')),
    )
    const planned = JSON.stringify(await dryRun(options))
    expect(planned).toContain('"name":"token"')
    for (const text of [...left, planned, JSON.stringify(result), readFileSync(out, 'utf8')]) {
      expect(text).not.toContain(VALUE)
    }
    expect(left.length).toBeGreaterThan(2)
  })

  it('that cannot be had stops the run before anything starts, and is not in the words', async () => {
    const file = (from: string) => ({ secrets: [{ name: 'token', from_file: from }] })
    const open = secretFile(VALUE, 0o640)
    const linked = join(stage.folder(), 'link')
    symlinkSync(secretFile(VALUE), linked)
    const large = secretFile('x'.repeat(65_538))
    const table: readonly (readonly [object, object, string])[] = [
      [fromEnv, {}, '`THE_TOKEN` is not set'],
      [fromEnv, { THE_TOKEN: 'x'.repeat(65_537) }, 'more than 65536 bytes'],
      [file(open), {}, 'mode 0640'],
      [file(linked), {}, 'ELOOP'],
      [file(large), {}, 'more than 65536 bytes'],
      [file(stage.folder()), {}, 'not a regular file'],
      [file(join(stage.folder(), 'none')), {}, 'ENOENT'],
    ]
    for (const [rules, env, words] of table) {
      const options = optionsFor(scripted('touch /tmp/x', inVariable), rules, env)
      const [code, message] = await codeOf(run(options))
      expect(code).toBe('ERR_SANDBOX_SECRET')
      expect(message).toContain(words)
      expect(message).not.toContain('xxx')
      const entries = entriesIn(options.env?.['AMBIT_HOME'] ?? '')
      expect(summary(entries)).toEqual(['intent allow', 'outcome not_started'])
    }
  })

  it('is seen in no other way: not its file, nor the variable that it comes from', async () => {
    const from = secretFile(VALUE)
    const rules = {
      secrets: [{ name: 'token', from_file: from }],
      allow_env: ['THE_TOKEN'],
    }
    const reading = scripted(`cat ${from}`, inVariable, { read: ['/usr', stage.top] })
    const result = await run(optionsFor(reading, rules))
    expect(textOf(result.stdout)).toBe('')
    const letIn = scripted('env', { ...inVariable, env_allow: ['THE_TOKEN'] })
    const both = { ...fromEnv, allow_env: ['THE_TOKEN'] }
    const [code] = await codeOf(run(optionsFor(letIn, both, { THE_TOKEN: VALUE })))
    expect(code).toBe('ERR_SANDBOX_PLAN_INVALID')
  })

  it('comes in a variable in local mode too, and in a file never', async () => {
    const options = (place: object) =>
      ({
        ...optionsFor(scripted(show, place), fromEnv, { THE_TOKEN: VALUE }),
        mode: 'local',
      }) as const
    expect(textOf((await run(options(inVariable))).stdout)).toBe(VALUE)
    expect((await codeOf(run(options(inFile))))[0]).toBe('ERR_SANDBOX_UNSUPPORTED')
  })
})

describe.skipIf(skip)('a terminal', () => {
  const asking = { pty: true }
  const granting = { allow_features: ['pty'] }

  function files(command: object): readonly string[] {
    const folder = stage.folder()
    const names = [join(folder, 'c.json'), join(folder, 'p.yaml')]
    writeFileSync(names[0] ?? '', bytes(contractWith(command)))
    writeFileSync(names[1] ?? '', bytes(policyWith(granting)))
    return names
  }

  /** Runs `ambit run` on a terminal of this size; the words are typed when the prompt is seen. */
  async function onTerminal(command: object, acts: readonly (readonly [string, string])[]) {
    const home = stage.home()
    const { bin, node } = stage.installed
    const argv = [node, bin, 'run', ...files(command)]
    const script = join(import.meta.dirname, 'support/typist.py')
    const running = start(PYTHON, [script, JSON.stringify(acts), ...argv], {
      user: SELF,
      env: { AMBIT_HOME: home, PATH: process.env['PATH'] ?? '' },
    })
    const ended = await running.ended
    expect(ended).toMatchObject({ code: 0, stderr: '' })
    return JSON.parse(ended.stdout) as Record<string, unknown>
  }

  it('is the command’s own, of the size of the caller’s, and gets what is typed', async () => {
    const text = 'tty; stty size; printf "name? "; read name; echo "hello $name"'
    const seen = await onTerminal(scripted(text, asking), [['name? ', 'ada\r']])
    expect(seen).toMatchObject({ exit: 0, restored: true, raw_while_running: true })
    expect(seen['screen']).toMatch(/\/dev\/pts\/0\s+33 99\s+name\? ada\s+hello ada\s/u)
  })

  it('passes keys for signals and new sizes on', async () => {
    const traps = 'trap "echo got INT" INT; trap "stty size; exit 5" WINCH; echo ready'
    const seen = await onTerminal(scripted(`${traps}; while :; do read line; done`, asking), [
      ['ready', '\u0003'],
      ['got INT', 'resize'],
    ])
    expect(seen).toMatchObject({ exit: 5, restored: true })
    expect(seen['screen']).toMatch(/got INT[^]*44 123/u)
  })

  it('is put back when the run is stopped, or its command dies', async () => {
    const killed = await onTerminal(scripted('echo ready; kill -9 $$', asking), [])
    expect(killed).toMatchObject({ restored: true, exit: 137 })
    const stopped = await onTerminal(scripted('echo ready; sleep 50', asking), [
      ['ready', 'SIGTERM'],
    ])
    expect(stopped).toMatchObject({ restored: true, exit: 143 })
  })

  it('of a run in the API has a usual size, one stream, and an end of its input', async () => {
    const result = await run(optionsFor(scripted('stty size; cat; echo err >&2', asking), granting))
    expect(textOf(result.stdout)).toBe('24 80\r\nerr\r\n')
    expect(result.commands[0]).toMatchObject({
      termination: { kind: 'exited', code: 0 },
      stderr: { bytes: 0 },
    })
  })

  it('needs a grant, and a sandbox', async () => {
    const denied = await run(optionsFor(scripted('true', asking), {}))
    expect(denied.decision.reason_codes).toEqual(['FEATURE_NOT_ALLOWED'])
    const local = { ...optionsFor(scripted('true', asking), granting), mode: 'local' } as const
    expect((await codeOf(run(local)))[0]).toBe('ERR_SANDBOX_UNSUPPORTED')
  })
})
