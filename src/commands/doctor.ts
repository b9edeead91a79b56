// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs'
import { Flags } from '@oclif/core'
import { AmbitCommand, oneLine } from '../cli/command.js'
import { adviceFor, platformsOf, readIfThere } from '../cli/platform.js'
import { PASSPHRASE_FLAGS, secretOf } from '../cli/passphrase.js'
import { type Mechanism, type ProbeReport, findHome, gate, probe } from '../index.js'

const MARKS: Record<Mechanism['state'], string> = {
  degraded: '~',
  enforced: '✓',
  not_requested: '·',
  unavailable: '✗',
}
const NAME_WIDTH = 18
const STATE_WIDTH = 14

export default class Doctor extends AmbitCommand {
  static override summary = 'try each mechanism of the sandbox on this machine and say what holds'
  static override description =
    'exit codes: 0 runs get tier full, or with --floor lite at least that; with --gate: every point holds; 1 not so'
  static override examples = ['<%= config.bin %> doctor --json']
  static override flags = {
    ...AmbitCommand.shared,
    ci: Flags.boolean({
      description: 'print no more than what is missing and what to do about it',
      exclusive: ['gate'],
    }),
    floor: Flags.option({
      description: 'least tier that will do',
      options: ['full', 'lite'] as const,
      default: 'full' as const,
    })(),
    gate: Flags.boolean({ description: 'try every point of the production-readiness gate' }),
    policy: Flags.string({
      description: 'policy that is to be used; give it again for each',
      helpValue: 'FILE',
      multiple: true,
      dependsOn: ['gate'],
    }),
    checkpoint: Flags.string({
      description: 'checkpoint of the ledger that was kept elsewhere',
      helpValue: 'FILE',
      dependsOn: ['gate'],
    }),
    ...PASSPHRASE_FLAGS,
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(Doctor)
    this.json = flags.json
    if (flags.gate) {
      await this.tryGate(flags)
      return
    }
    const report = await probe()
    const { kernel } = report
    const platforms = platformsOf({ env: process.env, kernel, read: readIfThere })
    const advice = adviceFor(report, platforms)
    const home = findHome(process.env)
    const key = existsSync(home.signingKey)
    const state = { folder: home.folder, signing_key: key ? home.signingKey : null }
    if (flags.json) this.emit('ambit.doctor.v1', { ...report, platforms, advice, home: state })
    this.say([flags.ci ? summary(report) : table(report), ...advice.map(bullet)].join('\n'))
    if (!flags.ci) {
      this.say(
        key
          ? `signing key ${oneLine(home.signingKey)}`
          : 'no signing key yet: `ambit keys generate`',
      )
    }
    const enough = flags.floor === 'full' ? ['full'] : ['full', 'lite']
    this.finish(enough.includes(report.tier) ? 0 : 1)
  }

  private async tryGate(flags: GateFlags): Promise<void> {
    const { policy: policies, checkpoint } = flags
    const report = await gate({
      ...(policies !== undefined && { policies }),
      ...(checkpoint !== undefined && { checkpoint }),
      passphrase: secretOf(flags),
    })
    if (flags.json) this.emit('ambit.gate.v1', report)
    const lines = report.points.map(
      ({ name, ok, found }) => `${ok ? '✓' : '✗'} ${name.padEnd(NAME_WIDTH)}${oneLine(found)}`,
    )
    const open = report.points.filter(({ ok }) => !ok).length
    this.say([...lines, open === 0 ? 'every point holds' : `${open} points do not hold`].join('\n'))
    this.finish(report.ok ? 0 : 1)
  }

  protected exitCodeFor(): number {
    return 1
  }
}

interface GateFlags {
  readonly json: boolean
  readonly policy?: readonly string[] | undefined
  readonly checkpoint?: string | undefined
  readonly 'passphrase-file'?: string | undefined
  readonly 'passphrase-env'?: string | undefined
}

function table(report: ProbeReport): string {
  const rows = Object.entries(report.mechanisms).map(([name, { state, facts, reason }]) => {
    const known = Object.entries(facts ?? {}).map(([key, value]) => `${key}=${value}`)
    const detail = [...known, ...(reason === undefined ? [] : [reason])].join('  ')
    return `${MARKS[state]} ${name.padEnd(NAME_WIDTH)}${state.padEnd(STATE_WIDTH)}${detail}`.trimEnd()
  })
  const settings = Object.entries(report.settings).map(
    ([name, value]) => `  ${name} = ${oneLine(value)}`,
  )
  return [summary(report), ...rows, ...settings].join('\n')
}

/** What a run gets, and what came of trying each tier. */
function summary({ kernel, machine, tier, tiers }: ProbeReport): string {
  const head = `kernel ${kernel} ${machine}: a run gets tier ${tier}`
  const tried = Object.entries(tiers).map(([name, { works, reason }]) =>
    works
      ? `✓ tier ${name}: a sandbox was built`
      : `✗ tier ${name}: ${oneLine(reason ?? 'it could not be built')}`,
  )
  return [head, ...tried].join('\n')
}

function bullet(advice: string): string {
  return `→ ${advice}`
}
