// SPDX-License-Identifier: Apache-2.0
// Makes dist/fast-check.js: `ambit check` in one file, without the framework of the command line.
// Most of the time of a command goes into finding and reading modules: this is one, with what it uses
// of `zod` and `yaml`, and nothing else.
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

const BUNDLED = ['yaml', 'zod']

/**
 * Bundles what `tsc` wrote.
 *
 * @param {string} root the project's folder
 */
export async function bundleCheck(root) {
  const require = createRequire(join(root, 'package.json'))
  const { build } = await import(require.resolve('esbuild'))
  const dist = join(root, 'dist')
  const entry = join(dist, 'cli/fast-check.js')
  // in the place of the modules it is made of, since they find the addon and the manifest from there
  const outfile = join(dist, 'fast-check.js')
  const folderOf = (name) => dirname(require.resolve(`${name}/package.json`))
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    // names are kept: a stack that somebody reports is to be read
    minifySyntax: true,
    minifyWhitespace: true,
    sourcemap: true,
    sourcesContent: false,
    logLevel: 'warning',
    // what these packages publish for bundlers: the same code as ES modules
    alias: { yaml: join(folderOf('yaml'), 'browser/dist/index.js') },
    plugins: [ourModules(root)],
  })
  const licences = BUNDLED.map((name) => {
    const text = readFileSync(join(folderOf(name), 'LICENSE'), 'utf8').trim()
    return `fast-check.js holds parts of the package ${name}:\n\n${text}\n`
  })
  writeFileSync(join(dist, 'fast-check.LICENSES.txt'), licences.join('\n\n'))
  // bundled whole; on its own it has no use
  for (const end of ['.js', '.js.map', '.d.ts', '.d.ts.map']) {
    rmSync(join(dist, `cli/fast-check${end}`), { force: true })
  }
}

/** The loader of the addon stays a file of its own; of our modules what is not used is left out. */
function ourModules(root) {
  return {
    name: 'our-modules',
    setup(build) {
      build.onResolve({ filter: /^\./ }, (args) => {
        const path = join(args.resolveDir, args.path)
        if (path === join(root, 'index.js')) return { path: '../index.js', external: true }
        if (!path.startsWith(join(root, 'dist/'))) return undefined
        return { path, sideEffects: false }
      })
    },
  }
}
