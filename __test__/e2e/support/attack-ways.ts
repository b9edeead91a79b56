// SPDX-License-Identifier: Apache-2.0
// The recorded ways around a list of program names.

/** What a way is made of. */
interface Ingredients {
  /** A line of shell that shows that it ran. */
  readonly act: string
  /** Where `act.sh` does the same, `shell` is a shell and `text` a text. */
  readonly work: string
}

/** One way to start a program through another. */
interface Way {
  readonly id: string
  readonly name: string
  readonly argv: (ingredients: Ingredients) => readonly string[]
  /** What a policy decides that lists the program and nothing else. */
  readonly decision: string
}

const INLINE = 'INLINE_CODE_DENIED'
const ALLOW = 'ALLOW'

export const WAYS: readonly Way[] = [
  {
    id: 'atk-070',
    name: 'perl5.36.0 -e',
    argv: ({ act }) => ['/usr/bin/perl5.36.0', '-e', `system(q{${act}})`],
    decision: INLINE,
  },
  {
    id: 'atk-072',
    name: 'find -exec',
    argv: ({ act }) => ['find', '/usr/bin/id', '-exec', 'sh', '-c', act, ';'],
    decision: INLINE,
  },
  {
    id: 'atk-073',
    name: 'git -c alias',
    argv: ({ act }) => ['git', '-c', `alias.x=!${act}`, 'x'],
    decision: INLINE,
  },
  {
    id: 'atk-075',
    name: 'vim -c',
    argv: ({ act }) => ['vim', '-es', '-c', `!${act}`, '-c', 'q'],
    decision: INLINE,
  },
  {
    id: 'atk-076',
    name: 'sed e',
    argv: ({ act }) => ['sed', `1e ${act}`, 'text'],
    decision: ALLOW,
  },
  {
    id: 'atk-077',
    name: 'tar --checkpoint-action',
    argv: () => [
      'tar',
      'cf',
      '/dev/null',
      '--checkpoint=1',
      '--checkpoint-action=exec=sh act.sh',
      'text',
    ],
    decision: INLINE,
  },
  {
    id: 'atk-078',
    name: 'timeout',
    argv: ({ act }) => ['timeout', '9', 'sh', '-c', act],
    decision: INLINE,
  },
  { id: 'atk-079', name: 'nice', argv: ({ act }) => ['nice', 'sh', '-c', act], decision: INLINE },
  {
    id: 'atk-080',
    name: 'setsid',
    argv: ({ act }) => ['setsid', 'sh', '-c', act],
    decision: INLINE,
  },
  {
    id: 'atk-082',
    name: 'flock',
    argv: ({ act, work }) => ['flock', work, 'sh', '-c', act],
    decision: INLINE,
  },
  {
    id: 'atk-083',
    name: 'script -c',
    argv: ({ act }) => ['script', '-qc', act, '/dev/null'],
    decision: INLINE,
  },
  {
    id: 'atk-084',
    name: 'nodejs -e',
    argv: ({ act }) => [
      'nodejs',
      '-e',
      `require('child_process').execSync(${JSON.stringify(act)})`,
    ],
    decision: INLINE,
  },
  {
    id: 'atk-085',
    name: 'make --eval',
    argv: ({ act }) => ['make', '--eval', `x:;${act}`, 'x'],
    decision: INLINE,
  },
  {
    id: 'atk-086',
    name: 'npm exec -c',
    argv: ({ act }) => ['npm', 'exec', '--offline', '-c', act],
    decision: INLINE,
  },
  {
    id: 'atk-087',
    name: 'the dynamic linker',
    argv: ({ act }) => ['/lib64/ld-linux-x86-64.so.2', '/bin/sh', '-c', act],
    decision: INLINE,
  },
  {
    id: 'atk-088',
    name: 'setpriv',
    argv: ({ act }) => ['setpriv', 'sh', '-c', act],
    decision: INLINE,
  },
  {
    id: 'atk-089',
    name: 'prlimit',
    argv: ({ act }) => ['prlimit', 'sh', '-c', act],
    decision: INLINE,
  },
  {
    id: 'atk-090',
    name: 'rg --pre',
    argv: ({ work }) => ['rg', '--pre', `${work}/act.sh`, 'one', 'text'],
    decision: INLINE,
  },
  {
    id: 'atk-091',
    name: 'start-stop-daemon',
    argv: ({ act, work }) => [
      '/usr/sbin/start-stop-daemon',
      '--start',
      '--exec',
      `${work}/shell`,
      '--',
      '-c',
      act,
    ],
    decision: ALLOW,
  },
  {
    id: 'atk-092',
    name: 'run-parts',
    argv: ({ work }) => ['run-parts', '--regex=^act', work],
    decision: ALLOW,
  },
  {
    id: 'atk-093',
    name: 'gdb -ex',
    argv: ({ act }) => ['gdb', '-batch', '-nx', '-ex', `!${act}`],
    decision: INLINE,
  },
  {
    id: 'atk-095',
    name: 'tmux new',
    argv: ({ act }) => ['tmux', '-L', 'ambit-attack', 'new', '-d', act],
    decision: ALLOW,
  },
  {
    id: 'atk-098',
    name: 'python3 -c',
    argv: ({ act }) => ['/usr/bin/python3', '-c', `import os; os.system(${JSON.stringify(act)})`],
    decision: INLINE,
  },
  {
    id: 'atk-099',
    name: 'env sh -c',
    argv: ({ act }) => ['env', 'sh', '-c', act],
    decision: INLINE,
  },
]
