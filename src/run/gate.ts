// SPDX-License-Identifier: Apache-2.0
// The production-readiness gate: each point is tried on this machine, none is asked for.
import {
  closeSync,
  fsyncSync,
  lstatSync,
  openSync,
  readFileSync,
  rmSync,
  statfsSync,
} from 'node:fs'
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { trustedKeys } from '../keys/own-keys.js'
import { type Secret, Signer, describePublicKey } from '../keys/signer.js'
import { compareLedger } from '../ledger/checkpoint.js'
import { Ledger } from '../ledger/ledger.js'
import { lintPolicy, loadPolicy } from '../policy/index.js'
import { type Home, findHome } from './home.js'
import { probe } from './launch.js'

/** What the gate looks at besides this machine. */
export interface GateOptions {
  /** Environment to look names up in; `process.env` unless another is given. */
  readonly env?: NodeJS.ProcessEnv
  /** Policies that are to be used, files. */
  readonly policies?: readonly string[]
  /** A checkpoint of the ledger that was kept elsewhere, a file. */
  readonly checkpoint?: string
  /** Where the passphrase of the signing key is. */
  readonly passphrase?: Secret
  /** The clock. */
  readonly now?: () => Date
  /** Version of Node, as `process.versions.node` says it. */
  readonly node?: string
}

/** One point of the gate. */
export interface GatePoint {
  /** Its name in docs/production-readiness.md. */
  readonly name: GateName
  readonly ok: boolean
  /** What was found. */
  readonly found: string
}

/** What the gate found. */
export interface GateReport {
  /** Whether every point holds. */
  readonly ok: boolean
  readonly points: readonly GatePoint[]
}

/** The points of the gate, in their order, and what each asks. */
export const GATE_POINTS = {
  node: 'Node is one that Ambit supports.',
  sandbox: 'Every mechanism of the sandbox works here: a run gets tier `full`.',
  home: 'The state folder is a folder of this user that nobody else can enter.',
  'signing-key':
    'The signing key is a file of this user alone, can be used, and fits its public half.',
  'key-protection': 'The signing key lies under a passphrase.',
  'ledger-place': 'The ledger is on a file system of this machine and can be written durably.',
  'ledger-state': 'The ledger opens, no run in it is open, and its last checkpoint could be made.',
  checkpoint: 'A checkpoint that was kept elsewhere is met by the ledger.',
  clock: 'The clock is not before the last entry of the ledger, nor before this version.',
  space: 'There are 256 MiB left where the ledger is.',
  trust: 'The keys that are trusted can be read.',
  policies: 'The policies that were named are valid, have not expired, and have no lint warnings.',
} as const

/** Name of a point. */
export type GateName = keyof typeof GATE_POINTS

interface Looking {
  readonly options: GateOptions
  readonly home: Home
  readonly now: Date
}

type Look = (looking: Looking) => Promise<string> | string

/** Says that a point does not hold, and why. */
class Unmet extends Error {}

function must(holds: boolean, message: string): asserts holds {
  if (!holds) throw new Unmet(message)
}

const LEAST_NODE = [20, 19] as const
/** When this version was made, about: no clock that is right shows an earlier time. */
const MADE_AT = Date.UTC(2026, 10, 1)
const SEALED = '-----BEGIN ENCRYPTED PRIVATE KEY-----'
const LEAST_SPACE = 256 * 1024 ** 2
const OTHERS = 0o077

/** File systems that are on another machine, or that a program may make up, by their magic numbers. */
const NOT_LOCAL: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB2'],
  [0x01021997, '9P'],
  [0x65735546, 'FUSE'],
  [0x00c36400, 'Ceph'],
  [0x5346414f, 'AFS'],
  [0x01021994, 'tmpfs, which does not outlive a restart'],
])

