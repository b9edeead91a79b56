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
    'KeyError',
    'LedgerError',
    'PolicyError',
    'REASON_CODES',
    'ReceiptError',
    'SCHEMA_NAMES',
    'SandboxError',
    'VERSION',
    'check',
    'contractHash',
    'describePublicKey',
    'evaluate',
    'explain',
    'findHome',
    'generateKey',
    'jsonSchema',
    'loadContract',
    'loadPolicy',
    'parseContract',
    'parsePolicy',
    'printContract',
    'probe',
    'run',
    'verify',
  ])
})
