// SPDX-License-Identifier: Apache-2.0
// The limits that every command has, seen from inside and, as the control, from outside.
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { commandOf, contractOf, policyOf, writeDocuments } from './support/documents.js'
import { finish } from './support/processes.js'
import { PYTHON } from './support/range.js'
import { Stage, withoutPrograms, withoutSandbox } from './support/stage.js'
import { UNPRIVILEGED } from './support/users.js'

/** Forks children that live as long as their parent, and says how many there could be. */
const FORK = `import errno, os
alive, end = os.pipe()
made = 0
try:
    while made < 1100:
        if os.fork() == 0:
            os.close(end)
            os.read(alive, 1)
            os._exit(0)
        made += 1
    print("all")
except OSError as error:
    print(errno.errorcode[error.errno], made > 900)
`
/** Makes a file of 5 GiB that holds nothing. */
const GROW = `import errno, os, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
fd = os.open("grown", os.O_RDWR | os.O_CREAT)
try:
    os.ftruncate(fd, 5 << 30)
    print("all")
except OSError as error:
    print(errno.errorcode[error.errno], os.fstat(fd).st_size)
`
/** Opens what is always there until no more can be open. */
const OPEN = `import errno, os, resource
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
try:
    while os.open("/dev/null", os.O_RDONLY) < 16400:
        pass
    print("all")
except OSError as error:
    print(errno.errorcode[error.errno], hard)
`

/** Where the machine itself allows less than our limit, that limit cannot be seen. */
const hard = Number(execFileSync('/bin/sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' }))

const LIMITS = [
  { name: 'processes', program: FORK, inside: 'EAGAIN True' },
  { name: 'the size of a file', program: GROW, inside: 'EFBIG 0' },
  ...(hard < 16_500 ? [] : [{ name: 'open files', program: OPEN, inside: 'EMFILE 16384' }]),
]

let stage: Stage

beforeAll(() => {
  stage = new Stage()
})

afterAll(() => stage.dispose())

const skip = withoutPrograms(PYTHON) || (await withoutSandbox(UNPRIVILEGED))

describe.skipIf(skip)('a command of an unprivileged user is held to a limit on', () => {
  it.each(LIMITS)('$name', async ({ program, inside }) => {
    const script = join(stage.folder(), 'program.py')
    writeFileSync(script, program)
    const outside = stage.folder(UNPRIVILEGED)
    const control = await finish(PYTHON, [script], { user: UNPRIVILEGED, cwd: outside })
    expect(control.stdout.trim()).toBe('all')

    const work = stage.folder(UNPRIVILEGED)
    const command = commandOf({ argv: [PYTHON, script], cwd: work, read: [script], write: [work] })
    const files = writeDocuments(stage.folder(), contractOf([command]), policyOf([PYTHON]))
    const argv = ['run', files.contract, files.policy, '--quiet']
    const home = stage.home(UNPRIVILEGED)
    const ended = await stage.ambit(argv, { user: UNPRIVILEGED, home })
    expect(ended).toMatchObject({ code: 0, stdout: `${inside}\n` })
  })
})
