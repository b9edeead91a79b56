// SPDX-License-Identifier: Apache-2.0
// Attempts to break out, as root and as a user without rights: first outside the sandbox, where the
// act succeeds, then inside, where it fails as this file says, and the host has seen nothing.
import { type TestContext, afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PROBES, type Probe } from './support/probes.js'
import { type Attempt, COMPILER, PYTHON, Range, compile } from './support/range.js'
import { Stage, withoutPrograms, withoutSandbox } from './support/stage.js'
import { USERS, type User, isRoot } from './support/users.js'

const ESCAPED = 10
const SIGSYS = 31
const KILLED = { kind: 'signaled', signal: SIGSYS }
const EXITED = { kind: 'exited', code: 0 }

/** No socket can be made at all. */
const NO_SOCKET = 'BLOCKED uncaught PermissionError: [Errno 1] Operation not permitted\n'

/** What each probe says when it is blocked, paths left out; `''` and no code: killed by SIGSYS. */
const BLOCKED: Readonly<Record<string, string>> = {
  'fs-read-outside': 'BLOCKED ENOENT\n',
  'fs-list-outside': 'BLOCKED ENOENT\n',
  'fs-read-symlink': 'BLOCKED ENOENT\n',
  'fs-read-hardlink': 'BLOCKED link ENOENT\n',
  'fs-read-proc-root': 'BLOCKED no process leaks the file\n',
  'fs-read-devices': 'BLOCKED none openable\n',
  'fs-write-outside': 'BLOCKED ENOENT\n',
  'fs-write-host-tmp': 'wrote; host oracle decides\n',
  'fs-write-githook': 'BLOCKED EROFS\n',
  'fs-write-githook-rename': 'BLOCKED EBUSY\n',
  'fs-read-dotenv': 'BLOCKED no canary\n',
  'fs-write-ro-truncate': 'BLOCKED EROFS\n',
  'fs-write-ro-chmod': 'EROFS\nEROFS\nEROFS\nBLOCKED metadata immutable\n',
  'fs-fd-leak': 'BLOCKED no inherited descriptors\n',
  'fs-dev-shm': 'wrote\n',
  'ns-userns': 'BLOCKED EPERM\n',
  'ns-clone3': 'BLOCKED ENOSYS\n',
  'ns-mount': 'BLOCKED mount EPERM, unshare EPERM\n',
  'sys-iouring': 'BLOCKED io_uring_setup ENOSYS\n',
  'sys-userfaultfd': 'BLOCKED userfaultfd EPERM\n',
  'sys-bpf': 'BLOCKED bpf EPERM\n',
  'sys-perf': 'BLOCKED perf_event_open EPERM\n',
  'sys-keyctl': 'BLOCKED EPERM\n',
  'sys-int80': '',
  'sys-int80-unshare': '',
  'sys-memfd-exec': 'BLOCKED memfd_create EPERM\n',
  'proc-ptrace': 'BLOCKED EPERM\n',
  'proc-environ': 'BLOCKED ENOENT\n',
  'proc-kill': 'BLOCKED ESRCH\n',
  'proc-list': 'BLOCKED 2 pids visible\n',
  'proc-daemon': '',
  'priv-nnp': 'BLOCKED nnp=1 caps=0\n',
  'net-tcp-lo': NO_SOCKET,
  'net-udp': NO_SOCKET,
  'net-tfo': NO_SOCKET,
  'net-mptcp': 'BLOCKED socket EPERM\n',
  'net-abstract': NO_SOCKET,
  'net-unix-path': NO_SOCKET,
  'tty-tiocsti': 'BLOCKED EPERM\n',
  'env-secret': 'BLOCKED scrubbed\n',
}

const BY_SIGNAL = new Set(['sys-int80', 'sys-int80-unshare'])

/** Acts that many kernels refuse to a user without rights anyway: the control counts only as root. */
const ROOT_ONLY: Readonly<Record<string, string>> = {
  'fs-read-devices': 'device nodes usually belong to root',
  'proc-ptrace': 'kernel.yama.ptrace_scope',
  'sys-bpf': 'kernel.unprivileged_bpf_disabled',
  'sys-iouring': 'kernel.io_uring_disabled',
  'sys-perf': 'kernel.perf_event_paranoid',
  'tty-tiocsti': 'dev.tty.legacy_tiocsti',
}

