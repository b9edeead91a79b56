// SPDX-License-Identifier: Apache-2.0
// A classifier of the host, such as a model, that is asked about every call.
import { readFile, stat } from 'node:fs/promises'
import { ConfigError, InspectError } from '../errors.js'
import type { CustomFinding, OnFailure, ToolCall, WaitingInspector } from './types.js'

/** What a classifier says of a call. */
export type AdversaryVerdict =
  { readonly verdict: 'allow' } | { readonly verdict: 'deny' | 'warn'; readonly reason: string }

/** Options of {@link adversary}. */
export interface AdversaryOptions {
  /** What the classifier is to look for, in words. */
  readonly rules: string
  /** Says what it thinks of a call. The signal is aborted when it has taken too long. */
  readonly classify: (
    call: ToolCall,
    rules: string,
    signal: AbortSignal,
  ) => AdversaryVerdict | Promise<AdversaryVerdict>
  /** What follows when it fails, answers with anything else or takes too long. */
  readonly onFailure: OnFailure
  /** How long it may take, milliseconds; 10,000 unless given. */
  readonly timeoutMs?: number
  /**
   * What blank rules mean: an error, or that nothing is asked. An error unless given: rules that
   * were lost must not switch the classifier off unseen.
   */
  readonly blankRules?: 'allow' | 'error'
}

/** The largest file of rules, bytes. */
const MAX_BYTES = 1 << 20

/**
 * Asks a classifier of yours about every call. Its answer can deny; it never allows what another
 * inspector denies.
 *
 * @throws {@link InspectError} `ERR_INSPECT_RULES_EMPTY` for blank rules
 */
export function adversary(options: AdversaryOptions): WaitingInspector {
  const { rules, classify, onFailure, timeoutMs, blankRules = 'error' } = options
  const choice: unknown = onFailure
  if (choice !== 'fail-closed' && choice !== 'fail-open') {
    const message = 'onFailure must be `fail-closed` or `fail-open`'
    throw new ConfigError('ERR_CONFIG_INVALID', message)
  }
  const blank = rules.trim() === ''
  if (blank && blankRules === 'error') {
    throw new InspectError('ERR_INSPECT_RULES_EMPTY', 'the rules of the classifier are blank')
  }
  return {
    name: 'adversary',
    onFailure,
    ...(timeoutMs !== undefined && { timeoutMs }),
    inspectAsync: async (call, _memory, signal) =>
      blank ? undefined : findingOf(await classify(call, rules, signal)),
  }
}

function findingOf(answer: AdversaryVerdict): CustomFinding | undefined {
  if (answer.verdict === 'allow') return undefined
  const { verdict, reason }: { verdict: unknown; reason: unknown } = answer
  if ((verdict !== 'deny' && verdict !== 'warn') || typeof reason !== 'string') {
    throw new TypeError('not a verdict')
  }
  return { code: 'ADVERSARY', severity: verdict, message: reason }
}

/**
 * Reads the rules of a classifier from a file of UTF-8, at most 1 MiB.
 *
 * @throws {@link InspectError} `ERR_INSPECT_RULES_MISSING` where there is no file,
 *   `ERR_INSPECT_RULES_UNREADABLE` where it cannot be read, `ERR_INSPECT_RULES_EMPTY` where nothing
 *   is in it
 */
export async function loadAdversaryRules(path: string): Promise<string> {
  const rules = await readRules(path)
  if (rules.trim() !== '') return rules
  throw new InspectError('ERR_INSPECT_RULES_EMPTY', `\`${path}\` holds no rules`)
}

async function readRules(path: string): Promise<string> {
  try {
    const found = await stat(path)
    if (!found.isFile() || found.size > MAX_BYTES) throw new RangeError('no file, or too large')
    return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(path))
  } catch (cause) {
    const isMissing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT'
    if (isMissing) {
      throw new InspectError('ERR_INSPECT_RULES_MISSING', `there is no \`${path}\``, { cause })
    }
    const message = `\`${path}\` cannot be read as UTF-8 of at most 1 MiB`
    throw new InspectError('ERR_INSPECT_RULES_UNREADABLE', message, { cause })
  }
}
