// SPDX-License-Identifier: Apache-2.0
// What the commands about approvals share.
import { type AmbitError, type ApprovalStanding, ConfigError } from '../index.js'
import { oneLine } from './command.js'
import { timeText } from './ledger.js'

const EXIT_FAILURE = 1
const EXIT_DENIED = 2
const EXIT_INVALID = 3
const EXIT_KEY = 5
const EXIT_UNREADABLE = 7
const EXIT_USAGE = 64

const EXIT_CODES: Readonly<Record<string, number>> = {
  ERR_APPROVAL_APPROVER: EXIT_KEY,
  ERR_APPROVAL_INVALID: EXIT_INVALID,
  ERR_APPROVAL_UNREADABLE: EXIT_UNREADABLE,
  ERR_APPROVAL_WORTHLESS: EXIT_DENIED,
  ERR_CONFIG_USAGE: EXIT_USAGE,
}

/** Returns the exit code of the commands about approvals. */
export function approvalExitCode({ code }: AmbitError): number {
  const known = EXIT_CODES[code]
  if (known !== undefined) return known
  if (code.startsWith('ERR_KEY_')) return EXIT_KEY
  return /^ERR_(?:CONTRACT|POLICY)_/.test(code) ? EXIT_INVALID : EXIT_FAILURE
}

const UNITS_MS: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

/**
 * Reads a moment: RFC 3339 with its zone, or how long from now, as in `15m`.
 *
 * @throws {@link ConfigError} `ERR_CONFIG_USAGE`
 */
export function momentOf(flag: string, text: string, now: Date): Date {
  const { count, unit = '' } = /^(?<count>[1-9]\d{0,5})(?<unit>[smhd])$/u.exec(text)?.groups ?? {}
  if (count !== undefined) return new Date(now.getTime() + Number(count) * (UNITS_MS[unit] ?? 0))
  const isMoment = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/u.test(text)
  const time = isMoment && isDay(text.slice(0, 10)) ? new Date(text) : new Date(Number.NaN)
  if (!Number.isNaN(time.getTime())) return time
  const message = `${flag} takes a time such as 2026-11-20T09:00:00Z, or 15m for a quarter of an hour`
  throw new ConfigError('ERR_CONFIG_USAGE', message)
}

/** Says whether a month has this day: `Date` makes 2 March of 30 February. */
function isDay(date: string): boolean {
  const day = new Date(`${date}T00:00:00Z`)
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(date)
}

/** Returns what JSON says of an approval and where it stands. */
export function standingDocument({ approval, ...standing }: ApprovalStanding): object {
  if (approval === undefined) return standing
  const { version: format, id, keyId, hash, document } = approval
  return { ...standing, format, approval_id: id, approver_key_id: keyId, hash, document }
}

/** Returns one line about an approval. */
export function standingWords({ path, state, approval, used_by, error }: ApprovalStanding): string {
  if (approval === undefined) return oneLine(`${state.padEnd(10)} ${path}  ${error?.code ?? ''}`)
  const { id, keyId, scope, expiresAt } = approval
  const by = used_by === null || used_by === undefined ? '' : `  used by entry ${used_by}`
  return oneLine(`${state.padEnd(10)} ${id}  ${scope}  until ${timeText(expiresAt)}  ${keyId}${by}`)
}
