// SPDX-License-Identifier: Apache-2.0

// Options of ordinary programs that carry a command line: what they name is run as `sh -c` would.

/** One program's options that carry a command. */
interface Carrier {
  /** Short options, matched at the start of an argument, such as `-O`. */
  readonly short: readonly string[]
  /** Long options without `--`; an unambiguous beginning counts, as with getopt_long. */
  readonly long: readonly string[]
  /** Other arguments that carry a command. */
  readonly other: RegExp
}

const NEVER = /(?!)/

const none: Carrier = { short: [], long: [], other: NEVER }

// awk's program is text always, and what it is for; with these it starts others.
const awk: Carrier = {
  ...none,
  short: ['-l', '-i'],
  long: ['load', 'include'],
  other: /\bsystem\s*\(|\|&?\s*(?:getline|")|"\s*\|(?!\|)|@(?:include|load)\b/,
}

const ssh: Carrier = {
  ...none,
  other: /^(?:-o\s*)?(?:KnownHostsCommand|LocalCommand|PermitLocalCommand|ProxyCommand)[\s=]/i,
}

const vim: Carrier = { ...none, short: ['-S', '-c'], long: ['cmd'], other: /^\+(?![\d/]|$)/ }

const CARRIERS = new Map<string, Carrier>([
  ['env', { short: ['-S'], long: ['split-string'], other: /^-[iv0]+S/ }],
  [
    'gdb',
    { short: ['-ex', '-iex'], long: ['ex', 'eval-command', 'init-eval-command'], other: NEVER },
  ],
  ['awk', awk],
  ['bun', { ...none, other: /^exec$/ }],
  ['crystal', { ...none, other: /^eval$/ }],
  [
    'emacs',
    {
      ...none,
      long: ['eval', 'execute', 'funcall', 'load'],
      other: /^-(?:eval|execute|f|funcall|l|load)$/,
    },
  ],
  ['gawk', awk],
  ['gmake', { short: ['-E'], long: ['eval'], other: /^(?:SHELL|MAKEFLAGS)\s*[:+?]*=/ }],
  ['less', { ...none, other: /^\+.*[!|]/s }],
  ['make', { short: ['-E'], long: ['eval'], other: /^(?:SHELL|MAKEFLAGS)\s*[:+?]*=/ }],
  ['deno', { short: [], long: [], other: /^(?:eval|repl|-|data:.*)$/i }],
  ['man', { ...none, short: ['-H', '-P'], long: ['html', 'pager'] }],
  ['mawk', awk],
  ['mysql', { ...none, other: /\\!|^\s*system\b/i }],
  ['nawk', awk],
  ['nim', { ...none, other: /^--eval:/ }],
  ['nix-shell', { ...none, long: ['command', 'run'] }],
  ['npm', { short: [], long: ['call', 'script-shell'], other: NEVER }],
  ['npx', { short: ['-c'], long: ['call', 'script-shell'], other: NEVER }],
  ['nvim', vim],
  ['psql', { ...none, other: /\\!|\bprogram\b/i }],
  ['rg', { short: [], long: ['pre', 'hostname-bin'], other: NEVER }],
  ['rsync', { ...none, short: ['-e'], long: ['rsh', 'rsync-path'] }],
  ['scp', { ...ssh, short: ['-S'] }],
  ['sftp', { ...ssh, short: ['-S'] }],
  ['sort', { ...none, long: ['compress-program'] }],
  ['split', { ...none, long: ['filter'] }],
  ['sqlite3', { ...none, other: /^\s*\.(?:import|once|output|sh|shell|system)\b/ }],
  ['ssh', ssh],
  [
    'tar',
    {
      short: ['-I', '-F'],
      long: [
        'checkpoint-action',
        'info-script',
        'new-volume-script',
        'rmt-command',
        'rsh-command',
        'to-command',
        'use-compress-program',
      ],
      other: NEVER,
    },
  ],
  ['vi', vim],
  ['vim', vim],
  ['zip', { ...none, short: ['-TT'], long: ['unzip-command'] }],
])

function matchesLong(argument: string, names: readonly string[]): boolean {
  if (!argument.startsWith('--') || argument.length < 4) return false
  const name = argument.slice(2).split('=', 1)[0] ?? ''
  return names.some((option) => option.startsWith(name))
}

function matches(argument: string, { short, long, other }: Carrier): boolean {
  return (
    short.some((option) => argument.startsWith(option)) ||
    matchesLong(argument, long) ||
    other.test(argument)
  )
}

// Settings whose value git runs, or that lead git to files whose content it runs.
const GIT_COMMAND_SETTING =
  /^(?:alias\..*|pager\..*|gpg\..*|include.*\.path|core\.(?:fsmonitor|pager|editor|sshcommand|hookspath|askpass|gitproxy|alternaterefscommand)|diff\.external|init\.templatedir|interactive\.difffilter|sequence\.editor|uploadpack\.packobjectshook|protocol\..*|credential(?:\..*)?\.helper|.*\.(?:textconv|clean|smudge|process|driver|cmd|command|program|uploadpack|receivepack|vcs|update))$/i

const GIT_HARMLESS_VALUE = /^(?:true|false|0|1|cat|)$/i

const GIT_VALUE_OPTIONS = new Set([
  '-C',
  '--attr-source',
  '--git-dir',
  '--namespace',
  '--super-prefix',
  '--work-tree',
])

const GIT_LONG = ['exec', 'extcmd', 'open-files-in-pager', 'receive-pack', 'upload-pack']

const GIT_SUBCOMMANDS = new Map<string, RegExp>([
  ['bisect', /^run$/],
  ['clone', /^-u|^ext::/],
  ['difftool', /^-x/],
  ['fetch', /^ext::/],
  ['filter-branch', /^/],
  ['grep', /^-[^ef-]*O/],
  ['ls-remote', /^ext::/],
  ['mergetool--lib', /^/],
  ['pull', /^ext::/],
  ['push', /^ext::/],
  ['rebase', /^-[a-z]*x/],
  ['submodule', /^foreach$/],
])

function isGitCommandSetting(setting: string): boolean {
  const equals = setting.indexOf('=')
  const key = equals === -1 ? setting : setting.slice(0, equals)
  const value = equals === -1 ? 'true' : setting.slice(equals + 1)
  return GIT_COMMAND_SETTING.test(key) && !GIT_HARMLESS_VALUE.test(value)
}

/** What a global option of git means: it carries a command, or how many arguments it takes. */
function gitGlobal(argument: string, following: string): 'command' | number {
  if (argument === '-c') return isGitCommandSetting(following) ? 'command' : 2
  const [option, key = following] = argument.split('=', 2)
  if (option === '--config-env') {
    if (GIT_COMMAND_SETTING.test(key.split('=', 1)[0] ?? '')) return 'command'
    return argument === option ? 2 : 1
  }
  if (argument.startsWith('--exec-path=')) return 'command'
  return GIT_VALUE_OPTIONS.has(argument) ? 2 : 1
}

function gitCarriesCommand(args: readonly string[]): boolean {
  let at = 0
  while (args[at]?.startsWith('-') === true) {
    const meaning = gitGlobal(args[at] ?? '', args[at + 1] ?? '')
    if (meaning === 'command') return true
    at += meaning
  }
  const pattern = GIT_SUBCOMMANDS.get(args[at] ?? '') ?? NEVER
  return options(args.slice(at + 1)).some((argument, index, rest) => {
    const setting = argument === '-c' || argument === '--config' ? rest[index + 1] : undefined
    return (
      matchesLong(argument, GIT_LONG) ||
      pattern.test(argument) ||
      (setting !== undefined && isGitCommandSetting(setting))
    )
  })
}

/** Returns what stands before `--`. */
function options(args: readonly string[]): readonly string[] {
  const end = args.indexOf('--')
  return end === -1 ? args : args.slice(0, end)
}

/** Says whether `npm` is called as `npm exec`. */
function runsPackage(args: readonly string[]): boolean {
  return options(args).some((argument) => argument === 'exec' || argument === 'x')
}

/**
 * Says whether an option of an ordinary program carries a command: `git -c core.fsmonitor=…`,
 * `make --eval …`, `rg --pre …`, `tar --to-command=…`.
 *
 * @param program its name, in lower case and without a path
 * @param args its arguments
 */
export function carriesCommand(program: string, args: readonly string[]): boolean {
  if (program === 'git') return gitCarriesCommand(args)
  const carrier = CARRIERS.get(program === 'npm' && runsPackage(args) ? 'npx' : program)
  return carrier !== undefined && options(args).some((argument) => matches(argument, carrier))
}
