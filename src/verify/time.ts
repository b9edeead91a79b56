// SPDX-License-Identifier: Apache-2.0
// RFC 3339 times, checked and compared.

/** A point in time, exact to whatever digit it was given. */
export interface Instant {
  /** Seconds since 1970-01-01T00:00:00Z, without leap seconds. */
  readonly seconds: number
  /** Decimals of a second without trailing zeros, so that they compare as text. */
  readonly fraction: string
}

/** The parts of a time, each within its bounds. */
interface Fields {
  readonly year: number
  readonly month: number
  readonly day: number
  readonly hour: number
  readonly minute: number
  readonly second: number
  readonly fraction: string
  /** Minutes that the zone is ahead of UTC. */
  readonly offset: number
}

/**
 * Whether a text is an RFC 3339 date and time with its zone. Seconds may be 60 (a leap second); `t`
 * and `z` may be lower-case (section 5.6).
 */
export function isDateTime(text: string): boolean {
  return new Reader(text).dateTime() !== undefined
}

/** Reads a time. A leap second is a time, but none that can be placed among others. */
export function parseInstant(text: string): Instant | undefined {
  const fields = new Reader(text).dateTime()
  if (fields === undefined || fields.second === 60) return undefined
  const days = daysBefore(fields.year, fields.month) + fields.day
  const minutes = (days * 24 + fields.hour) * 60 + fields.minute - fields.offset
  let end = fields.fraction.length
  while (fields.fraction.charAt(end - 1) === '0') end -= 1
  return { seconds: minutes * 60 + fields.second, fraction: fields.fraction.slice(0, end) }
}

/** Returns microseconds since 1970-01-01T00:00:00Z, rounded down. */
export function microsOf({ seconds, fraction }: Instant): bigint {
  return BigInt(seconds) * 1_000_000n + BigInt(fraction.slice(0, 6).padEnd(6, '0'))
}

/** Whether one time is before another. */
export function isBefore(a: Instant, b: Instant): boolean {
  return a.seconds === b.seconds ? a.fraction < b.fraction : a.seconds < b.seconds
}

class Reader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  dateTime(): Fields | undefined {
    const date = this.#date()
    if (date === undefined || !this.#sign('T', 't')) return undefined
    const time = this.#time()
    if (time === undefined) return undefined
    const fraction = this.#fraction()
    const offset = this.#offset()
    if (fraction === undefined || offset === undefined) return undefined
    return this.#at === this.#text.length ? { ...date, ...time, fraction, offset } : undefined
  }

  #date(): Pick<Fields, 'day' | 'month' | 'year'> | undefined {
    const year = this.#number(4, 0, 9999)
    if (year === undefined || !this.#sign('-')) return undefined
    const month = this.#number(2, 1, 12)
    if (month === undefined || !this.#sign('-')) return undefined
    const day = this.#number(2, 1, daysOf(year, month))
    return day === undefined ? undefined : { year, month, day }
  }

  #time(): Pick<Fields, 'hour' | 'minute' | 'second'> | undefined {
    const hour = this.#number(2, 0, 23)
    if (hour === undefined || !this.#sign(':')) return undefined
    const minute = this.#number(2, 0, 59)
    if (minute === undefined || !this.#sign(':')) return undefined
    const second = this.#number(2, 0, 60)
    return second === undefined ? undefined : { hour, minute, second }
  }

  /** Reads the decimals after a point; none without one. */
  #fraction(): string | undefined {
    if (!this.#sign('.')) return ''
    const start = this.#at
    while (this.#number(1, 0, 9) !== undefined);
    return this.#at === start ? undefined : this.#text.slice(start, this.#at)
  }

  /** Reads the zone: minutes ahead of UTC. */
  #offset(): number | undefined {
    if (this.#sign('Z', 'z')) return 0
    const ahead = this.#sign('+')
    if (!ahead && !this.#sign('-')) return undefined
    const hours = this.#number(2, 0, 23)
    if (hours === undefined || !this.#sign(':')) return undefined
    const minutes = this.#number(2, 0, 59)
    if (minutes === undefined) return undefined
    return ahead ? hours * 60 + minutes : -(hours * 60 + minutes)
  }

  #sign(...expected: readonly string[]): boolean {
    if (!expected.includes(this.#text.charAt(this.#at))) return false
    this.#at += 1
    return true
  }

  /** Reads `digits` digits whose value is within the bounds. */
  #number(digits: number, min: number, max: number): number | undefined {
    let value = 0
    for (let index = 0; index < digits; index += 1) {
      // past the end this is not a number, and within no bounds
      const digit = this.#text.charCodeAt(this.#at + index) - 0x30
      if (!(digit >= 0 && digit <= 9)) return undefined
      value = value * 10 + digit
    }
    if (value < min || value > max) return undefined
    this.#at += digits
    return value
  }
}

/** Days from 1970-01-01 to the day before the month's first (proleptic Gregorian calendar). */
function daysBefore(year: number, month: number): number {
  const before = year - 1
  const leapDays = Math.floor(before / 4) - Math.floor(before / 100) + Math.floor(before / 400)
  // 719,162 days come before 1970-01-01
  let days = before * 365 + leapDays - 719_162
  for (let past = 1; past < month; past += 1) days += daysOf(year, past)
  return days - 1
}

function daysOf(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
  return [4, 6, 9, 11].includes(month) ? 30 : 31
}
