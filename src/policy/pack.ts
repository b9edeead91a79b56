// SPDX-License-Identifier: Apache-2.0
// Tests of policies: a folder with `policy.yaml` and `cases.json`, or a folder of such folders.
import { readdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import * as z from 'zod'
import { RISK_CLASSES } from '../contract/fields.js'
import { byPlace, check, headline, placed } from '../contract/issues.js'
import { locate, positionAt } from '../contract/locate.js'
import { parseContract } from '../contract/parse.js'
import { readBounded, unreadable } from '../contract/read.js'
import type { LoadedContract } from '../contract/schema.js'
import { visible } from '../contract/visible.js'
import { PolicyError } from '../errors.js'
import { parseJson } from '../native.js'
import { coverable, usedRules } from './coverage.js'
import type { CommandFinding } from './decision.js'
import { assess } from './evaluate.js'
import { loadPolicy } from './parse.js'
import type { Policy } from './schema.js'

const LIMITS = { maxBytes: 4_194_304, maxDepth: 64 }

const CasesSchema = z
  .array(
    z.strictObject({
      desc: z.string().min(1),
      command: z.record(z.string(), z.unknown()),
      risk_class: z.enum(RISK_CLASSES).default('low'),
      approval_mode: z
        .enum(['policy_only', 'human_required', 'dual_control_required'])
        .default('policy_only'),
      mode: z.enum(['hardened', 'local']).default('hardened'),
      at: z.iso.datetime().default('2026-01-01T00:00:00Z'),
      want: z.strictObject({
        decision: z.enum(['allow', 'deny', 'needs_approval']),
        reason_codes: z.array(z.string()).min(1),
      }),
    }),
  )
  .min(1)

type PolicyCase = z.output<typeof CasesSchema>[number]

/** What a case wants, or what the policy answers. */
interface Answer {
  readonly decision: string
  readonly reason_codes: readonly string[]
}

/** One case and what became of it. */
interface CaseResult {
  readonly desc: string
  readonly ok: boolean
  readonly want: Answer
  readonly got: Answer
}

/** What the cases of a policy showed. */
export interface PolicyTest {
  readonly policy: string
  readonly cases: readonly CaseResult[]
  /** How many rules the cases can show at work. */
  readonly rules: number
  /** Rules that no case shows at work, such as `deny_argv_prefixes[2]`. */
  readonly uncovered: readonly string[]
  readonly ok: boolean
}

/** What cases are tried on. */
interface Tried {
  readonly policy: Policy
  readonly inspect: ContractInspector
}

/** The smallest contract around one command. */
function contractOf({ command, risk_class, approval_mode }: PolicyCase, name: string) {
  const who = 'policy-test'
  const text = JSON.stringify({
    version: 'ambit.contract.v1',
    contract_id: 'policy-test',
    intent: who,
    actor: { agent_id: who, session_id: who, initiating_user: who, delegation_scope: who },
    commands: [command],
    risk_class,
    approval_mode,
    justification: who,
  })
  return parseContract(Buffer.from(text), name)
}

const isSame = (want: Answer, got: Answer): boolean =>
  want.decision === got.decision && want.reason_codes.join() === got.reason_codes.join()

/** Says what inspectors find in a contract under a policy. */
export type ContractInspector = (
  contract: LoadedContract,
  policy: Policy,
) => readonly CommandFinding[]

/** Tries cases on a policy; the rules that are at work on the way are added. */
function tryCase(
  entry: PolicyCase,
  name: string,
  { policy, inspect }: Tried,
  atWork: Set<string>,
): CaseResult {
  const contract: LoadedContract = contractOf(entry, name)
  const { mode, at } = entry
  const findings = inspect(contract, policy)
  const { decision, rules } = assess(contract, policy, { mode, now: new Date(at), findings })
  for (const rule of rules) atWork.add(rule)
  if (decision.decision !== 'deny') {
    for (const rule of usedRules(contract, policy)) atWork.add(rule)
  }
  const got = { decision: decision.decision, reason_codes: decision.reason_codes }
  const want = { ...entry.want, reason_codes: entry.want.reason_codes.toSorted() }
  return { desc: entry.desc, ok: isSame(want, got), want, got }
}

/** Reads cases; what is wrong with them is said as with a policy. */
function parseCases(bytes: Uint8Array, file: string): readonly PolicyCase[] {
  const strict = parseJson(bytes, LIMITS)
  if (!strict.ok) {
    const { message, line, column, code } = strict
    const issues = [{ path: '', message: visible(message), line, column, code }]
    throw new PolicyError('ERR_POLICY_INVALID', headline(file, issues), { issues })
  }
  const document: unknown = JSON.parse(strict.canonical)
  const result = check(CasesSchema, document)
  if (result.ok) return result.value
  const source = new TextDecoder().decode(bytes)
  const issues = result.faults
    .map((fault) => placed(fault, positionAt(source, locate(source, fault.path).value)))
    .toSorted(byPlace)
  throw new PolicyError('ERR_POLICY_INVALID', headline(file, issues), { issues })
}

async function readCases(file: string): Promise<readonly PolicyCase[]> {
  let bytes: Uint8Array
  try {
    bytes = await readBounded(file, LIMITS.maxBytes)
  } catch (cause) {
    const options = unreadable('the cases', cause)
    throw new PolicyError('ERR_POLICY_UNREADABLE', headline(file, options.issues), options)
  }
  return parseCases(bytes, file)
}

/** Tries the cases that stand beside a policy. */
async function testOne(file: string, inspect: ContractInspector): Promise<PolicyTest> {
  const policy = await loadPolicy(file)
  const casesFile = join(dirname(file), 'cases.json')
  const atWork = new Set<string>()
  const cases = (await readCases(casesFile)).map((entry, index) =>
    tryCase(entry, `${casesFile} case ${index + 1}`, { policy, inspect }, atWork),
  )
  const { allowing, denying } = coverable(policy.document)
  const all = [...allowing, ...denying]
  const uncovered = all.filter((rule) => !atWork.has(rule))
  const ok = uncovered.length === 0 && cases.every((result) => result.ok)
  return { policy: file, cases, rules: all.length, uncovered, ok }
}

/** Returns the policy files that a path stands for. */
async function policiesIn(path: string): Promise<readonly string[]> {
  let entries: readonly string[]
  try {
    entries = await readdir(path)
  } catch {
    return [path]
  }
  if (entries.includes('policy.yaml')) return [join(path, 'policy.yaml')]
  const found = await Promise.all(
    entries.toSorted().map(async (entry) => {
      const inside: readonly string[] = await readdir(join(path, entry)).catch(() => [])
      return inside.includes('policy.yaml') ? [join(path, entry, 'policy.yaml')] : []
    }),
  )
  return found.flat()
}

/**
 * Tests policies with the cases that stand beside them in `cases.json`: each case must get the
 * decision and the codes that it wants, and every rule must be at work in some case.
 *
 * @param paths policy files, folders with a `policy.yaml`, or folders of such folders
 * @param inspect what looks at the contracts
 * @throws {@link PolicyError}, {@link ContractError} for documents that are not valid or not there
 */
export async function testPolicies(
  paths: readonly string[],
  inspect: ContractInspector,
): Promise<readonly PolicyTest[]> {
  const files = await Promise.all(paths.map(policiesIn))
  const nothing = paths.find((_, index) => files[index]?.length === 0)
  if (nothing !== undefined) {
    const message = `no \`policy.yaml\` in ${visible(basename(nothing))}`
    const issues = [{ path: '', message, line: 0, column: 0, code: 'UNREADABLE' }]
    throw new PolicyError('ERR_POLICY_UNREADABLE', message, { issues })
  }
  return await Promise.all(files.flat().map((file) => testOne(file, inspect)))
}
