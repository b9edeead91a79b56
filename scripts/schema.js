// SPDX-License-Identifier: Apache-2.0
// Writes the JSON Schemas (2020-12) of the documents whose source is a zod schema. With --check,
// writes nothing and fails when a file is stale. Reads ./dist: build first.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))

async function built(path) {
  try {
    return await import(new URL(`../dist/${path}`, import.meta.url).href)
  } catch (cause) {
    throw new Error(`cannot load dist/${path}; run \`npm run build\` first`, { cause })
  }
}

function current(file) {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (error.code === 'ENOENT') return undefined
    throw error
  }
}

const check = process.argv.includes('--check')
const stale = []
const { SCHEMA_NAMES, jsonSchema } = await built('policy/json-schemas.js')
for (const name of SCHEMA_NAMES) {
  const path = `schemas/${name}.schema.json`
  const file = join(root, path)
  const text = jsonSchema(name)
  if (current(file) === text) continue
  stale.push(path)
  if (check) continue
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
}

if (check && stale.length > 0) {
  process.stderr.write(`stale: ${stale.join(', ')}; run \`npm run schema\`\n`)
  process.exitCode = 1
} else {
  const what = stale.length === 0 ? 'schemas are up to date' : `wrote ${stale.join(', ')}`
  process.stdout.write(`${what}\n`)
}
