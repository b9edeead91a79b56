// SPDX-License-Identifier: Apache-2.0
import { Args } from '@oclif/core'
import { AmbitCommand } from '../cli/command.js'
import { jsonSchema, SCHEMA_NAMES, type SchemaName } from '../index.js'

/** Short names of the documents that people write most. */
const SHORT: Readonly<Record<string, SchemaName>> = {
  approval: 'ambit.approval.v1',
  contract: 'ambit.contract.v1',
  decision: 'ambit.policy-decision.v1',
  policy: 'ambit.policy.v1',
}

export default class Schema extends AmbitCommand {
  static override summary = 'print the JSON Schema of a document'
  static override description = `short names: ${Object.entries(SHORT)
    .map((pair) => pair.join(' for '))
    .join(', ')}; exit codes: 0, 64 wrong usage`
  static override examples = [
    '<%= config.bin %> schema policy',
    '<%= config.bin %> schema csc.contract.v0.1',
  ]
  static override args = {
    document: Args.string({
      description: 'which document',
      options: [...Object.keys(SHORT), ...SCHEMA_NAMES],
      required: true,
    }),
  }
  static override flags = AmbitCommand.shared

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Schema)
    this.json = flags.json
    const name = SHORT[args.document] ?? SCHEMA_NAMES.find((known) => known === args.document)
    if (name === undefined) return
    const text = jsonSchema(name)
    const schema: unknown = JSON.parse(text)
    if (flags.json) this.emit('ambit.schema.v1', { name, schema })
    else process.stdout.write(text)
  }

  protected exitCodeFor(): number {
    return 1
  }
}
