// SPDX-License-Identifier: Apache-2.0
// Commands about documents: nothing runs, nothing is signed.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { SCHEMA_NAMES } from '../../src/policy/index.js'

const root = join(import.meta.dirname, '../..')

function ambit(...argv: readonly string[]) {
  const options = { encoding: 'utf8', env: { PATH: '/usr/bin:/bin' } } as const
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(root, 'bin/ambit.js'), ...argv],
    options,
  )
  return { status, stdout, stderr }
}

describe('ambit schema', () => {
  it.each([
    ['contract', 'ambit.contract.v1'],
    ['csc.contract.v0.1', 'csc.contract.v0.1'],
  ])('prints the schema %s', (word, name) => {
    const text = readFileSync(join(root, `schemas/${name}.schema.json`), 'utf8')
    expect(ambit('schema', word)).toEqual({ status: 0, stdout: text, stderr: '' })
    const { stdout } = ambit('schema', word, '--json')
    expect(JSON.parse(stdout)).toEqual({
      version: 'ambit.schema.v1',
      name,
      schema: JSON.parse(text) as unknown,
    })
  })

  it('knows the documents whose schemas are in the package, and no other', () => {
    expect(ambit('schema', 'nothing').status).toBe(64)
    expect(SCHEMA_NAMES).toContain('csc.policy.v0.1')
  })
})
