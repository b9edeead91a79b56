// SPDX-License-Identifier: Apache-2.0
// The lines of `ambit inspect --jsonl`: a call or a reset each.
import {
  AmbitError,
  ConfigError,
  type Inspection,
  type InspectorChain,
  canonicalize,
} from '../index.js'
import type { Line } from './lines.js'
import { oneLine } from './text.js'

/** What one line of input gives: an answer, or nothing for a reset. */
export type Answer =
  | { readonly id?: unknown; readonly inspection: Inspection; readonly error?: AmbitError }
  | undefined

/** The greatest `repeat` of one line. */
const MAX_REPEAT = 100_000

/** Answers to one line; a line that cannot be understood is denied. */
export function answerTo(chain: InspectorChain, line: Line): Answer {
  try {
    if (line === undefined) throw malformed(`the line is too long`)
    const call = callOf(JSON.parse(canonicalize(line).toString()))
    if (call === 'reset') {
      chain.resetSession()
      return undefined
    }
    const { id, tool, params, repeat } = call
    let inspection = chain.inspect(tool, params)
    for (let made = 1; made < repeat; made += 1) inspection = chain.inspect(tool, params)
    return { id, inspection }
  } catch (error) {
    if (!(error instanceof AmbitError)) throw error
    return { inspection: deniedBy(error.message), error }
  }
}

function deniedBy(message: string): Inspection {
  const finding = {
    inspector: 'chain',
    code: 'CALL_UNREADABLE',
    severity: 'deny',
    message,
  } as const
  return { verdict: 'deny', findings: [finding] }
}

const malformed = (message: string): ConfigError => new ConfigError('ERR_CONFIG_INVALID', message)

interface LineCall {
  readonly id: unknown
  readonly tool: string
  readonly params: unknown
  readonly repeat: number
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Reads what a line says. */
function callOf(value: unknown): LineCall | 'reset' {
  if (!isObject(value)) throw malformed('a line must be an object')
  const { op, id, tool, params, repeat = 1, ...rest } = value
  const [unknown] = Object.keys(rest)
  if (unknown !== undefined) throw malformed(`\`${oneLine(unknown)}\` is not a member of a line`)
  if (op !== undefined) return resetOf(value)
  if (typeof tool !== 'string') throw malformed('`tool` must be a string')
  if (params === undefined) throw malformed('`params` is missing')
  return { id, tool, params, repeat: timesOf(repeat) }
}

function resetOf(value: Readonly<Record<string, unknown>>): 'reset' {
  if (value['op'] === 'reset_session' && Object.keys(value).length === 1) return 'reset'
  throw malformed('`op` must be `reset_session`, alone')
}

function timesOf(repeat: unknown): number {
  const times = Number.isSafeInteger(repeat) ? Number(repeat) : 0
  if (times >= 1 && times <= MAX_REPEAT) return times
  throw malformed(`\`repeat\` must be an integer from 1 to ${MAX_REPEAT}`)
}
