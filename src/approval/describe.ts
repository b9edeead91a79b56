// SPDX-License-Identifier: Apache-2.0
import { type Command, type LoadedContract, argvVectors, visible } from '../contract/index.js'

/** Writes an argument so that its ends can be seen. */
const word = (text: string): string =>
  /^[\w@%+=:,./-]+$/u.test(text) ? text : JSON.stringify(text)

const words = (texts: readonly string[]): string => texts.map(word).join(' ')

const scopeWords = (paths: readonly string[]): string =>
  paths.length > 0 ? words(paths) : 'nothing'

function describeCommand(command: Command): readonly string[] {
  const line = argvVectors(command).map(words).join(' | ')
  const { id: _id, exec: _exec, pipeline: _pipeline, ...rest } = command
  const {
    cwd,
    read_paths: reads,
    write_paths: writes,
    network,
    timeout_sec: timeout,
    ...more
  } = rest
  return [
    `$ ${line}`,
    `    in ${word(cwd)}, at most ${timeout} s, network ${network}`,
    `    reads ${scopeWords(reads)}`,
    `    writes ${scopeWords(writes)}`,
    // what is not named above is shown too, whatever it is
    `    ${JSON.stringify(more)}`,
  ]
}

/**
 * Says what a contract asks for, in lines for whoever is to approve it. Nothing is left out or cut:
 * what is not shown could not be judged. Every character that a terminal could act on is escaped.
 */
export function describeContract(contract: LoadedContract): readonly string[] {
  const { actor, contract_id: id, intent, justification, risk_class: risk } = contract
  const head = [
    `contract ${id}  risk ${risk}  sha256:${contract.hash}`,
    `asked by ${actor.agent_id} for ${actor.initiating_user}`,
    `intent: ${intent}`,
    `because: ${justification}`,
  ]
  return [...head, ...contract.commands.flatMap(describeCommand)].map(visible)
}
