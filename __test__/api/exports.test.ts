// SPDX-License-Identifier: Apache-2.0
// The names of the package: one that is added, renamed or removed is seen here.
import { expect, it } from 'vitest'
import * as ambit from '../../dist/index.js'

it('exports these names and no others', () => {
  expect(Object.keys(ambit).toSorted()).toEqual([
    'AmbitError',
    'ConfigError',
    'ContractError',
    'ERROR_CODES',
    'InternalError',
    'JsonError',
    'KeyError',
    'LedgerError',
    'PolicyError',
    'REASON_CODES',
    'ReceiptError',
    'SCHEMA_NAMES',
    'SandboxError',
    'Signer',
    'VERSION',
    'canonicalize',
    'check',
    'checkPolicyBundle',
    'compiledPolicyDigest',
    'contractHash',
    'describePublicKey',
    'evaluate',
    'explain',
    'exportReceipt',
    'findHome',
    'generateKey',
    'importReceipt',
    'jsonSchema',
    'loadContract',
    'loadPolicy',
    'parseContract',
    'parsePolicy',
    'policyBundle',
    'policyDigest',
    'printContract',
    'probe',
    'run',
    'sha256',
    'signReceipt',
    'verify',
  ])
})
