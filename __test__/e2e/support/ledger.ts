// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { verifyReceipt } from '../../../dist/index.js'
import addon from '../../../index.js'

/** An entry of a ledger, as it lies there. */
export interface Entry {
  readonly seq: string
  readonly phase: string
  readonly run_id: string
  readonly digest: string
  /** The exact text that was signed. */
  readonly document: string
  readonly payload: Readonly<Record<string, unknown>>
}

const MOST = 1000

/** Reads all entries of the ledger of a home; of another user's in a copy, which is then ours. */
export function entriesIn(home: string): Entry[] {
  const folder = join(home, 'ledger')
  if (statSync(folder).uid === process.getuid?.()) return read(folder)
  const copy = mkdtempSync(join(tmpdir(), 'ambit-ledger-'))
  try {
    execFileSync('cp', ['-r', folder, copy])
    return read(join(copy, 'ledger'))
  } finally {
    rmSync(copy, { recursive: true })
  }
}

function read(folder: string): Entry[] {
  const ledger = new addon.LedgerHandle()
  const opened = ledger.open(folder)
  if (opened.kind === 'err') throw new Error(opened.code)
  const answer = ledger.entries(1, MOST)
  ledger.close()
  if (answer.kind === 'err') throw new Error(answer.code)
  const entries = JSON.parse(answer.value) as Omit<Entry, 'payload'>[]
  return entries.map((entry) => Object.assign(entry, payloadOf(entry.document)))
}

function payloadOf(document: string): Pick<Entry, 'payload'> {
  const { payload } = JSON.parse(document) as Pick<Entry, 'payload'>
  return { payload }
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

/** Returns what is wrong with a chain of entries: numbers, links, digests, signatures. */
export async function faultsOf(entries: readonly Entry[], publicKey: string): Promise<string[]> {
  const faults: string[] = []
  for (const [index, { seq, digest, document, payload }] of entries.entries()) {
    const before = entries[index - 1]
    const link = before === undefined ? undefined : `sha256:${sha256(before.document)}`
    if (Number(seq) !== index + 1 || payload['seq'] !== index + 1) faults.push(`${index}: seq`)
    if (payload['previousReceiptHash'] !== link) faults.push(`${index}: previousReceiptHash`)
    if (digest !== sha256(document)) faults.push(`${index}: digest`)
    const receipt = Buffer.from(document)
    const { status, code } = await verifyReceipt(receipt, { keys: [{ path: publicKey }] })
    if (status !== 'valid') faults.push(`${index}: ${code}`)
  }
  return faults
}

/** Returns what the entries say, in short: kind of entry and status or decision. */
export const summary = (entries: readonly Entry[]): string[] =>
  entries.map(({ phase, payload }) => {
    const said = payload['status'] ?? payload['decision']
    return `${phase} ${typeof said === 'string' ? said : ''}`
  })
