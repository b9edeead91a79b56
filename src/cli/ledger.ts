// SPDX-License-Identifier: Apache-2.0
import { Flags } from '@oclif/core'
import {
  type AmbitError,
  ConfigError,
  Ledger,
  type LedgerEntry,
  type LedgerFilter,
  findHome,
} from '../index.js'
import { AmbitCommand, oneLine } from './command.js'

const EXIT_FAILED = 1
const EXIT_MISSING = 7
const EXIT_USAGE = 64
/** Failures that say that there is nothing here to read. */
const MISSING: ReadonlySet<string> = new Set([
  'ERR_LEDGER_ENTRY_UNKNOWN',
  'ERR_LEDGER_FOREIGN',
  'ERR_LEDGER_UNAVAILABLE',
  'ERR_LEDGER_VERSION',
])

/** What the exit codes of commands about a ledger mean, for their descriptions. */
export const LEDGER_EXITS =
  'exit codes: 0 done, 1 failed or damaged, 7 missing or unreadable, 64 wrong usage'

/** What commands about a ledger share. */
export abstract class LedgerCommand extends AmbitCommand {
  static readonly place = {
    ledger: Flags.string({
      description: 'folder of the ledger; else that of $AMBIT_HOME',
      helpValue: 'FOLDER',
    }),
  }

  /** Conditions that entries must meet. */
  static readonly conditions = {
    since: Flags.string({
      description: 'made at this time or later: RFC 3339, or 90s, 30m, 12h, 7d ago',
      helpValue: 'TIME',
    }),
    until: Flags.string({ description: 'made before this time', helpValue: 'TIME' }),
    decision: Flags.string({ description: 'decision of the payload', helpValue: 'WORD' }),
    agent: Flags.string({ description: 'agent that the payload names', helpValue: 'ID' }),
    session: Flags.string({ description: 'session that the payload names', helpValue: 'ID' }),
    code: Flags.string({ description: 'reason or error code', helpValue: 'CODE' }),
    run: Flags.string({ description: 'run', helpValue: 'ID' }),
  }

  protected exitCodeFor(error: AmbitError): number {
    if (error.code.startsWith('ERR_CONFIG_') || error.code === 'ERR_LEDGER_RUN_ID')
      return EXIT_USAGE
    return MISSING.has(error.code) ? EXIT_MISSING : EXIT_FAILED
  }

  /** Returns the folder of the ledger. */
  protected folderOf(flags: { ledger?: string | undefined }): string {
    return flags.ledger ?? findHome(process.env).ledger
  }

  /** Opens the ledger for reading only. */
  protected reading(flags: { ledger?: string | undefined }): Ledger {
    return new Ledger(this.folderOf(flags), { readOnly: true })
  }
}

interface Conditions {
  readonly since?: string | undefined
  readonly until?: string | undefined
  readonly decision?: string | undefined
  readonly agent?: string | undefined
  readonly session?: string | undefined
  readonly code?: string | undefined
  readonly run?: string | undefined
}

/** Returns the filter that the flags ask for. */
export function filterOf(flags: Conditions, now: number): LedgerFilter {
  const { since, until, decision, agent, session, code, run } = flags
  return {
    sinceMs: since === undefined ? undefined : timeOf('--since', since, now),
    untilMs: until === undefined ? undefined : timeOf('--until', until, now),
    decision,
    agent,
    session,
    code,
    runId: run,
  }
}

const UNITS_MS: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}
const AGO = /^(?<count>\d{1,9})(?<unit>[smhd])$/u
const DATE = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d))?$/u

/** Whether the text has the form of a date, and its month that day: 02-31 would be taken for 03-03. */
function isDate(text: string): boolean {
  const day = DATE.test(text) ? text.slice(0, 10) : ''
  const time = Date.parse(day)
  return Number.isFinite(time) && new Date(time).toISOString().startsWith(day)
}

/** Reads a time: RFC 3339, a date (UTC), or how long ago. */
function timeOf(flag: string, text: string, now: number): number {
  const { count, unit = '' } = AGO.exec(text)?.groups ?? {}
  const time = count === undefined ? Date.parse(text) : now - Number(count) * (UNITS_MS[unit] ?? 0)
  if ((count !== undefined || isDate(text)) && Number.isFinite(time)) return time
  throw new ConfigError(
    'ERR_CONFIG_USAGE',
    `${flag} takes a time such as 2026-11-20T09:00:00Z, or 12h for twelve hours ago`,
  )
}

/** Writes a time for people; what no date can say stays a number. */
export function timeText(ms: number): string {
  const date = new Date(ms)
  return Number.isNaN(date.getTime()) ? String(ms) : date.toISOString()
}

/** Returns a member of the signed payload, if it is a text. */
export function payloadOf(entry: LedgerEntry): Readonly<Record<string, unknown>> {
  try {
    const document: unknown = JSON.parse(entry.document)
    return membersOf(membersOf(document)['payload'])
  } catch {
    return {} // not JSON: nothing is known of it
  }
}

function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}

const SEQ_WIDTH = 8
const WORD_WIDTH = 15

/** The head of the table that {@link rowOf} fills. */
export const TABLE_HEAD = `${'seq'.padStart(SEQ_WIDTH)}  ${'made'.padEnd(24)}  ${'phase'.padEnd(7)}  ${'said'.padEnd(WORD_WIDTH)}  run, codes`

/** Returns one line for an entry. */
export function rowOf(entry: LedgerEntry): string {
  const payload = payloadOf(entry)
  const said = textIn(payload['decision']) ?? textIn(payload['status']) ?? '-'
  const cells = [
    entry.seq.padStart(SEQ_WIDTH),
    timeText(entry.created_at_ms).padEnd(24),
    entry.phase.padEnd(7),
    oneLine(said).padEnd(WORD_WIDTH),
    oneLine([entry.run_id, ...codesIn(payload)].join('  ')),
  ]
  return cells.join('  ')
}

function textIn(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function codesIn(payload: Readonly<Record<string, unknown>>): string[] {
  const listed: unknown = payload['reason_codes']
  const codes: readonly unknown[] = Array.isArray(listed) ? listed : []
  const error = membersOf(payload['error'])['code']
  return codes.concat(error).filter((code) => typeof code === 'string')
}
