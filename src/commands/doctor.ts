// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs'
import { AmbitCommand, oneLine } from '../cli/command.js'
import { type Mechanism, type ProbeReport, findHome, probe } from '../index.js'

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
  static override description = 'exit codes: 0 runs get tier full, 1 they do not'
  static override examples = ['<%= config.bin %> doctor --json']
  static override flags = { ...AmbitCommand.shared }

  async run(): Promise<void> {
    const { flags } = await this.parse(Doctor)
    this.json = flags.json
    const report = await probe()
    const home = findHome(process.env)
    const key = existsSync(home.signingKey)
    const state = { folder: home.folder, signing_key: key ? home.signingKey : null }
    if (flags.json) this.emit('ambit.doctor.v1', { ...report, home: state })
    this.say(table(report))
    this.say(
      key ? `signing key ${oneLine(home.signingKey)}` : 'no signing key yet: `ambit keys generate`',
    )
    this.finish(report.tier === 'full' ? 0 : 1)
  }

  protected exitCodeFor(): number {
    return 1
  }
}

function table(report: ProbeReport): string {
  const rows = Object.entries(report.mechanisms).map(([name, { state, facts, reason }]) => {
    const known = Object.entries(facts ?? {}).map(([key, value]) => `${key}=${value}`)
    const detail = [...known, ...(reason === undefined ? [] : [reason])].join('  ')
    return `${MARKS[state]} ${name.padEnd(NAME_WIDTH)}${state.padEnd(STATE_WIDTH)}${detail}`.trimEnd()
  })
  const why = report.reason === undefined ? [] : [`    ${report.reason}`]
  const head = `kernel ${report.kernel} ${report.machine}: a run gets tier ${report.tier}`
  return [head, ...why, ...rows].join('\n')
}
