// SPDX-License-Identifier: Apache-2.0
import { ContractError, type DocumentIssue } from '../errors.js'
import { canonicalize, parseJson, sha256Hex } from '../native.js'
import { byPlace, check, headline, placed, type SchemaFault } from './issues.js'
import { locate, positionAt } from './locate.js'
import { readBounded, unreadable } from './read.js'
import { CONTRACT_LIMITS } from './command.js'
import { type Contract, contractSchemaOf, type LoadedContract } from './schema.js'
import { visible } from './visible.js'

/** Throws what is wrong with a contract. */
function refuse(sourceName: string, issues: readonly DocumentIssue[]): never {
  throw new ContractError('ERR_CONTRACT_INVALID', headline(sourceName, issues), { issues })
}

/** Gives every fault its place in the text; only the error path pays for this. */
function locateFaults(bytes: Uint8Array, faults: readonly SchemaFault[]): DocumentIssue[] {
  const source = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  return faults
    .map((fault) => {
      const offset = locate(source, fault.path)
      return placed(fault, positionAt(source, fault.atName ? offset.name : offset.value))
    })
    .toSorted(byPlace)
}

/** Returns the members of a contract, in one order and without anything that was added to it. */
function documentOf(contract: Contract): Contract {
  const { version, contract_id, intent, actor, commands } = contract
  const { risk_class, approval_mode, expected_outputs, justification } = contract
  const identity = { version, contract_id, intent, actor }
  return {
    ...identity,
    commands,
    risk_class,
    approval_mode,
    expected_outputs,
    justification,
  }
}

/**
 * Returns the digest of a contract as csc-runner computes it: SHA-256 of its canonical JSON
 * (RFC 8785), with `expected_outputs` present as `[]` where it was left out.
 *
 * @param contract a contract that was parsed
 * @returns 64 lower-case hex digits
 */
export function contractHash(contract: Contract): string {
  return sha256Hex(Buffer.from(canonicalize(printContract(contract))))
}

/**
 * Writes a contract as JSON text that {@link parseContract} reads back unchanged.
 *
 * @param contract a contract that was parsed
 */
export function printContract(contract: Contract): string {
  return JSON.stringify(documentOf(contract))
}

/**
 * Reads a contract, `csc.v0.1` or `ambit.contract.v1`. Strict: duplicate or unknown members, lone surrogates, U+0000,
 * duplicate command ids and everything that the published schema refuses are refused, and nothing
 * is coerced. `10.0` is the integer 10, as in JSON Schema and in the recorded digests.
 *
 * @param bytes the document; UTF-8 without a byte order mark, at most 1 MiB
 * @param sourceName what errors call the document, usually its file
 * @throws {@link ContractError} `ERR_CONTRACT_INVALID` with every fault and its place
 */
export function parseContract(bytes: Uint8Array, sourceName: string): LoadedContract {
  const { maxBytes, maxDepth } = CONTRACT_LIMITS
  const strict = parseJson(bytes, { maxBytes, maxDepth })
  if (!strict.ok) {
    const { message, line, column, code } = strict
    return refuse(sourceName, [{ path: '', message: visible(message), line, column, code }])
  }
  const document: unknown = JSON.parse(strict.canonical)
  const result = check(contractSchemaOf(document), document)
  if (!result.ok) return refuse(sourceName, locateFaults(bytes, result.faults))
  const contract: Contract = result.value
  return { ...documentOf(contract), hash: contractHash(contract) }
}

/**
 * Reads a contract from a file.
 *
 * @param path of the file; errors call it by this name
 * @throws {@link ContractError} `ERR_CONTRACT_UNREADABLE`, or `ERR_CONTRACT_INVALID`
 */
export async function loadContract(path: string): Promise<LoadedContract> {
  return parseContract(await readContract(path), path)
}

async function readContract(path: string): Promise<Uint8Array> {
  try {
    return await readBounded(path, CONTRACT_LIMITS.maxBytes)
  } catch (cause) {
    const options = unreadable('the contract', cause)
    throw new ContractError('ERR_CONTRACT_UNREADABLE', headline(path, options.issues), options)
  }
}
