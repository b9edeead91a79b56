// SPDX-License-Identifier: Apache-2.0
// The ground on which the attacks recorded against csc-runner are tried: a folder that commands may
// work in, one that they may not reach, and a file in it that shows who could.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type RunOptions, type RunResult, run } from '../../../dist/index.js'
import { type CommandChoice, commandOf, contractOf, policyOf } from './documents.js'
import type { Stage } from './stage.js'
import { root } from './installed.js'

/** An attack as it was recorded. */
export interface Attack {
  readonly id: string
  readonly area: string
  readonly title: string
}

export const attacks = JSON.parse(
  readFileSync(join(root, '__test__/vectors/csc/attacks.json'), 'utf8'),
) as readonly Attack[]

/** What a test changes of a run. */
export interface Changes {
  /** Fields of the command; with them the contract is an `ambit.contract.v1`. */
  readonly members?: object
  readonly policy?: object
  readonly options?: Partial<RunOptions>
}

const bytes = (document: object) => Buffer.from(JSON.stringify(document))

/** The ground of one attack. */
export class Ground {
  readonly work: string
  readonly outside: string
  /** A file that nobody inside can write: where it is, something got out. */
  readonly witness: string
  readonly home: string

  constructor(stage: Stage) {
    this.work = join(stage.folder(), 'work')
    this.outside = stage.folder()
    this.home = stage.home()
    this.witness = join(this.outside, 'witness')
    mkdirSync(this.work)
    writeFileSync(join(this.outside, 'secret'), 'SECRET')
  }

  /** Writes a file in the work folder. */
  file(name: string, content: string, mode = 0o755): string {
    const path = join(this.work, name)
    writeFileSync(path, content, { mode })
    return path
  }

  /** Runs one command in the sandbox. */
  async run(choice: Partial<CommandChoice>, changes: Changes = {}): Promise<RunResult> {
    const { members, policy, options } = changes
    const command = commandOf({ argv: ['true'], cwd: this.work, ...choice })
    const document = members
      ? contractOf([{ ...command, ...members }], { version: 'ambit.contract.v1' })
      : contractOf([command])
    return await run({
      contract: bytes(document),
      policy: bytes(policyOf(policy === undefined ? [nameOf(choice)] : ['true'], policy)),
      env: { AMBIT_HOME: this.home, PATH: '/usr/bin:/bin' },
      ...options,
    })
  }

  /** Runs a shell script in a file, which is no inline code. */
  async script(text: string, choice: Partial<CommandChoice> = {}): Promise<RunResult> {
    this.file('act.sh', text)
    return await this.run({ argv: ['sh', 'act.sh'], ...choice })
  }

  /** Says whether the witness is there, and takes it away. */
  gotOut(): boolean {
    const found = existsSync(this.witness)
    rmSync(this.witness, { force: true })
    return found
  }
}

const nameOf = ({ argv }: Partial<CommandChoice>): string => argv?.[0] ?? 'true'

/** What a command wrote to its standard output. */
export const outputOf = ({ stdout }: RunResult): string => Buffer.from(stdout).toString()
