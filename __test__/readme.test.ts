// SPDX-License-Identifier: Apache-2.0
// What the documents claim: examples compile and run, commands, flags, scripts and files exist.
import { execFileSync, spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as api from '../src/index.js'

const root = join(import.meta.dirname, '..')
const readText = (path: string): string => readFileSync(join(root, path), 'utf8')
const readme = readText('README.md')
/** Where the examples of the README keep their repository. */
const EXAMPLE_FOLDER = '/srv/shop'

/** Returns the files below a folder, named from the root. */
function filesBelow(folder: string, ending: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .toSorted()
}

const DOCUMENTS = [
  ...readdirSync(root).filter((name) => name.endsWith('.md')),
  ...filesBelow('docs', '.md'),
  ...filesBelow('policies', '.md'),
]

/** Returns the content of the fenced blocks of these languages. */
function fenced(markdown: string, ...languages: string[]): string[] {
  const found = markdown.matchAll(/^```(\w+)\n(.*?)^```$/gmsu)
  return [...found]
    .filter(([, name = '']) => languages.includes(name))
    .map((match) => match[2] ?? '')
}

/** Returns the `@example` blocks of a source, without the comment's margin. */
function examplesIn(source: string): string[] {
  const found = source.matchAll(/^ \* @example\n \* ```ts\n(.*?)^ \* ```$/gmsu)
  return [...found].map((match) => (match[1] ?? '').replaceAll(/^ \* ?/gmu, ''))
}

/** Writes the imports that an example of the API leaves out. */
function withImports(example: string): string {
  const names = Object.keys(api).filter((name) => new RegExp(`\\b${name}\\(`, 'u').test(example))
  return `import { ${names.join(', ')} } from 'ambit'\n${example}`
}

/** An example: its file, its code, and what it prints to the end when it runs. */
interface Example {
  readonly file: string
  readonly code: string
}

function readmeExamples(): Example[] {
  return fenced(readme, 'js', 'ts').map((code, index) => {
    const kind = /\brequire\(/u.test(code) ? 'cjs' : 'mjs'
    return { file: `readme-${index + 1}.${kind}`, code }
  })
}

function sourceExamples(): Example[] {
  return filesBelow('src', '.ts').flatMap((path) =>
    examplesIn(readText(path)).map((example, index) => {
      const name = path.replaceAll(/\W/gu, '-')
      return { file: `${name}-${index + 1}.mts`, code: withImports(example) }
    }),
  )
}

/** What each example prints; one that is not named here has not been thought about. */
const PRINTS: Record<string, string> = {
  'readme-1.mjs': "success 0 [ 'ALLOW' ]\nvalid OK\n",
  'readme-2.cjs': "allow [ 'ALLOW' ]\n",
  'src-inspect-chain-ts-1.mts': "deny [ 'EGRESS_UPLOAD' ]\n",
  'src-native-ts-1.mts': '{"a":2,"b":1}\n',
  'src-native-ts-2.mts': 'ba7816bf\n',
  'src-policy-digest-ts-1.mts': '71\n',
  'src-receipt-sign-ts-1.mts': 'valid\n',
  'src-receipt-set-ts-1.mts': 'valid OK 1\n',
  'src-receipt-verify-ts-1.mts': 'valid OK\n',
  'src-run-dry-run-ts-1.mts': 'allow deny\n',
  'src-run-documents-ts-1.mts': "allow [ 'ALLOW' ]\n",
  'src-run-run-ts-1.mts': 'success 0\n',
  'src-run-sandbox-launch-ts-1.mts': '6\n',
  'src-run-sandbox-sandbox-ts-1.mts': '3\n',
}

const TSCONFIG = {
  compilerOptions: {
    allowJs: true,
    checkJs: true,
    module: 'nodenext',
    outDir: 'out',
    rootDir: '.',
    skipLibCheck: true,
    strict: true,
    target: 'ES2023',
    typeRoots: [join(root, 'node_modules/@types')],
    types: ['node'],
  },
  include: ['*.mjs', '*.cjs', '*.mts'],
}

const EXAMPLES = [...readmeExamples(), ...sourceExamples()]
let top = ''
let tier = 'none'
const home = () => join(top, 'home')

/** Makes a project beside which the examples' files lie, with Ambit installed. */
async function makeProject(): Promise<void> {
  const shop = join(top, 'shop')
  mkdirSync(shop)
  mkdirSync(join(home(), 'keys'), { recursive: true, mode: 0o700 })
  mkdirSync(join(top, 'node_modules'))
  symlinkSync(root, join(top, 'node_modules/ambit'))
  execFileSync('git', ['init', '--quiet'], { cwd: shop })
  const [contract = '', policy = ''] = ['json', 'yaml'].map((language) =>
    (fenced(readme, language)[0] ?? '').replaceAll(EXAMPLE_FOLDER, shop),
  )
  writeFileSync(join(top, 'contract.json'), contract)
  writeFileSync(join(top, 'policy.yaml'), policy)
  api.generateKey(join(home(), 'keys/default.pem'), join(home(), 'keys/default.pub.pem'))
  symlinkSync(join(home(), 'keys/default.pub.pem'), join(top, 'key.pub.pem'))
  await api.run({
    // a denial leaves a receipt on any machine
    contract: Buffer.from(contract.replace('"network": "deny"', '"network": "full"')),
    policy: Buffer.from(policy),
    receiptOut: join(top, 'receipt.json'),
    env: { AMBIT_HOME: home() },
  })
  writeFileSync(join(top, 'tsconfig.json'), JSON.stringify(TSCONFIG))
  for (const { file, code } of EXAMPLES) writeFileSync(join(top, file), code)
}

beforeAll(async () => {
  top = realpathSync(mkdtempSync(join(tmpdir(), 'ambit-readme-')))
  ;({ tier } = await api.probe())
  await makeProject()
})

afterAll(() => {
  rmSync(top, { recursive: true, force: true })
})

describe('examples', () => {
  it('are all expected here', () => {
    expect(EXAMPLES.map(({ file }) => file).toSorted()).toEqual(Object.keys(PRINTS).toSorted())
  })

  it('compile', () => {
    const { bin } = JSON.parse(readText('node_modules/typescript/package.json')) as {
      bin: { tsc: string }
    }
    const tsc = join(root, 'node_modules/typescript', bin.tsc)
    const { status, stdout } = spawnSync(process.execPath, [tsc, '-p', '.'], {
      cwd: top,
      encoding: 'utf8',
    })
    expect({ status, stdout }).toEqual({ status: 0, stdout: '' })
  })

  it.for(EXAMPLES)('run: $file', ({ file, code }, context) => {
    if (
      /\b(?:launch|run|Sandbox)\(/u.test(code) &&
      tier !== 'full' &&
      process.env['REQUIRE_SANDBOX'] !== '1'
    ) {
      context.skip('this machine does not give a run the tier `full`')
    }
    const built = join(top, 'out', file.replace(/\.mts$/u, '.mjs'))
    const { status, stdout, stderr } = spawnSync(process.execPath, ['--no-warnings', built], {
      cwd: top,
      env: { ...process.env, AMBIT_HOME: home(), NO_COLOR: '1' },
      encoding: 'utf8',
    })
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: PRINTS[file], stderr: '' })
  })

  it('of a contract and a policy are valid and fit each other', () => {
    const [contract = '', policy = ''] = ['json', 'yaml'].map((name) => fenced(readme, name)[0])
    const loaded = api.parseContract(Buffer.from(contract), 'contract.json')
    const decision = api.evaluate(loaded, api.parsePolicy(Buffer.from(policy), 'policy.yaml'), {
      mode: 'hardened',
    })
    expect(decision.reason_codes).toEqual(['ALLOW'])
  })
})

interface Manifest {
  commands: Record<string, { flags: Record<string, { char?: string }> }>
}

/** Returns the command lines of Ambit in a document: in blocks of shell, and in inline code. */
function commandLines(markdown: string): string[] {
  const shell = fenced(markdown, 'sh', 'console').flatMap((block) => block.split('\n'))
  const inline = [...markdown.matchAll(/`(ambit [^`\n]+)`/gu)].map((match) => match[1] ?? '')
  const program = /^(?:\$ )?(?:\w+=\S+ )?(?:node bin\/ambit\.js|npx ambit|ambit) (.+)$/u
  return [...shell, ...inline].flatMap((line) => program.exec(line)?.[1] ?? [])
}

/** Returns what a command line names that is not there. */
function unknownIn(line: string, { commands }: Manifest): string[] {
  const words = line.split(/\s+/u)
  const id = [words.slice(0, 2).join(':'), words[0] ?? ''].find((name) => name in commands)
  if (id === undefined) return [`command of \`${line}\``]
  const flags = commands[id]?.flags ?? {}
  const written = words.flatMap((word) => /^--([\w-]+)/u.exec(word)?.[1] ?? [])
  return written.filter((name) => !(name in flags)).map((name) => `--${name} of \`${line}\``)
}

