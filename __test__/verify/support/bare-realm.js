// SPDX-License-Identifier: Apache-2.0
// Loads dist/verify/index.js where there is nothing of Node: a realm with ECMAScript, WebCrypto and
// the text encodings alone. Verifies what standard input says and prints the verdicts.
//
// node --experimental-vm-modules bare-realm.js < {"keys": [hex…], "documents": [text…]}
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { SourceTextModule, createContext } from 'node:vm'

const { TextDecoder, TextEncoder, crypto } = globalThis
const realm = createContext({ TextDecoder, TextEncoder, crypto })
const modules = new Map()

function load(path) {
  const known = modules.get(path)
  if (known) return known
  const loaded = new SourceTextModule(readFileSync(path, 'utf8'), {
    context: realm,
    identifier: path,
  })
  modules.set(path, loaded)
  return loaded
}

function link(specifier, from) {
  if (!specifier.startsWith('.')) throw new Error(`${from.identifier} imports ${specifier}`)
  return load(join(dirname(from.identifier), specifier))
}

const index = load(join(import.meta.dirname, '../../../dist/verify/index.js'))
await index.link(link)
await index.evaluate()
const { KeySet, verifyReceipt } = index.namespace

const { keys, documents } = JSON.parse(readFileSync(0, 'utf8'))
const set = new KeySet()
for (const key of keys) await set.add(key)
const verdicts = []
for (const text of documents) verdicts.push(await verifyReceipt(text, set))
process.stdout.write(JSON.stringify({ verdicts, modules: [...modules.keys()] }))
