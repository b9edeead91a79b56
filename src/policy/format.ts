// SPDX-License-Identifier: Apache-2.0
import { isScalar, parseDocument, visit } from 'yaml'
import { InternalError } from '../errors.js'
import { parsePolicy } from './parse.js'
import { yaml11Differs } from './yaml11.js'

const WIDTH = 100

/**
 * Writes a policy in one way: two spaces, lines of 100; comments, order and quotes as they are. Text that YAML 1.1 would read as something else gets quotes. The rules stay what they
 * were: the digest is compared.
 *
 * @param bytes the document
 * @param sourceName what errors call the document
 * @throws {@link PolicyError} for a document that is not valid
 */
export function formatPolicy(bytes: Uint8Array, sourceName: string): string {
  const before = parsePolicy(bytes, sourceName)
  const source = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  const document = parseDocument(source, { version: '1.2', schema: 'core', merge: false })
  visit(document, {
    Scalar(_, node) {
      if (node.type !== 'PLAIN' || !isScalar(node)) return
      if (typeof node.value === 'number') delete node.source
      const differs = yaml11Differs(node.source ?? '', node.value) !== undefined
      if (typeof node.value === 'string' && differs) node.type = 'QUOTE_SINGLE'
    },
  })
  const text = document.toString({
    lineWidth: WIDTH,
    singleQuote: true,
    flowCollectionPadding: false,
  })
  const after = parsePolicy(Buffer.from(text), sourceName)
  if (after.hash !== before.hash) throw new InternalError('formatting would change the policy')
  return text
}