describe('documents', () => {
  const manifest = JSON.parse(readText('oclif.manifest.json')) as Manifest
  const { scripts, engines } = JSON.parse(readText('package.json')) as {
    scripts: Record<string, string>
    engines: { node: string }
  }

  it('are found', () => {
    expect(DOCUMENTS).toContain('README.md')
    expect(DOCUMENTS).toContain('docs/adr/0001-launcher.md')
    expect(commandLines(readme).length).toBeGreaterThan(5)
  })

  it.each<[string, string[]]>([
    ['run a.json b.yaml --receipt-out out.json', []],
    ['keys generate --out x.pem', []],
    ['keys destroy', ['command of `keys destroy`']],
    ['verify x.json --public-key k', ['--public-key of `verify x.json --public-key k`']],
  ])('would be caught with `ambit %s`', (line, want) => {
    expect(unknownIn(line, manifest)).toEqual(want)
  })

  it.each(DOCUMENTS)('name commands and flags that exist: %s', (path) => {
    const lines = commandLines(readText(path))
    expect(lines.flatMap((line) => unknownIn(line, manifest))).toEqual([])
  })

  it.each(DOCUMENTS)('name npm scripts that exist: %s', (path) => {
    const named = [...readText(path).matchAll(/\bnpm run ([\w:]+)/gu)].map(
      (match) => match[1] ?? '',
    )
    expect(named.filter((name) => !(name in scripts))).toEqual([])
  })

  it.each(DOCUMENTS)('link to files that exist: %s', (path) => {
    const targets = [...readText(path).matchAll(/\]\(([^)\s]+)\)/gu)].map((match) => match[1] ?? '')
    const files = targets.filter((target) => !/^(?:https:|#)/u.test(target))
    const missing = files.filter(
      (target) => !existsSync(join(root, dirname(path), target.split('#')[0] ?? '')),
    )
    expect(missing).toEqual([])
  })

  it.each(DOCUMENTS)('name files that exist: %s', (path) => {
    const places =
      /`((?:benches|bin|crates|docs|policies|schemas|scripts|src|__test__)\/[^`\s*]*)`/gu
    const named = [...readText(path).matchAll(places)].map((match) => match[1] ?? '')
    expect(named.filter((name) => !existsSync(join(root, name)))).toEqual([])
  })

  it('name the floors that the manifests have', () => {
    const rust = /^rust-version = "([\d.]+)"$/mu.exec(readText('Cargo.toml'))?.[1]
    expect(readme).toContain(`Node ${engines.node.replace('>=', '≥ ')}`)
    expect(readme).toContain(`Rust ≥ ${rust}`)
  })

  it('explain every mechanism that a run reports', async () => {
    const { mechanisms } = await api.probe()
    const names = Object.keys(mechanisms)
    expect(names).toContain('landlock')
    expect(names.filter((name) => !readme.includes(`\`${name}\``))).toEqual([])
  })
})
