// SPDX-License-Identifier: Apache-2.0
// Writes oclif.manifest.json: what each command takes, so that the command line need not load them
// all to find one. Started by the build as a program of its own, because it loads the addon.
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Plugin, settings } from '@oclif/core'

const folder = process.argv[2]
const file = join(folder, 'oclif.manifest.json')

settings.enableAutoTranspile = false
rmSync(file, { force: true })
const plugin = new Plugin({
  root: folder,
  type: 'core',
  ignoreManifest: true,
  // a command that cannot be loaded fails the build instead of being left out
  errorOnManifestCreate: true,
  respectNoCacheDefault: true,
})
await plugin.load()
writeFileSync(file, `${JSON.stringify(plugin.manifest, undefined, 2)}\n`)
