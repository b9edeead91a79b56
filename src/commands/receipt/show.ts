// SPDX-License-Identifier: Apache-2.0
import { Args } from '@oclif/core'
import { oneLine } from '../../cli/command.js'
import { ReceiptCommand } from '../../cli/receipt.js'
import { canonicalize, readReceipt, sha256 } from '../../index.js'

export default class ReceiptShow extends ReceiptCommand {
  static override summary = 'print what a receipt says, one member a line'
  static override description =
    'verifies nothing: what is printed is the claim of whoever wrote the file. exit codes: ' +
    '0 printed, 2 not strict JSON, 7 missing or unreadable'
  static override examples = ['<%= config.bin %> receipt show out/000002.execution.json']
  static override args = {
    receipt: Args.string({ description: 'receipt file', required: true }),
  }
  static override flags = { ...ReceiptCommand.shared }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(ReceiptShow)
    this.json = flags.json
    const bytes = await readReceipt(args.receipt)
    const canonical = Buffer.from(canonicalize(bytes)).toString('utf8')
    // the digest that the next receipt of a chain names
    const digest = sha256(canonical)
    const members = [...membersOf(JSON.parse(canonical))]
    if (flags.json) {
      const text = Buffer.from(bytes).toString('utf8')
      this.emit('ambit.receipt.v1', { receipt: text, digest, verified: false })
      return
    }
    const lines = members.map(({ path, value }) => `${oneLine(path)}  ${oneLine(value)}\n`)
    process.stdout.write(`${lines.join('')}(digest)  sha256:${digest}\n`)
    this.say('not verified: `ambit verify` does that')
  }
}

/** A value that has no members, and where it stands. */
interface Member {
  readonly path: string
  readonly value: string
}

/** Lists the scalars of a document in its order; the parser bounds how deep they are. */
function* membersOf(value: unknown, path = ''): Generator<Member> {
  if (typeof value !== 'object' || value === null || Object.keys(value).length === 0) {
    yield { path, value: JSON.stringify(value) }
    return
  }
  for (const [name, member] of Object.entries(value)) {
    const step = Array.isArray(value) ? `[${name}]` : stepOf(name)
    yield* membersOf(member, path === '' ? step.replace(/^\./u, '') : path + step)
  }
}

/** A name that could be taken for a path, or for a line of ours, stands in quotes. */
function stepOf(name: string): string {
  return /^[\w-]+$/u.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`
}