/** Probes that also go through the command line, which has descriptors and secrets of its own. */
const BY_COMMAND_LINE = PROBES.filter(({ id }) =>
  ['env-secret', 'fs-fd-leak', 'fs-read-outside', 'fs-write-outside', 'net-tcp-lo'].includes(id),
)

const skipAll = withoutPrograms(PYTHON, COMPILER, '/bin/sleep')
const users: { user: User; skip: boolean }[] = []
for (const user of USERS) users.push({ user, skip: skipAll || (await withoutSandbox(user)) })

let stage: Stage

beforeAll(() => {
  stage = new Stage()
  compile(stage)
})

afterAll(() => stage.dispose())

/** Says whether an attempt got out, by the word of whoever decides. */
const gotOut = ({ answer, seen }: Attempt): boolean => seen ?? answer.code === ESCAPED

/** Returns what a probe said without the paths in it. */
const said = (text: string | undefined): string | undefined =>
  text?.replaceAll('\r\n', '\n').replaceAll(/\/\S+ /gu, '')

/** Shows that the act is one that works. Elsewhere than in CI a machine may lack it. */
function control(probe: Probe, user: User, attempt: Attempt, context: TestContext): boolean {
  if (gotOut(attempt)) return true
  if (!isRoot(user) && probe.id in ROOT_ONLY) return false
  const { stdout, stderr } = attempt.answer
  const reason = `control of ${probe.id}: ${stdout}${stderr}`
  if (process.env['REQUIRE_SANDBOX'] !== '1') context.skip(reason)
  throw new Error(`nothing to block: ${reason}`)
}

/** Returns what was seen of an attempt. The terminal shows what `ambit` itself says, too. */
function seenOf({ needs_pty }: Probe, { answer, seen }: Attempt): object {
  const text = said(answer.stdout) ?? ''
  return { ...answer, seen, stdout: needs_pty ? text.slice(0, text.indexOf('\n') + 1) : text }
}

/** Returns what is to be seen of an attempt that is blocked. */
function blockedAs(probe: Probe): object {
  const killed = BY_SIGNAL.has(probe.id)
  const run = { tier: 'full', termination: killed ? KILLED : EXITED }
  return {
    stdout: BLOCKED[probe.id],
    stderr: '',
    seen: probe.oracle === 'self' ? undefined : false,
    code: killed ? 128 + SIGSYS : 0,
    ...(!probe.needs_pty && run),
  }
}

it('has an answer for every probe, and none for others', () => {
  expect(Object.keys(BLOCKED).toSorted()).toEqual(PROBES.map(({ id }) => id).toSorted())
  expect(PROBES.map(({ id }) => id)).toEqual(expect.arrayContaining(Object.keys(ROOT_ONLY)))
})

for (const { user, skip } of users) {
  describe.skipIf(skip)(`as ${user.name}`, () => {
    let range: Range
    const count = { blocked: 0, controls: 0 }

    beforeAll(async () => {
      range = await Range.open(stage, user)
    })

    afterAll(() => {
      range.close()
      const { blocked, controls } = count
      const line = `${blocked} probes blocked, ${controls} controls succeeded`
      process.stdout.write(`as ${user.name}: ${line}\n`)
    })

    it.for(PROBES)('blocks $id', async (probe, context) => {
      if (control(probe, user, await range.outside(probe), context)) count.controls += 1
      expect(seenOf(probe, await range.inside(probe))).toMatchObject(blockedAs(probe))
      count.blocked += 1
    })

    it.each(BY_COMMAND_LINE)('blocks $id through the command line', async (probe) => {
      const attempt = await range.insideByCommandLine(probe)
      const { stdout, seen, code } = { code: 0, ...blockedAs(probe) } as Record<string, unknown>
      expect(seenOf(probe, attempt)).toMatchObject({ code, signal: null, stdout, seen })
      expect(attempt.answer.stderr).toMatch(/^✓ success {2}exit 0 {2}sandbox full {2}run_\S+\n$/u)
    })
  })
}
