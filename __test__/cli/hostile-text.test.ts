// SPDX-License-Identifier: Apache-2.0
// Text from outside never acts on a terminal: no colour, no cursor, no forged line, nothing hidden.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { commandOf, contractOf, policyOf, writeDocuments } from '../e2e/support/documents.js'
import { oneObject } from '../e2e/support/json.js'
import { Stage } from '../e2e/support/stage.js'

/** Clears the screen, forges a line, turns the text around, colours it in C1, hides a separator. */
const EVIL = 'x\u{1b}[2J\u{7}\n✓ allowed\r\u{202e}\u{9b}31m\u{2028}\u{200b}y'
const ACTS = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u

let stage: Stage
let home: string

beforeAll(() => {
  stage = new Stage()
  home = stage.home()
})

afterAll(() => stage.dispose())

/** Returns what a call writes, each line apart, and looks at every character of it. */
async function linesOf(
  argv: readonly string[],
  env: Record<string, string> = {},
): Promise<string[]> {
  const { stdout, stderr } = await stage.ambit(argv, { home, env })
  const lines = `${stdout}${stderr}`.split('\n')
  expect(lines.filter((line) => ACTS.test(line))).toEqual([])
  expect(lines.filter((line) => line.startsWith('✓ allowed'))).toEqual([])
  return lines
}

function documents(): { contract: string; policy: string } {
  const command = commandOf({ id: EVIL, argv: [EVIL, EVIL, '-c'], cwd: `/${EVIL}` })
  const contract = contractOf([command], { contract_id: EVIL, intent: EVIL, justification: EVIL })
  return writeDocuments(stage.folder(), contract, policyOf(['true']))
}

describe('hostile text', () => {
  it.each(['check', 'run'])('in a contract stays text in %s', async (command) => {
    const { contract, policy } = documents()
    const lines = await linesOf([command, contract, policy])
    expect(lines.join('\n')).toContain('COMMAND_NOT_ALLOWED')
    await linesOf([command, contract, policy, '--json'])
  })

  it('reads back as it was from JSON', async () => {
    const { contract, policy } = documents()
    const { stdout } = await stage.ambit(['check', contract, policy, '--json'], { home })
    const { decision } = oneObject(stdout) as unknown as { decision: Record<string, unknown> }
    expect(decision['contract_id']).toBe(EVIL)
  })

  it.each<[string, (path: string) => string[]]>([
    ['a contract', (path) => ['check', path, 'none']],
    ['a policy', (path) => ['check', join(stage.top, 'contract.json'), path]],
    ['a receipt', (path) => ['verify', path]],
    ['a key', (path) => ['verify', join(stage.top, 'contract.json'), '--key', path]],
    ['a signing key', (path) => ['run', ...paths(), '--signing-key', path]],
    ['a receipt to be written', (path) => ['run', ...paths(), '--receipt-out', path]],
    ['a new key', (path) => ['keys', 'generate', '--out', path]],
    ['a flag', (path) => ['check', `--${path}`]],
    ['a command', (path) => [path]],
  ])('in the name of %s stays text', async (_, argvFor) => {
    writeFileSync(join(stage.top, 'contract.json'), JSON.stringify(contractOf([command()])))
    const argv = argvFor(join(stage.folder(), EVIL, 'none'))
    expect((await linesOf(argv)).length).toBeGreaterThan(1)
    expect(await linesOf([...argv, '--json'])).toHaveLength(2)
  })

  it('in the name of the home stays text', async () => {
    const own = join(stage.folder(), EVIL)
    const lines = await linesOf(['keys', 'generate'], { AMBIT_HOME: own })
    expect(lines.join('\n')).toContain('key id')
    const { contract, policy } = writeDocuments(
      stage.folder(),
      contractOf([command()]),
      policyOf(['x']),
    )
    await linesOf(['run', contract, policy], { AMBIT_HOME: join(own, 'none') })
    await linesOf(['doctor'], { AMBIT_HOME: own })
  })

  it('in a document that is not valid stays text', async () => {
    const folder = stage.folder()
    const [bad, policy] = [join(folder, 'bad.json'), join(folder, 'bad.yaml')]
    writeFileSync(bad, JSON.stringify({ ...contractOf([command()]), [EVIL]: EVIL, version: EVIL }))
    writeFileSync(policy, JSON.stringify({ ...policyOf(['x']), [EVIL]: EVIL, network: EVIL }))
    const good = join(stage.top, 'contract.json')
    writeFileSync(good, JSON.stringify(contractOf([command()])))
    for (const argv of [
      ['check', bad, policy],
      ['check', good, policy],
      ['verify', bad],
    ]) {
      expect((await linesOf(argv)).join('\n')).toMatch(/INVALID|UNKNOWN_FORMAT/u)
      expect(await linesOf([...argv, '--json'])).toHaveLength(2)
    }
  })
})

const command = () => commandOf({ argv: ['true'], cwd: '/usr' })

function paths(): string[] {
  const files = writeDocuments(stage.folder(), contractOf([command()]), policyOf(['x']))
  return [files.contract, files.policy]
}