const LOOKS: Record<GateName, Look> = {
  node: ({ options }) => {
    const version = options.node ?? process.versions.node
    const [major = 0, minor = 0] = version.split('.').map(Number)
    const [least, leastMinor] = LEAST_NODE
    must(major > least || (major === least && minor >= leastMinor), `Node ${version}`)
    return `Node ${version}`
  },
  sandbox: async () => {
    const { tier, kernel, reason = '' } = await probe()
    must(tier === 'full', `tier ${tier} on kernel ${kernel}: ${reason}`)
    return `tier full on kernel ${kernel}`
  },
  home: ({ home }) => {
    privateFile(home.folder, 'a folder')
    return home.folder
  },
  'signing-key': ({ home, options }) => {
    privateFile(home.signingKey, 'a file')
    const { thumbprint } = new Signer({ folder: home.keys }, options.passphrase).publicKey
    const half = describePublicKey(home.publicKey).thumbprint
    must(half === thumbprint, `${home.publicKey} is that of another key`)
    return `${home.signingKey} signs as ${thumbprint}`
  },
  'key-protection': ({ home }) => {
    const sealed = readFileSync(home.signingKey, 'utf8').startsWith(SEALED)
    must(sealed, 'the key lies in the clear: whoever can read the file can sign')
    return 'under a passphrase'
  },
  'ledger-place': ({ home }) => {
    const { type } = statfsSync(home.ledger)
    const other = NOT_LOCAL.get(type)
    must(other === undefined, `${home.ledger} is on ${other ?? ''}`)
    tryWriting(home.ledger)
    return `${home.ledger} was written to, durably`
  },
  'ledger-state': async ({ home }) => {
    using ledger = reading(home)
    const { entries, open_runs: open, checkpoint_error: fault } = await ledger.status()
    must(open === 0, `${open} runs have an intent and no outcome`)
    must(fault === null, `the last checkpoint could not be made: ${fault?.code ?? ''}`)
    return `${entries} entries`
  },
  checkpoint: async ({ home, options: { checkpoint } }) => {
    must(checkpoint !== undefined, 'none was named: --checkpoint FILE')
    using ledger = reading(home)
    const { status, have, want } = await compareLedger(ledger, readFileSync(checkpoint), [
      home.publicKey,
    ])
    must(status === 'complete', `${status}: ${have} of ${want} entries`)
    return `all ${want} entries are there`
  },
  clock: async ({ home, now }) => {
    using ledger = reading(home)
    const { last_ms: last } = await ledger.status()
    const floor = Math.max(last ?? 0, MADE_AT)
    must(now.getTime() >= floor, `${now.toISOString()} is before ${new Date(floor).toISOString()}`)
    return now.toISOString()
  },
  space: ({ home }) => {
    const { bavail, bsize } = statfsSync(home.ledger)
    const mebibytes = `${Math.floor((bavail * bsize) / 1024 ** 2)} MiB`
    must(bavail * bsize >= LEAST_SPACE, `${mebibytes} are left`)
    return `${mebibytes} are left`
  },
  trust: ({ home }) => `${trustedKeys(home).length} key sets`,
  policies: async ({ options: { policies = [] }, now }) => {
    must(policies.length > 0, 'none was named: --policy FILE')
    for (const path of policies) {
      const policy = await loadPolicy(path)
      const warnings = lintPolicy(policy).filter(({ severity }) => severity === 'warning')
      must(warnings.length === 0, `${path}: ${warnings.map(({ code }) => code).join(', ')}`)
      const { expires_at: end } = policy.document
      must(end === undefined || new Date(end) > now, `${path} expired at ${end ?? ''}`)
    }
    return policies.join(', ')
  },
}

function reading(home: Home): Ledger {
  return new Ledger(home.ledger, { readOnly: true })
}

/** Makes sure that a path is itself what it should be, of this user, and closed to all others. */
function privateFile(path: string, kind: 'a file' | 'a folder'): void {
  const found = lstatSync(path)
  const isKind = kind === 'a file' ? found.isFile() : found.isDirectory()
  must(isKind, `${path} is not ${kind}`)
  must(found.uid === process.geteuid?.(), `${path} is of user ${found.uid}`)
  const mode = found.mode & 0o777
  must((mode & OTHERS) === 0, `${path} has mode 0${mode.toString(8)}: others can reach it`)
}

function tryWriting(folder: string): void {
  const path = join(folder, `gate-${process.pid}-${randomUUID()}`)
  const descriptor = openSync(path, 'wx', 0o600)
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
    rmSync(path)
  }
}

async function pointOf(name: GateName, looking: Looking): Promise<GatePoint> {
  try {
    return { name, ok: true, found: await LOOKS[name](looking) }
  } catch (error) {
    // what cannot be looked at does not hold
    return { name, ok: false, found: error instanceof Error ? error.message : String(error) }
  }
}

/**
 * Tries every point of the production-readiness gate on this machine. Nothing is recorded; one empty
 * file is made beside the ledger and taken away.
 *
 * @throws {@link ConfigError} `ERR_CONFIG_INVALID` when there is no usable place for state
 */
export async function gate(options: GateOptions = {}): Promise<GateReport> {
  const home = findHome(options.env ?? process.env)
  const looking = { options, home, now: options.now?.() ?? new Date() }
  const points: GatePoint[] = []
  for (const name of NAMES) points.push(await pointOf(name, looking))
  return { ok: points.every(({ ok }) => ok), points }
}

const isName = (name: string): name is GateName => Object.hasOwn(GATE_POINTS, name)
const NAMES: readonly GateName[] = Object.keys(GATE_POINTS).filter(isName)
