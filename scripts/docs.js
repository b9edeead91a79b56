// SPDX-License-Identifier: Apache-2.0
// Writes the tables in docs/ whose source is code: reason codes and error codes. With --check,
// writes nothing and fails when a file is stale. Reads ./dist: build first.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { format, resolveConfig } from 'prettier'
import { ScriptError, main, root, say } from './lib/proc.js'

const SOURCE = 'Written by `npm run docs`. Do not edit.'

const EFFECTS = {
  allow: 'allows when no other reason stands against it',
  deny: 'denies',
  needs_approval: 'asks for an approval, unless another reason denies',
  note: 'says something and decides nothing',
}

async function built(path) {
  try {
    return await import(new URL(`../dist/${path}`, import.meta.url).href)
  } catch (cause) {
    throw new ScriptError(`cannot load dist/${path}; run \`npm run build\` first`, { cause })
  }
}

const line = (cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`

/** Returns a table; prettier aligns it afterwards. */
function table(head, rows) {
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

function reasonCodes(codes) {
  const rows = Object.entries(codes).map(([code, { effect, meaning }]) => [
    `\`${code}\``,
    `\`${effect}\``,
    meaning,
  ])
  const effects = Object.entries(EFFECTS).map(([effect, words]) => `- \`${effect}\` ${words}`)
  return [
    `<!-- ${SOURCE} Source: src/policy/reason-codes.ts -->`,
    '# Reason codes',
    'A reason code explains a decision. A decision lists every code that applies, sorted, each once.',
    'The registry grows and never changes otherwise: a code is not renamed, removed or given another',
    'meaning. Whoever reads decisions must tolerate codes that they do not know.',
    '',
    'The effect says what a code does:',
    '',
    ...effects,
    '',
    table(['code', 'effect', 'meaning'], rows),
  ].join('\n')
}

function errorCodes(codes) {
  const rows = Object.entries(codes)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([code, meaning]) => [`\`${code}\``, meaning])
  return [
    `<!-- ${SOURCE} Source: src/errors.ts -->`,
    '# Error codes',
    'An error code explains a failure: a call that could not do its work. A policy that says no is not',
    'a failure; see [reason codes](reason-codes.md).',
    '',
    'Every error that Ambit throws has its code in `code` and plain data in `details`. With `--json` the',
    'command line prints `{"version":"ambit.error.v1","error":{"code":…,"message":…}}`. The text of a',
    'message may change; a code is not renamed, removed or given another meaning. One code comes from',
    'the entry of the command line alone: `ERR_CONFIG_USAGE`, for wrong usage, exit code 64.',
    '',
    table(['code', 'meaning'], rows),
  ].join('\n')
}

async function documents() {
  const { REASON_CODES } = await built('policy/reason-codes.js')
  const { ERROR_CODES } = await built('errors.js')
  return [
    ['docs/reason-codes.md', reasonCodes(REASON_CODES)],
    ['docs/error-codes.md', errorCodes(ERROR_CODES)],
  ]
}

function current(file) {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (error.code === 'ENOENT') return undefined
    throw error
  }
}

async function docs() {
  const check = process.argv.includes('--check')
  const stale = []
  for (const [path, draft] of await documents()) {
    const file = join(root, path)
    const options = { ...(await resolveConfig(file)), parser: 'markdown' }
    const text = await format(draft, options)
    if (current(file) === text) continue
    stale.push(path)
    if (!check) writeFileSync(file, text)
  }
  if (check && stale.length > 0) {
    throw new ScriptError(`stale: ${stale.join(', ')}; run \`npm run docs\``)
  }
  say(stale.length === 0 ? 'tables in docs/ are up to date' : `wrote ${stale.join(', ')}`)
}

await main(import.meta.url, docs)
