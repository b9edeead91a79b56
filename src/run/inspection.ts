// SPDX-License-Identifier: Apache-2.0
// The inspector chain on the commands of a contract: a function of the contract and the policy alone,
// so that `check` and `run` find the same.
import { type Command, type LoadedContract, argvVectors } from '../contract/index.js'
import { InspectorChain, egress } from '../inspect/index.js'
import {
  type CommandFinding,
  type Policy,
  type PolicyTest,
  testPolicies as testWith,
} from '../policy/index.js'

/** The inspectors of a policy of ours that names none. */
const BY_DEFAULT = ['egress', 'repetition'] as const

/** The longest message of a finding in a decision, UTF-16 units. */
const MAX_MESSAGE = 300

const chains = new WeakMap<Policy, InspectorChain>()

/**
 * Returns what the inspectors of a policy find in the commands of a contract, in order. A policy of
 * csc's names none, and is decided as csc-runner does.
 */
export function inspectContract(
  contract: LoadedContract,
  policy: Policy,
): readonly CommandFinding[] {
  const names = namesOf(policy)
  if (names.length === 0) return []
  const session = chainOf(policy, names).session()
  return contract.commands.flatMap((command) =>
    session
      .inspect('shell', paramsOf(command))
      .findings.map(({ inspector, code, severity, message }): CommandFinding => ({
        command_id: command.id,
        inspector,
        code,
        severity,
        message: message.slice(0, MAX_MESSAGE).toWellFormed(),
      })),
  )
}

/**
 * Tests policies with the cases that stand beside them in `cases.json`: each case must get the
 * decision and the codes that it wants, and every rule must be at work in some case.
 *
 * @param paths policy files, folders with a `policy.yaml`, or folders of such folders
 * @throws {@link PolicyError}, {@link ContractError} for documents that are not valid or not there
 */
export async function testPolicies(paths: readonly string[]): Promise<readonly PolicyTest[]> {
  return await testWith(paths, inspectContract)
}

type Names = NonNullable<Policy['document']['inspectors']>

function namesOf({ document }: Policy): Names {
  if (document.policy_schema_version !== 'ambit.policy.v1') return []
  return document.inspectors ?? BY_DEFAULT
}

function chainOf(policy: Policy, names: Names): InspectorChain {
  const known = chains.get(policy)
  if (known !== undefined) return known
  const { egress: rules, hosts } = policy.rules
  const extraHosts = [
    ...hosts,
    ...rules.map(({ host, port, below }) => `${below ? '*.' : ''}${host}:${port}`),
  ]
  const inspectors = names.map((name) => (name === 'egress' ? egress({ extraHosts }) : name))
  const chain = new InspectorChain(inspectors, { collect: true })
  chains.set(policy, chain)
  return chain
}

/** A command as a call of a shell: an argv, or a pipeline of argvs, whose data flows on. */
function paramsOf(command: Command): object {
  const { stdin } = command
  const [first, ...more] = argvVectors(command)
  const argvs = [first ?? [], ...more]
  return {
    command:
      more.length === 0 ? first : argvs.map((argv) => argv.map(quoted).join(' ')).join(' | '),
    cwd: command.cwd,
    ...(stdin?.text !== undefined && { stdin: stdin.text }),
  }
}

/** Writes a word so that a shell reads it as it is. */
function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`
}
