// SPDX-License-Identifier: Apache-2.0
// Receipts of a real run: every byte of a name or a value changed to others that are legal there.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { verifyReceipt } from '../../dist/index.js'
import { commandOf, contractOf, policyOf, writeDocuments } from './support/documents.js'
import { Stage, publicKeyIn, withoutSandbox } from './support/stage.js'

let stage: Stage
let home: string
const receipts: Record<string, Buffer> = {}

interface RunDocument {
  readonly receipts: { readonly decision: string; readonly execution: string }
}

const skip = await withoutSandbox()

beforeAll(async () => {
  stage = new Stage()
  home = stage.home()
  const folder = stage.folder()
  // an id with a quotation mark, an escape and characters of two to four bytes
  const command = commandOf({ id: 'a "b" \\ \t ü ☃ 𝄞', argv: ['false'], cwd: folder })
  const files = writeDocuments(folder, contractOf([command]), policyOf(['false']))
  const receipt = join(folder, 'receipt.json')
  const argv = ['run', files.contract, files.policy, '--json', '--receipt-out', receipt]
  const { stdout } = await stage.ambit(argv, { home })
  const document = JSON.parse(stdout) as RunDocument
  receipts['csc'] = readFileSync(receipt)
  receipts['ambit:decision'] = Buffer.from(document.receipts.decision)
  receipts['ambit:execution'] = Buffer.from(document.receipts.execution)
})

afterAll(() => stage.dispose())

const [QUOTE, BACKSLASH] = [0x22, 0x5c]

/** Returns the places of all bytes inside strings (names too) and numbers. */
function placesIn(text: Buffer): number[] {
  const places: number[] = []
  let inString = false
  for (let at = 0; at < text.length; at += 1) {
    const byte = text[at] ?? 0
    if (byte === QUOTE) inString = !inString
    else if (inString || (byte >= 0x30 && byte <= 0x39)) places.push(at)
    if (inString && byte === BACKSLASH) places.push((at += 1))
  }
  return places
}

/** What stands for what: digits and letters of hex and base64, another letter, another script. */
const CANDIDATES = Buffer.from('0189abfghzABZ+/=_- ~')

/** Returns the text with one byte changed, for each change that leaves it strict JSON. */
function* changes(text: Buffer, at: number): Generator<Buffer> {
  const byte = text[at] ?? 0
  const others = byte < 0x80 ? CANDIDATES : [byte ^ 1, byte ^ 2]
  for (const other of others) {
    if (other === byte) continue
    const changed = Buffer.from(text)
    changed[at] = other
    if (isJson(changed)) yield changed
  }
}

function isJson(text: Buffer): boolean {
  try {
    JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(text))
    return true
  } catch {
    return false
  }
}

describe.skipIf(skip)('no byte can be changed in', () => {
  it.each(['csc', 'ambit:decision', 'ambit:execution'])('a receipt %s', async (name) => {
    const text = receipts[name] ?? Buffer.alloc(0)
    const keys = [{ path: publicKeyIn(home) }]
    const { status } = await verifyReceipt(text, { keys })
    expect(status).toBe('valid')
    const places = placesIn(text)
    const untouched = new Set(places)
    const passed: string[] = []
    for (const at of places) {
      for (const receipt of changes(text, at)) {
        untouched.delete(at)
        const verdict = await verifyReceipt(receipt, { keys })
        if (verdict.status === 'valid')
          passed.push(`${at}: ${receipt.toString('utf8', at - 20, at + 20)}`)
      }
    }
    expect(passed).toEqual([])
    // before a quotation mark or another backslash, a backslash has no legal other
    expect([...untouched].filter((at) => text[at] !== BACKSLASH)).toEqual([])
    expect(places.length).toBeGreaterThan(text.length / 2)
  })
})
