// SPDX-License-Identifier: Apache-2.0
// The main job on a real workspace, in `.demo/`, which is made anew each time. Every command is
// printed as it can be repeated, and every exit code is compared with the one that it must have.
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ScriptError, main, root, run, say, seconds } from './lib/proc.js'
import { setup } from './setup.js'

const FOLDER = '.demo'
// the sandbox takes real paths only: a symbolic link could lead elsewhere by the time it is used
const demo = join(realpathSync(root), FOLDER)
const workspace = join(demo, 'workspace')
const node = realpathSync(process.execPath)
/** State of the demo alone: its key and its ledger are not yours. */
const home = { AMBIT_HOME: join(demo, 'home') }
/** No setting of the machine's git may change what the demo shows. */
const gitEnv = { GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' }

const EXIT_DENIED = 120
const EXIT_SANDBOX = 122
const FLIPPED = `${FOLDER}/flipped.json`

const TEST_FILE = `import assert from 'node:assert/strict'
import test from 'node:test'
import { total } from './total.mjs'

test('adds up a report', () => assert.equal(total('apples 2\\npears 3\\n'), 5))
test('counts nothing as zero', () => assert.equal(total(''), 0))
`
const SOURCE_FILE = `export const total = (report) =>
  report.split('\\n').filter(Boolean).reduce((sum, line) => sum + Number(line.split(' ')[1]), 0)
`

/** What the demo's node needs to be read when it does not lie in the base system. */
const nodeFolders = node.startsWith('/usr/') ? [] : [dirname(node)]

/** The policy: YAML, since decisions name the line of their rule. */
const POLICY = `# What an agent may do in the demo's workspace.
policy_schema_version: csc.policy.v0.1
name: demo

allow_commands: [cat, cp, git, ${JSON.stringify(node)}]
deny_argv_prefixes:
  - [git, push]

allowed_effect_types: [observe, transform_local]
allowed_risk_classes: [low]

max_timeout_sec: 60
network: deny
allow_secret_refs: false

allowed_cwd_prefixes: [${JSON.stringify(workspace)}]
allowed_read_prefixes: ${JSON.stringify([workspace, ...nodeFolders])}
allowed_write_prefixes: [${JSON.stringify(join(workspace, 'out'))}]
`

/** One command of a contract; what it does not name, it does not get. */
function command(id, argv, { read = [], write = [], network = 'deny', effect = 'observe' } = {}) {
  return {
    id,
    exec: { argv },
    cwd: workspace,
    read_paths: [workspace, ...read],
    write_paths: write,
    network,
    env_allow: [],
    secret_refs: [],
    timeout_sec: 60,
    proposed_effect_type: effect,
  }
}

function contract(name, intent, commands) {
  return {
    version: 'csc.v0.1',
    contract_id: `demo-${name}`,
    intent,
    actor: {
      agent_id: 'demo-agent',
      session_id: 'demo-session',
      initiating_user: 'you',
      delegation_scope: 'workspace',
    },
    commands,
    risk_class: 'low',
    approval_mode: 'policy_only',
    expected_outputs: [],
    justification: 'shows what Ambit does',
  }
}

/** The contracts, by the name of their file. */
function contracts() {
  const write = { write: [join(workspace, 'out')], effect: 'transform_local' }
  return {
    work: contract('work', 'look at the repository, run its tests, write a report', [
      command('status', ['git', 'status', '--short', '--branch']),
      command('test', [node, '--test', '--test-reporter=spec', 'total.test.mjs'], {
        read: nodeFolders,
      }),
      command('write', ['cp', '--verbose', 'report.txt', 'out/report.txt'], write),
    ]),
    push: contract('push', 'push what was done', [
      command('push', ['git', 'push', 'origin', 'main'], { network: 'full' }),
    ]),
    stray: contract('stray', 'read a file that the contract does not name', [
      command('read', ['cat', join(demo, 'policy.yaml')]),
    ]),
  }
}

function makeWorkspace() {
  rmSync(demo, { recursive: true, force: true })
  mkdirSync(join(workspace, 'out'), { recursive: true })
  writeFileSync(join(workspace, 'report.txt'), 'apples 2\npears 3\n')
  writeFileSync(join(workspace, 'total.mjs'), SOURCE_FILE)
  writeFileSync(join(workspace, 'total.test.mjs'), TEST_FILE)
  const git = (...args) =>
    execFileSync('git', args, { cwd: workspace, env: { ...process.env, ...gitEnv } })
  git('init', '--quiet', '--initial-branch=main')
  git('config', 'user.name', 'Demo')
  git('config', 'user.email', 'demo@example.invalid')
  git('add', '.')
  git('commit', '--quiet', '--message', 'a report and its tests')
  writeFileSync(join(workspace, 'report.txt'), 'apples 2\npears 4\n')
  writeFileSync(join(demo, 'policy.yaml'), POLICY)
  for (const [name, document] of Object.entries(contracts())) {
    writeFileSync(join(demo, `${name}.json`), `${JSON.stringify(document, undefined, 2)}\n`)
  }
}

/** Runs the command line, shows how to repeat it, and compares its exit code. */
async function ambit(args, wanted) {
  const words = args.map((word) => (/^[\w./=-]+$/u.test(word) ? word : JSON.stringify(word)))
  say(`$ node bin/ambit.js ${words.join(' ')}`)
  const code = await run(process.execPath, [join('bin', 'ambit.js'), ...args], { env: home })
  if (code === EXIT_SANDBOX && wanted !== code) {
    const how = 'see what this machine lacks with `npm run doctor`, and README.md'
    throw new ScriptError(`the sandbox could not be built here, so nothing ran; ${how}`)
  }
  if (code !== wanted) throw new ScriptError(`ended with exit code ${code}; it must be ${wanted}`)
  say(`exit code ${code}\n`)
}

function runs(name) {
  const receipt = ['--receipt-out', `${FOLDER}/receipts/${name}.json`]
  return ['run', `${FOLDER}/${name}.json`, `${FOLDER}/policy.yaml`, ...receipt, ...evidence]
}
const evidence = ['--evidence-out', `${FOLDER}/evidence`]

function expectFile(path, wanted) {
  const found = readFileSync(join(workspace, path), 'utf8')
  if (found !== wanted) throw new ScriptError(`${path} does not hold what was to be written`)
}

/** Every receipt of the demo: csc receipts, and our own as they stand in the ledger. */
function receipts() {
  const found = ['receipts', 'evidence'].flatMap((folder) =>
    readdirSync(join(demo, folder)).map((file) => `${FOLDER}/${folder}/${file}`),
  )
  // three runs: three csc receipts, three decisions, two executions, since a denial runs nothing
  if (found.length !== 8) throw new ScriptError(`${found.length} receipts; there must be 8`)
  return found.toSorted((a, b) => (a < b ? -1 : 1))
}

/** Turns one bit of one byte in a receipt: `success` becomes `rtccess`. */
function flipOneByte() {
  const bytes = readFileSync(join(demo, 'receipts/work.json'))
  const at = bytes.indexOf('"success"') + 1
  if (at === 0) throw new ScriptError('the receipt of a run that succeeded does not say so')
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at)
  writeFileSync(join(root, FLIPPED), bytes)
}

