// SPDX-License-Identifier: Apache-2.0
// Every receipt that stands anywhere in the vectors, as its own file or inside of one.
import { readFileSync, readdirSync } from 'node:fs'
import { join, relative } from 'node:path'

const root = join(import.meta.dirname, '../../vectors')

/** A document and where it comes from. */
export interface Sample {
  readonly from: string
  readonly bytes: Uint8Array
}

/** Reads a vector as JSON. */
export function vector(name: string): unknown {
  return JSON.parse(readFileSync(join(root, name), 'utf8')) as unknown
}

/** Returns the files of a folder of vectors, by name. */
function filesOf(folder: string): readonly string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .toSorted()
}

/** Whether an object may be meant as a receipt. */
function isReceipt(value: object): boolean {
  return 'signature' in value || 'payload' in value || 'receipt_version' in value
}

/** Calls `visit` with every value inside of a value. */
export function walk(
  value: unknown,
  visit: (value: unknown, name: string) => void,
  name = '',
): void {
  visit(value, name)
  if (typeof value !== 'object' || value === null) return
  for (const [key, inner] of Object.entries(value)) walk(inner, visit, key)
}

/** Returns every receipt of the vectors, each text once. */
export function receipts(): readonly Sample[] {
  const found = new Map<string, Sample>()
  const keep = (from: string, bytes: Uint8Array) =>
    found.set(Buffer.from(bytes).toString('latin1'), { from, bytes })
  for (const file of filesOf('receipts')) {
    if (!file.endsWith('.json') && !file.endsWith('.jsonl')) continue
    const bytes = readFileSync(join(root, file))
    keep(file, bytes)
    for (const value of parsed(bytes)) {
      walk(value, (inner) => {
        if (typeof inner === 'string' && inner.trimStart().startsWith('{')) {
          keep(file, Buffer.from(inner))
        } else if (typeof inner === 'object' && inner !== null && isReceipt(inner)) {
          keep(file, Buffer.from(JSON.stringify(inner)))
        }
      })
    }
  }
  return [...found.values()]
}

function parsed(bytes: Uint8Array): readonly unknown[] {
  const text = Buffer.from(bytes).toString('utf8')
  try {
    return [JSON.parse(text)]
  } catch {
    return text.split('\n').flatMap((line) => {
      try {
        return [JSON.parse(line) as unknown]
      } catch {
        return []
      }
    })
  }
}

/** Returns what looks like a public key anywhere in the vectors of receipts, as hex. */
export function publicKeys(): readonly string[] {
  const found = new Set<string>()
  for (const file of filesOf('receipts')) {
    if (!file.endsWith('.json')) continue
    for (const value of parsed(readFileSync(join(root, file)))) {
      walk(value, (inner, name) => {
        if (typeof inner !== 'string' || !/pub|key|^x$/iu.test(name)) return
        if (/^[0-9a-f]{64}$/u.test(inner)) found.add(inner)
        const isJwk = name === 'x' && /^[\w-]{43}$/u.test(inner)
        if (isJwk) found.add(Buffer.from(inner, 'base64url').toString('hex'))
      })
    }
  }
  return [...found].toSorted()
}
