// SPDX-License-Identifier: Apache-2.0
export { contractHash, loadContract, parseContract, printContract } from './parse.js'
export { argvVectors, type Command, type Contract, type LoadedContract } from './schema.js'
export { shorten, visible } from './visible.js'
export { unsupportedFields } from './unsupported.js'
