// SPDX-License-Identifier: Apache-2.0
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { aimsOf } from '../benches/lib/aims.js'
import { bwrapArguments, withoutEtc } from '../benches/lib/bwrap.js'
import { ratio, shuffled, summarize } from '../benches/lib/stats.js'

interface Row {
  readonly name: string
  readonly absent?: string
  readonly min_ms: number
  readonly median_ms: number
  readonly p95_ms: number
}

interface Report {
  readonly version: string
  readonly name: string
  readonly machine: Readonly<Record<string, unknown>>
  readonly load_after: number
  readonly rounds: number
  readonly rows: readonly Row[]
  readonly ratios: Readonly<Record<string, number | null>>
  readonly rss_mib: number
  readonly large_rss_mib: number
  readonly throughput: readonly { name: string; per_s: Readonly<Record<string, number>> }[]
  readonly aims: readonly { want: string; got: number | null; met: boolean | null }[]
}

const RECEIPTS = fileURLToPath(new URL('../benches/receipts.js', import.meta.url))
const LAUNCH = fileURLToPath(new URL('../benches/launch.js', import.meta.url))
const STEADY = fileURLToPath(new URL('../benches/steady.js', import.meta.url))
const OURS = new Set(['spawn', 'launch', 'run'])
const ROWS = [
  'exec',
  'spawn',
  'bwrap',
  'bwrap_small',
  'launch_lite',
  'launch',
  'run',
  'landrun',
  'nono',
  'sandbox-runtime',
  'sandlock',
]
const WANTED = ['≤ 1.4', '≤ 1.25', '≤ 0.2', '≥ 2.5', '≥ 4', '≥ 3', '≥ 100']
const RATIOS = [
  ['launch_to_bwrap', 'launch', 'bwrap'],
  ['launch_to_bwrap_small', 'launch', 'bwrap_small'],
  ['launch_to_spawn', 'launch', 'spawn'],
  ['run_to_launch', 'run', 'launch'],
] as const

function kindsOf(object: object): Record<string, string> {
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [name, typeof value]))
}

async function bench(args: readonly string[], program = LAUNCH): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [program, ...args])
  return stdout
}

describe('the launch benchmark', () => {
  it('measures every row in one run and says on what', { timeout: 120_000 }, async () => {
    const report = JSON.parse(await bench(['--smoke', '--json'])) as Report
    const { machine, rows, ratios, aims, ...rest } = report
    expect(kindsOf(rest)).toEqual({
      version: 'string',
      name: 'string',
      load_after: 'number',
      rounds: 'number',
      rss_mib: 'number',
      large_rss_mib: 'number',
      large_rows: 'object',
      throughput: 'object',
      commands: 'object',
    })
    expect(report.large_rss_mib).toBeGreaterThanOrEqual(300)
    expect(report.throughput.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['spawn', 'launch']),
    )
    for (const { per_s } of report.throughput) {
      expect(Object.keys(per_s)).toEqual(['1', '2', '16', '64'])
    }
    expect(aims.map(({ want }) => want)).toEqual(WANTED)
    expect([report.version, report.name, report.rounds]).toEqual(['ambit.bench.v1', 'launch', 20])
    expect(kindsOf(machine)).toEqual({
      kernel: 'string',
      cpu: 'string',
      cores: 'number',
      memory_mib: 'number',
      node: 'string',
      root: 'boolean',
      load: 'number',
    })
    expect([machine['node'], machine['root']]).toEqual([
      process.versions.node,
      process.geteuid?.() === 0,
    ])
    expect(rows.map(({ name }) => name)).toEqual(ROWS)
    const measured = rows.filter(({ absent }) => absent === undefined)
    for (const { name, ...figures } of measured) {
      expect(Object.keys(figures)).toEqual(['min_ms', 'median_ms', 'p95_ms'])
      const { min_ms, median_ms, p95_ms } = figures
      const ordered = 0 < min_ms && min_ms <= median_ms && median_ms <= p95_ms
      expect({ name, ordered }).toEqual({ name, ordered: true })
    }
    // only what is not ours can be absent, and it says why
    const absent = rows.filter((row) => row.absent !== undefined)
    expect(absent.map(({ name }) => name).filter((name) => OURS.has(name))).toEqual([])
    expect(absent.map(({ absent: why }) => why)).not.toContain('')
    const median = (name: string) => measured.find((row) => row.name === name)?.median_ms
    const want = RATIOS.map(([name, a, b]) => [name, ratio(median(a), median(b))])
    expect(ratios).toEqual(Object.fromEntries(want))
  })

  it.each([['0'], ['x'], ['1.5']])('refuses --rounds %s', async (rounds) => {
    await expect(bench([`--rounds=${rounds}`])).rejects.toMatchObject({
      code: 1,
      stdout: '',
      stderr: '\n--rounds takes a whole number from 1\n',
    })
  })
})

