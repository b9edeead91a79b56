// SPDX-License-Identifier: Apache-2.0
import { Args, Flags } from '@oclif/core'
import { AmbitCommand } from '../cli/command.js'
import { trustedByDefault } from '../cli/receipt.js'
import { type AmbitError, ConfigError, ReceiptError, type Verdict, verify } from '../index.js'

const EXIT_INVALID = 1
const EXIT_UNDECIDABLE = 2
const EXIT_KEY = 5
const EXIT_USAGE = 64
const EXIT_UNREADABLE = 7
/** Worst first: one answer for many receipts. */
const SEVERITY = [EXIT_INVALID, EXIT_KEY, EXIT_UNDECIDABLE, EXIT_UNREADABLE, 0]

/** The keys that receipts are verified with. */
interface Trust {
  readonly keys: readonly { readonly path: string; readonly id?: string }[]
  readonly jwks: readonly Uint8Array[]
}

/** One line of the answer. */
interface Line {
  readonly path: string
  readonly exit: number
  readonly verdict?: Verdict
  readonly error?: { readonly code: string; readonly message: string }
}

export default class Verify extends AmbitCommand {
  static override summary = 'verify receipts offline: csc receipts and signed envelopes'
  static override description =
    'exit codes: 0 valid, 1 invalid, 2 undecidable or malformed, 5 wrong or unknown key, ' +
    '7 missing or unreadable; of several receipts the worst counts'
  static override examples = [
    '<%= config.bin %> verify out/receipt.json --key operator.pub.pem',
    '<%= config.bin %> verify receipt.json --key vec.pub.raw --key-id vec-key-1',
  ]
  static override strict = false
  static override args = {
    receipt: Args.string({ description: 'receipt files', required: true }),
  }
  static override flags = {
    ...AmbitCommand.shared,
    key: Flags.string({
      description:
        'public key file (SPKI PEM, JWK, hex, 32 bytes); else the keys that $AMBIT_HOME trusts',
      helpValue: 'FILE',
      multiple: true,
    }),
    'key-id': Flags.string({
      description: 'key id that the receipt must name, one for each --key in order',
      helpValue: 'ID',
      multiple: true,
    }),
  }

  async run(): Promise<void> {
    const { argv, flags } = await this.parse(Verify)
    this.json = flags.json
    const paths = argv.filter((path) => typeof path === 'string')
    const keys = keysOf(flags.key ?? [], flags['key-id'] ?? [])
    const lines: Line[] = []
    for (const path of paths) lines.push(await one(path, keys))
    if (flags.json) this.emit('ambit.verify.v1', { results: lines })
    for (const line of lines) this.say(words(line))
    const found = new Set(lines.map((line) => line.exit))
    this.finish(SEVERITY.find((code) => found.has(code)) ?? EXIT_UNDECIDABLE)
  }

  protected exitCodeFor(error: AmbitError): number {
    if (error.code === 'ERR_CONFIG_USAGE') return EXIT_USAGE
    return error.code.startsWith('ERR_KEY_') ? EXIT_KEY : EXIT_UNDECIDABLE
  }
}

function keysOf(paths: readonly string[], ids: readonly string[]): Trust {
  if (ids.length > 0 && ids.length !== paths.length) {
    throw new ConfigError('ERR_CONFIG_USAGE', 'give one --key-id for each --key, or none')
  }
  if (paths.length === 0) return trustedByDefault()
  const keys = paths.map((path, index) => {
    const id = ids[index]
    return id === undefined ? { path } : { path, id }
  })
  return { keys, jwks: [] }
}

async function one(path: string, { keys, jwks }: Trust): Promise<Line> {
  try {
    const verdict = await verify({ receipt: path, keys, jwks })
    return { path, exit: exitOf(verdict), verdict }
  } catch (error) {
    if (!(error instanceof ReceiptError)) throw error
    const { code, message } = error
    return { path, exit: EXIT_UNREADABLE, error: { code, message } }
  }
}

function exitOf(verdict: Verdict): number {
  if (verdict.status === 'valid') return 0
  if (verdict.code === 'UNKNOWN_KEY') return EXIT_KEY
  return verdict.status === 'invalid' ? EXIT_INVALID : EXIT_UNDECIDABLE
}

function words({ path, verdict, error }: Line): string {
  const name = JSON.stringify(path).slice(1, -1)
  if (verdict === undefined) return `✗ unreadable  ${name}   ${error?.code ?? ''}`
  const mark = verdict.status === 'valid' ? '✓' : '✗'
  const type = verdict.payload_type === null ? '' : `  ${JSON.stringify(verdict.payload_type)}`
  return `${mark} ${verdict.status}  ${name}   ${verdict.code}${type}\n    ${verdict.detail}`
}
