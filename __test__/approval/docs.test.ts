// SPDX-License-Identifier: Apache-2.0
// What docs/approvals.md shows works as it is shown.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { REASON_CODES, Signer, generateKey } from '../../dist/index.js'
import { commandOf, contractOf, policyOf } from '../e2e/support/documents.js'
import { Stage, withoutSandbox } from '../e2e/support/stage.js'

const text = readFileSync(join(import.meta.dirname, '../../docs/approvals.md'), 'utf8')
const block = (language: string): string =>
  new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'msu').exec(text)?.[1] ?? ''

let stage: Stage
beforeAll(() => {
  stage = new Stage()
})
afterAll(() => stage.dispose())

it('names every reason code of approvals', () => {
  const named = new Set(text.match(/APPROVAL_[A-Z_]+/gu))
  const codes = Object.keys(REASON_CODES).filter((code) => code.startsWith('APPROVAL_'))
  expect([...named].filter((name) => !name.startsWith('ERR_')).toSorted()).toEqual(
    [...codes, 'APPROVAL_INVALID'].toSorted(),
  )
})

it.skipIf(await withoutSandbox())('runs the commands that it shows', async () => {
  const cwd = stage.folder()
  const keyOf = (name: string) => {
    generateKey(join(cwd, `${name}.pem`), join(cwd, `${name}.pub.pem`))
    return new Signer(join(cwd, `${name}.pem`)).publicKey.hex
  }
  const approvals = block('yaml').replace('ALICE', keyOf('alice')).replace('BOB', keyOf('bob'))
  const rest = policyOf(['true'], { policy_schema_version: 'ambit.policy.v1' })
  const fields = Object.entries(rest).map(([name, value]) => `${name}: ${JSON.stringify(value)}\n`)
  writeFileSync(join(cwd, 'policy.yaml'), `${fields.join('')}${approvals}`)
  const command = commandOf({ argv: ['true'], cwd, read: [cwd] })
  const contract = contractOf([command], { approval_mode: 'human_required' })
  writeFileSync(join(cwd, 'contract.json'), JSON.stringify(contract))
  const home = stage.home()
  const lines = block('sh').trimEnd().split('\n')
  expect(lines).toHaveLength(3)
  for (const line of lines) {
    const [program, ...argv] = line.split(' ')
    const ended = await stage.ambit(argv, { home, cwd })
    expect([program, line, ended.code, ended.stderr]).toEqual(['ambit', line, 0, ended.stderr])
  }
})
