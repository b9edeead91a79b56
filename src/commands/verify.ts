// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { Args, Flags } from '@oclif/core'
import { AmbitCommand, jsonText, oneLine } from '../cli/command.js'
import { exitOfVerdict } from '../cli/receipt.js'
import { SetWords } from '../cli/set-words.js'
import { trustOf } from '../cli/trust.js'
import {
  type AmbitError,
  ConfigError,
  type ReceiptResult,
  type SetOptions,
  type SetVerdict,
  verifyAll,
} from '../index.js'

const EXIT_UNDECIDABLE = 2
const EXIT_KEY = 5
const EXIT_UNREADABLE = 7
const EXIT_USAGE = 64

const file = (description: string) =>
  Flags.string({ description, helpValue: 'FILE', multiple: true, default: [] })

export default class Verify extends AmbitCommand {
  static override summary = 'verify receipts offline: files, folders, ledgers, JSON Lines, bundles'
  static override description =
    'Keys never come from the receipts. Without --key, --jwks and --trust, the key and the trusted ' +
    'keys of $AMBIT_HOME count.\n\n' +
    'exit codes: 0 valid, 1 invalid, 2 undecidable or malformed, 5 wrong or unknown key, ' +
    '6 incomplete (gap, truncation, fork), 7 missing or unreadable; the worst counts'
  static override examples = [
    '<%= config.bin %> verify out/receipt.json --key operator.pub.pem',
    '<%= config.bin %> verify ~/.local/state/ambit/ledger --checkpoint kept-elsewhere.txt',
    '<%= config.bin %> verify receipts.jsonl --jwks keys.json --policy policy.yaml --json',
    '<%= config.bin %> verify receipt.json --key vec.pub.raw --key-id vec-key-1',
  ]
  static override strict = false
  static override args = {
    receipt: Args.string({ description: 'files, folders or ledgers', required: true }),
  }
  static override flags = {
    ...AmbitCommand.shared,
    key: file('public key file to trust: SPKI PEM, JWK, hex or 32 bytes'),
    'key-id': Flags.string({
      description: 'key id that the receipt must name, one for each --key in order',
      helpValue: 'ID',
      multiple: true,
      default: [],
    }),
    jwks: file('key set (JWKS) to trust, with its windows and revocations'),
    trust: Flags.string({
      description: 'folder of public keys and key sets to trust, or "default"',
      helpValue: 'DIR',
      multiple: true,
      default: [],
    }),
    policy: file('policy that the receipts must be bound to, one of these'),
    contract: file('contract that the receipts must be bound to, one of these'),
    checkpoint: file('checkpoint or proof that was kept elsewhere'),
    witness: Flags.string({
      description: 'key of a trusted witness, which must have signed the checkpoint',
      helpValue: 'VKEY',
      multiple: true,
      default: [],
    }),
    quorum: Flags.integer({ description: 'how many of the witnesses must have signed', min: 0 }),
    at: Flags.string({
      description: 'moment of verification (RFC 3339); else now',
      helpValue: 'T',
    }),
    quiet: Flags.boolean({ description: 'say nothing; the exit code tells', char: 'q' }),
  }

  async run(): Promise<void> {
    const { argv, flags } = await this.parse(Verify)
    this.json = flags.json
    const paths = argv.filter((path) => typeof path === 'string')
    const { key: keys, 'key-id': ids, jwks, trust } = flags
    // where nothing is there to verify, that is what is said, whatever the keys
    const any = paths.some((path) => existsSync(path))
    const options: SetOptions = {
      ...(any ? await trustOf({ keys, ids, jwks, trust }) : {}),
      policy: flags.policy,
      contract: flags.contract,
      checkpoint: flags.checkpoint,
      witnesses: flags.witness,
      ...(flags.quorum === undefined ? {} : { quorum: flags.quorum }),
      ...(flags.at === undefined ? {} : { at: timeOf(flags.at) }),
    }
    const results = verifyAll(paths, options)
    if (flags.json) await this.report(results)
    else await this.tell(results, flags.quiet)
  }

  protected exitCodeFor(error: AmbitError): number {
    if (error.code === 'ERR_CONFIG_USAGE' || error.code === 'ERR_CONFIG_INVALID') return EXIT_USAGE
    if (error.code.endsWith('_UNREADABLE') && !error.code.startsWith('ERR_KEY_')) {
      return EXIT_UNREADABLE
    }
    return error.code.startsWith('ERR_KEY_') ? EXIT_KEY : EXIT_UNDECIDABLE
  }

  /** Prints one JSON object, piece by piece: there may be a million receipts. */
  private async report(results: AsyncGenerator<ReceiptResult, SetVerdict>): Promise<void> {
    let separator = '{"version":"ambit.verify.v1","results":['
    for (;;) {
      const next = await results.next()
      if (next.done === true) {
        const head = separator.startsWith('{') ? separator : ''
        await write(`${head}],"set":${jsonText(next.value)}}\n`)
        this.finish(next.value.exit_code)
        return
      }
      const { source, number, ...rest } = next.value
      const line = { path: source, number, exit: exitOf(next.value), ...rest }
      await write(`${separator}${jsonText(line)}`)
      separator = ','
    }
  }

  /** Says what was found: every receipt of a few, the bad ones of many, and the set. */
  private async tell(
    results: AsyncGenerator<ReceiptResult, SetVerdict>,
    quiet: boolean,
  ): Promise<void> {
    const words = new SetWords()
    for (;;) {
      const next = await results.next()
      const lines = next.done === true ? words.end(next.value) : words.add(next.value)
      if (!quiet) for (const line of lines) this.say(line)
      if (next.done === true) {
        this.finish(next.value.exit_code)
        return
      }
    }
  }
}

/** A time without its zone would be another moment on another machine. */
function timeOf(text: string): Date {
  const hasZone = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/iu.test(text)
  const time = new Date(text.toUpperCase())
  if (!hasZone || Number.isNaN(time.getTime())) {
    throw new ConfigError('ERR_CONFIG_USAGE', `--at is no time: ${oneLine(text)}`)
  }
  return time
}

function exitOf({ verdict }: ReceiptResult): number {
  return verdict === undefined ? EXIT_UNREADABLE : exitOfVerdict(verdict)
}

async function write(text: string): Promise<void> {
  if (process.stdout.write(text)) return
  await once(process.stdout, 'drain').catch(() => {}) // nobody reads: what was found still counts
}