describe('the profile that bubblewrap gets', () => {
  const plan = { cwd: '/w', env: { PATH: '/usr/bin' } }
  const mountinfo = [
    '60 1 254:0 /w/a\\040b/out /w/a\\040b/out rw,nosuid - ext4 /dev/vda rw',
    '61 1 254:0 /usr /usr ro,nosuid,nodev - ext4 /dev/vda rw',
    '62 1 0:6 /null /dev/null rw,nosuid - devtmpfs devtmpfs rw',
    '63 1 0:6 /zero /dev/zero rw,nosuid - devtmpfs devtmpfs rw',
    '64 1 254:0 /etc/services /etc/services ro - ext4 /dev/vda rw',
    '65 1 0:40 / / ro - tmpfs tmpfs rw',
    '66 65 0:41 / /tmp rw - tmpfs tmpfs rw',
    '67 65 0:42 / /dev/shm rw - tmpfs tmpfs rw',
    '68 65 0:43 / /proc rw - proc proc rw',
    '69 66 0:40 /w /w ro - tmpfs tmpfs rw',
    '',
  ].join('\n')
  const args = bwrapArguments(plan, mountinfo, [])

  it('has every mount of ours, parents first, and gives up what we give up', () => {
    expect(args.join(' ')).toBe(
      '--unshare-all --die-with-parent --new-session --cap-drop ALL --uid 1000 --gid 1000' +
        ' --hostname ambit --clearenv --setenv PATH /usr/bin' +
        ' --dev /dev --tmpfs /dev/shm --ro-bind /etc/services /etc/services --proc /proc' +
        ' --tmpfs /tmp --ro-bind /usr /usr --ro-bind /w /w --bind /w/a b/out /w/a b/out' +
        ' --symlink /tmp /var/tmp --remount-ro / --chdir /w --',
    )
  })

  it('can be had without /etc', () => {
    const etc = ['--ro-bind', '/etc/services', '/etc/services']
    const at = args.indexOf('/etc/services') - 1
    expect(args.slice(at, at + 3)).toEqual(etc)
    expect(withoutEtc(args)).toEqual([...args.slice(0, at), ...args.slice(at + 3)])
  })
})

describe('figures', () => {
  it.each([
    ['one', [2.00049], { min_ms: 2, median_ms: 2, p95_ms: 2 }],
    ['two', [4, 1], { min_ms: 1, median_ms: 1, p95_ms: 4 }],
    ['three', [3, 10, 1], { min_ms: 1, median_ms: 3, p95_ms: 10 }],
    [
      'a hundred',
      Array.from({ length: 100 }, (_, at) => 100 - at),
      { min_ms: 1, median_ms: 50, p95_ms: 95 },
    ],
  ])('of %s are times that were measured', (_, times, want) => {
    expect(summarize(times)).toEqual(want)
  })

  it.each([
    [3, 2, 1.5],
    [1, 3, 0.33],
    [1, undefined, null],
    [undefined, 1, null],
  ])('%s to %s is %s', (a, b, want) => {
    expect(ratio(a, b)).toBe(want)
  })

  it('keep all rows when their order changes', () => {
    const rows = ['a', 'b', 'c']
    expect(new Set(shuffled(rows))).toEqual(new Set(rows))
    expect(shuffled(rows)).toHaveLength(rows.length)
    expect(rows).toEqual(['a', 'b', 'c'])
  })
})

describe('aims', () => {
  const of = (medians: Readonly<Record<string, number>>) =>
    Object.entries(medians).map(([name, median_ms]) => ({ name, median_ms }))

  it('are met, not met or not measured', () => {
    const aims = aimsOf({
      rows: of({ exec: 1, spawn: 2, bwrap: 5, launch: 2.5 }),
      large_rows: of({ spawn: 10, launch: 2.5 }),
      commands: of({ command: 100, csc_hardened: 250 }),
      throughput: [
        { name: 'launch', per_s: { 16: 400 } },
        { name: 'bwrap', per_s: { 16: 100 } },
      ],
    })
    expect(aims.map(({ got, met }) => [got, met])).toEqual([
      [null, null],
      [1.25, true],
      [0.25, false],
      [2, false],
      [4, true],
      [2.5, false],
      [100, true],
    ])
  })
})

describe('the benchmark of what goes on inside', () => {
  it('measures every kind outside and inside', { timeout: 60_000 }, async () => {
    const report = JSON.parse(await bench(['--smoke', '--json'], STEADY)) as {
      tier: string
      rows: readonly { kind: string; outside_ns: number; inside_ns: number; ratio: number }[]
    }
    expect(report.tier).toBe('full')
    expect(report.rows.map(({ kind }) => kind)).toEqual(['open_close', 'stat', 'getppid', 'spawn'])
    for (const { outside_ns, inside_ns, ratio: quotient } of report.rows) {
      expect(outside_ns).toBeGreaterThan(0)
      expect(quotient).toBeCloseTo(inside_ns / outside_ns, 1)
    }
  })
})

describe('the receipts benchmark', () => {
  it('measures ours against what is installed, in one run', async () => {
    const report = JSON.parse(await bench(['--smoke', '--json'], RECEIPTS)) as Omit<
      Report,
      'rows'
    > & { readonly rows: readonly { name: string; absent?: string; median_us?: number }[] }
    expect([report.version, report.name, report.rounds]).toEqual(['ambit.bench.v1', 'receipts', 5])
    expect(report.rows.map(({ name }) => name)).toEqual([
      'canonicalize',
      'canonicalize_bytes',
      'sha256',
      'node_sha256',
      'sign',
      'node_signature',
      'npm_canonicalize',
      'node_crypto',
      'noble',
      'csc_python',
      'agt_python',
    ])
    for (const { name, absent, median_us } of report.rows) {
      expect([name, absent === undefined ? (median_us ?? 0) > 0 : absent !== '']).toEqual([
        name,
        true,
      ])
    }
    expect(report.ratios['node_signature_to_sign']).toBeGreaterThan(0)
  })
})
