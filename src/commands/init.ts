// SPDX-License-Identifier: Apache-2.0
import { existsSync, mkdirSync, realpathSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Args, Flags } from '@oclif/core'
import { AmbitCommand, oneLine } from '../cli/command.js'
import { ConfigError, findHome, generateOwnKey, starterFiles } from '../index.js'

const EXIT_FAILURE = 1

export default class Init extends AmbitCommand {
  static override summary = 'write a policy, a contract and a signing key to begin with'
  static override description =
    'the files go into the folder, the key into $AMBIT_HOME; a key that is there is kept, always; ' +
    'exit codes: 0 done, 1 a file is there or cannot be written'
  static override examples = ['<%= config.bin %> init', '<%= config.bin %> init app --force']
  static override args = {
    folder: Args.string({ description: 'workspace that contracts are about', default: '.' }),
  }
  static override flags = {
    ...AmbitCommand.shared,
    force: Flags.boolean({ description: 'overwrite policy, schema and contract' }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Init)
    this.json = flags.json
    // the key comes between looking and writing: what fails leaves no half of a beginning
    const planned = plan(args.folder, flags.force)
    const home = findHome(process.env)
    const isNew = !existsSync(home.signingKey)
    if (isNew) generateOwnKey(home, new Date())
    attempt(() => {
      for (const { path, text } of planned)
        writeFileSync(path, text, { flag: flags.force ? 'w' : 'wx' })
    })
    const files = planned.map(({ path }) => path)
    const key = { private_key_file: home.signingKey, generated: isNew }
    if (flags.json) this.emit('ambit.init.v1', { files, key })
    const [policy = '', , contract = ''] = files.map(oneLine)
    const about = `${isNew ? 'new key' : 'key kept'}: ${oneLine(home.signingKey)}`
    const next = `try: ambit check ${contract} ${policy}`
    this.say([...files.map((file) => `✓ ${oneLine(file)}`), `✓ ${about}`, next].join('\n'))
  }

  protected exitCodeFor(): number {
    return EXIT_FAILURE
  }
}

/** Says which files will be written; one that is there stops all. */
function plan(folder: string, force: boolean) {
  const root = attempt(() => {
    mkdirSync(folder, { recursive: true })
    return realpathSync(folder)
  })
  const files = starterFiles(root).map(({ name, text }) => ({ path: join(root, name), text }))
  const taken = force ? undefined : files.find(({ path }) => existsSync(path))
  if (taken === undefined) return files
  const message = `\`${taken.path}\` is there already; --force overwrites it`
  throw new ConfigError('ERR_CONFIG_INVALID', message)
}

/** Does what may fail with the system's error. */
function attempt<T>(act: () => T): T {
  try {
    return act()
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    throw new ConfigError('ERR_CONFIG_INVALID', message, { cause: error })
  }
}
