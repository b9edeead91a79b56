// SPDX-License-Identifier: Apache-2.0
// Which folder of src may import which. The crates' directions are in deny.toml.
import { readFileSync, readdirSync } from 'node:fs'
import { dirname, join, posix, relative } from 'node:path'
import { describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '..')
const STAGES = ['approval', 'contract', 'inspect', 'policy', 'receipt']
/** The documents' model: one room, however many folders. */
const MODEL = ['approval', 'contract', 'policy']

/**
 * What each area of src may import beside itself. `addon` is the loader at the root, `index` is
 * src/index.ts. An area that is not named here may import nothing: give it a line.
 */
const MAY_IMPORT: Record<string, string[]> = {
  approval: ['errors', 'keys', 'native', ...MODEL],
  cli: ['index'],
  commands: ['cli', 'index'],
  contract: ['errors', 'native', ...MODEL],
  errors: [],
  index: ['errors', 'keys', 'ledger', 'native', 'run', 'version', ...STAGES],
  inspect: ['errors', 'native', ...MODEL],
  keys: ['errors', 'native'],
  ledger: ['errors', 'keys', 'native', 'receipt'],
  native: ['addon', 'errors'],
  policy: ['errors', 'native', ...MODEL],
  receipt: ['errors', 'keys', 'native', ...MODEL],
  run: ['errors', 'keys', 'ledger', 'native', 'version', ...STAGES],
  verify: [],
  version: [],
}

/** Returns the relative imports of a module: static, dynamic, re-exports, for types too. */
function importsOf(code: string): string[] {
  const found = code.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*(['"])(\.[^'"]*)\1/gu)
  return [...found].map((match) => match[2] ?? '')
}

/** Returns the area of a file named from the root: `src/policy/match.ts` is in `policy`. */
function areaOf(file: string): string {
  if (file === 'index.js') return 'addon'
  const [top, area] = file.split('/')
  return top === 'src' && area !== undefined ? area.replace(/\.[jt]s$/u, '') : file
}

/** Returns a line for each import of the file that its area may not have. */
function trespasses(file: string, code: string): string[] {
  const area = areaOf(file)
  const allowed = new Set([area, ...(MAY_IMPORT[area] ?? [])])
  const targets = importsOf(code).map((specifier) => posix.join(dirname(file), specifier))
  return targets
    .filter((target) => !allowed.has(areaOf(target)))
    .map((target) => `${file} imports ${target}`)
}

describe('directions', () => {
  it.each<[string, string, string[]]>([
    ['src/native.ts', "import addon from '../index.js'", []],
    ['src/run/engine.ts', "import { x } from '../policy/evaluate.js'", []],
    ['src/run/engine.ts', "import { x } from './clock.js'\nimport { z } from 'zod'", []],
    ['src/policy/evaluate.ts', "import type { Contract } from '../contract/schema.js'", []],
    ['src/commands/keys/generate.ts', "import { run } from '../../index.js'", []],
    ['src/commands/keys/generate.ts', "import { Base } from '../base.js'", []],
    [
      'src/policy/evaluate.ts',
      "import addon from '../../index.js'",
      ['src/policy/evaluate.ts imports index.js'],
    ],
    ['src/index.ts', "export { default } from '../index.js'", ['src/index.ts imports index.js']],
    [
      'src/keys/signer.ts',
      "import {\n  a,\n  b,\n} from '../policy/evaluate.js'",
      ['src/keys/signer.ts imports src/policy/evaluate.js'],
    ],
    [
      'src/contract/parse.ts',
      'const x = await import("../run/engine.js")',
      ['src/contract/parse.ts imports src/run/engine.js'],
    ],
    [
      'src/commands/run.ts',
      "import type { X } from '../errors.js'\nexport * from '../native.js'\nimport '../run/x.js'",
      [
        'src/commands/run.ts imports src/errors.js',
        'src/commands/run.ts imports src/native.js',
        'src/commands/run.ts imports src/run/x.js',
      ],
    ],
    ['src/new/x.ts', "import '../errors.js'", ['src/new/x.ts imports src/errors.js']],
    ['src/run/x.ts', "import x from '../../scripts/x.js'", ['src/run/x.ts imports scripts/x.js']],
  ])('judges %s with %j', (file, code, want) => {
    expect(trespasses(file, code)).toEqual(want)
  })

  it('hold in src', () => {
    const files = readdirSync(join(root, 'src'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
      .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    expect(files).toContain('src/native.ts')
    expect(
      files.flatMap((file) => trespasses(file, readFileSync(join(root, file), 'utf8'))),
    ).toEqual([])
  })
})
