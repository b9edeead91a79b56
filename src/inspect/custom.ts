// SPDX-License-Identifier: Apache-2.0
// Inspectors written in JavaScript: what they answer is checked, and what they fail at is a finding.
import type {
  CustomFinding,
  CustomFindings,
  CustomInspector,
  FindingSpan,
  InspectorFinding,
  InspectorMemory,
  OnFailure,
  ToolCall,
  WaitingInspector,
} from './types.js'

/** How long an inspector may wait unless it says otherwise, milliseconds. */
const DEFAULT_TIMEOUT_MS = 10_000

/** Returns what stands for a failure: what an inspector threw may hold secrets, and is not shown. */
function failed(name: string, code: string, message: string, on: OnFailure): InspectorFinding {
  return { inspector: name, code, severity: on === 'fail-open' ? 'warn' : 'deny', message }
}

function isList(found: unknown): found is readonly unknown[] {
  return Array.isArray(found)
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 0
}

function isSpan(value: unknown): value is FindingSpan {
  if (!isObject(value)) return false
  return typeof value['pointer'] === 'string' && isCount(value['start']) && isCount(value['end'])
}

function isFinding(value: unknown): value is CustomFinding {
  if (!isObject(value)) return false
  const { message, code, severity, span } = value
  return (
    typeof message === 'string' &&
    (code === undefined || (typeof code === 'string' && /^[A-Z][A-Z0-9_]{0,63}$/.test(code))) &&
    (severity === undefined || severity === 'deny' || severity === 'warn') &&
    (span === undefined || isSpan(span))
  )
}

/** Turns an answer into findings; undefined where it is none. */
function findingsOf(name: string, answer: unknown): readonly InspectorFinding[] | undefined {
  if (answer === undefined || answer === null) return []
  const list = isList(answer) ? answer : [answer]
  if (!list.every(isFinding)) return undefined
  return list.map((found) => named(name, found))
}

function named(name: string, found: CustomFinding): InspectorFinding {
  const { message, code = 'CUSTOM', severity = 'deny', span } = found
  const finding = { inspector: name, code, severity, message }
  if (span === undefined) return finding
  const { pointer, start, end } = span
  return { ...finding, span: { pointer, start, end } }
}

function checked(name: string, answer: unknown, on: OnFailure): readonly InspectorFinding[] {
  const findings = findingsOf(name, answer)
  if (findings !== undefined) return findings
  return [failed(name, 'INSPECTOR_FAILED', 'the inspector answered with what is no finding', on)]
}

/** Asks an inspector that answers at once. */
export function ask(
  inspector: CustomInspector,
  call: ToolCall,
  memory: InspectorMemory,
  chosen: OnFailure,
): readonly InspectorFinding[] {
  const { name, onFailure = chosen } = inspector
  try {
    return checked(name, inspector.inspect(call, memory), onFailure)
  } catch {
    return [failed(name, 'INSPECTOR_FAILED', 'the inspector failed', onFailure)]
  }
}

/** What stands for an answer that did not come in time. */
const LATE = Symbol('late')

/** Asks an inspector that waits, for as long as it may take. */
export async function askWaiting(
  inspector: WaitingInspector,
  call: ToolCall,
  memory: InspectorMemory,
  chosen: OnFailure,
): Promise<readonly InspectorFinding[]> {
  const { name, onFailure = chosen, timeoutMs = DEFAULT_TIMEOUT_MS } = inspector
  const aborter = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<typeof LATE>((resolve) => {
    timer = setTimeout(() => resolve(LATE), timeoutMs)
  })
  try {
    const asked: Promise<CustomFindings> = inspector.inspectAsync(call, memory, aborter.signal)
    const answer = await Promise.race([asked, late])
    if (answer !== LATE) return checked(name, answer, onFailure)
    aborter.abort()
    const message = `the inspector did not answer within ${timeoutMs} ms`
    return [failed(name, 'INSPECTOR_TIMEOUT', message, onFailure)]
  } catch {
    return [failed(name, 'INSPECTOR_FAILED', 'the inspector failed', onFailure)]
  } finally {
    clearTimeout(timer)
  }
}