async function show() {
  const key = ['--key', `${FOLDER}/home/keys/default.pub.pem`]
  say('The commands below can be repeated from this folder after:')
  say(`$ export AMBIT_HOME="$PWD/${FOLDER}/home"\n`)

  say('1. A key that signs receipts. The private half stays in AMBIT_HOME.')
  await ambit(['keys', 'generate'], 0)

  say('2. An agent asks for three commands. The policy allows them; the kernel confines each.')
  await ambit(runs('work'), 0)
  expectFile('out/report.txt', 'apples 2\npears 4\n')

  say('3. It asks to push. The policy says no, names its rules, and nothing runs.')
  await ambit(runs('push'), EXIT_DENIED)

  say('4. It is allowed `cat`, and points it at a file that its contract does not name.')
  say('   The policy cannot know what `cat` opens. The kernel does: the file is not there.')
  await ambit(runs('stray'), 1)

  say('5. Anyone with the public key can check every receipt, offline.')
  await ambit(['verify', ...receipts(), ...key], 0)

  say(`6. One byte of a receipt is changed (\`success\` to \`rtccess\`); it shows.`)
  flipOneByte()
  await ambit(['verify', FLIPPED, ...key], 1)
}

async function demonstrate() {
  await setup()
  const start = performance.now()
  say()
  makeWorkspace()
  await show()
  say(`All of it went as it must, in ${seconds(start)} s. What was made is in ${FOLDER}/.`)
  say('Next: README.md says how to use Ambit, docs/shortcomings.md what it does not do.')
}

await main(import.meta.url, demonstrate)
