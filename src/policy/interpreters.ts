// SPDX-License-Identifier: Apache-2.0

/** How an interpreter reads its command line, as far as code given as text is concerned. */
export interface Interpreter {
  /** Letters of a short-option cluster that bring code, or make it read code from stdin. */
  readonly codeShort: string
  /** Letters that take a value: the rest of the cluster, or the next argument. */
  readonly valueShort: string
  /** Those letters of `valueShort` whose value may be code. */
  readonly suspectShort: string
  /** Long options that bring code, without `--`. */
  readonly codeLong: readonly string[]
  /** Long options that take the next argument as value, without `--`. */
  readonly valueLong: readonly string[]
  /** Long options known to take no value. After any other one, every argument is suspect. */
  readonly flagLong: RegExp
  /** Options with which nothing is read from stdin, though no file is named. */
  readonly info: RegExp
  /** Suspect values that are code. */
  readonly codeValue: RegExp
  /** `stdin`: code is read from there when no file is named; `anywhere`: options follow operands. */
  readonly operands: 'anywhere' | 'stdin'
}

const NEVER = /(?!)/

const plain: Interpreter = {
  codeShort: 'e',
  valueShort: '',
  suspectShort: '',
  codeLong: [],
  valueLong: [],
  flagLong: NEVER,
  info: /^(?:--?version|--?help|-[hV])$/,
  codeValue: NEVER,
  operands: 'stdin',
}

const shell: Interpreter = {
  ...plain,
  codeShort: 'cs',
  valueShort: 'oO',
  codeLong: ['command', 'init-command'],
  valueLong: ['rcfile', 'init-file'],
  flagLong: /^(?:login|noprofile|norc|posix|restricted|verbose|noediting|debugger)$/,
  info: /^--(?:version|help)$/,
}

/** Shells of other families; some of them know `--commands`. */
const otherShell: Interpreter = { ...shell, codeLong: [...shell.codeLong, 'commands', 'execute'] }

const fish: Interpreter = { ...shell, codeShort: 'cC', valueShort: 'dDfo' }

// `-m` with one of these modules takes code as an argument, on stdin, or runs another module.
const PYTHON_CODE_MODULES =
  /^(?:timeit|code|codeop|pdb|bdb|idlelib|IPython|cProfile|profile|trace|runpy|asyncio)$/

const python: Interpreter = {
  ...plain,
  codeShort: 'ci',
  valueShort: 'WXQm',
  valueLong: ['check-hash-based-pycs'],
  info: /^(?:--version|--help(?:-\w+)?|-h|-\?|-V+)$/,
}

const node: Interpreter = {
  ...plain,
  codeShort: 'epi',
  valueShort: 'rC',
  suspectShort: 'r',
  codeLong: ['eval', 'print', 'interactive'],
  valueLong: [
    'conditions',
    'cpu-prof-dir',
    'diagnostic-dir',
    'env-file',
    'env-file-if-exists',
    'experimental-loader',
    'icu-data-dir',
    'import',
    'input-type',
    'loader',
    'localstorage-file',
    'require',
    'test-concurrency',
    'test-name-pattern',
    'test-reporter',
    'test-reporter-destination',
    'test-timeout',
    'title',
    'watch-path',
  ],
  flagLong:
    /^(?:allow|enable|experimental|expose|harmony|inspect|jitless|no|permission|preserve|prof|test|throw|trace|use|watch)\b/,
  info: /^(?:--version|-v|--help|-h|--test|--run(?:=.*)?|--v8-options|--completion-bash)$/,
  codeValue: /^data:/i,
}

const perl: Interpreter = {
  ...plain,
  codeShort: 'eE',
  valueShort: 'ImMxFi',
  suspectShort: 'mM',
  info: /^-(?:v|V.*|h|\?|-help|-version)$/,
  // `-M` and `-m` end up in a `use` statement, where more than a module name is code.
  codeValue: /[^\w:=,.+/@~-]/,
}

const ruby: Interpreter = {
  ...plain,
  valueShort: 'rICEFKTWxi',
  valueLong: ['encoding', 'external-encoding', 'internal-encoding', 'enable', 'disable'],
  flagLong: /^(?:yjit|jit|rjit|debug|verbose|enable-|disable-)/,
  info: /^(?:--version|-v|--help|-h|--copyright)$/,
}

const php: Interpreter = {
  ...plain,
  codeShort: 'rRBEa',
  valueShort: 'cdftzSgF',
  suspectShort: 'd',
  codeLong: ['run', 'process-code', 'process-begin', 'process-end', 'interactive'],
  valueLong: ['define', 'file', 'php-ini', 'docroot', 'server', 'zend-extension'],
  info: /^-(?:v|i|m|h|-version|-info|-modules|-help|-ini|f.*|S.*|-file(?:=.*)?|-server(?:=.*)?)$/,
  codeValue: /^(?:auto_prepend_file|auto_append_file)\b/i,
}

const lua: Interpreter = { ...plain, codeShort: 'ei', valueShort: 'lW' }

const bun: Interpreter = {
  ...node,
  info: /^(?:--version|-v|--help|-h|--revision|run|test|install|i|add|build|x)$/,
}

const powershell: Interpreter = { ...plain, codeShort: 'ceCE', valueShort: 'fF' }

const evaluator: Interpreter = {
  ...plain,
  codeShort: 'eE',
  codeLong: ['eval', 'execute', 'expression', 'print', 'e'],
}

const scheme: Interpreter = { ...evaluator, codeShort: 'ceE' }

const lisp: Interpreter = { ...evaluator, codeShort: 'x' }

const prolog: Interpreter = { ...evaluator, codeShort: 'gt', codeLong: ['goal'] }

const tcl: Interpreter = { ...plain, codeShort: 'c' }

const dashC: Interpreter = {
  ...plain,
  codeShort: 'c',
  codeLong: ['command', 'session-command'],
  operands: 'anywhere',
}

const FAMILIES: readonly (readonly [RegExp, Interpreter])[] = [
  [/^(?:bo|hu|lk|o|po|sa|xon|y)sh$|^(?:elvish|es|ion|nu|rc)$/, otherShell],
  [/^(?:r?ba|da|a|z|[mpo]?d?k|c|tc|ya|r|ha)?sh(?:-?\d[\d.]*)?$/, shell],
  [/^fish$/, fish],
  [/^(?:[bi]|pt|j|micro)?python[\d.]*[a-z]?(?:-dbg)?$|^(?:pypy|graalpy)[\d.]*$/, python],
  [/^(?:node|nodejs)[\d.]*$/, node],
  [/^bun$/, bun],
  [/^perl[\d.]*$/, perl],
  [/^j?ruby[\d.]*$|^irb$/, ruby],
  [/^php[\d.]*(?:-cli|-cgi)?$/, php],
  [/^lua(?:jit)?[\d.-]*$/, lua],
  [/^(?:pwsh|powershell)$/, powershell],
  [/^(?:rscript|julia|groovy|elixir|scala|octave|ghc|clojure|osascript)$/, evaluator],
  [/^(?:csi|d8|ecl|erl|esno|ghci|groovysh|gst|iex|jjs|jrunscript|kotlinc?|nashorn)$/, evaluator],
  [
    /^(?:mongo|mongosh|ocaml|perl6|qjs|r|raku|rhino|runghc|runhaskell|sbcl|ts-node|tsx)$/,
    evaluator,
  ],
  [/^(?:cjs|gjs|guile|racket)[\d.]*$/, scheme],
  [/^clisp$/, lisp],
  [/^swipl$/, prolog],
  [/^(?:expect|tclsh|wish)[\d.]*$/, tcl],
  [/^(?:su|runuser|script|flock|sg)$/, dashC],
]

/** Commands that are code by themselves: what follows is always run as text. */
export const ALWAYS_CODE = /^(?:at|batch|concurrently|eval|hyperfine|parallel|watch|watchexec)$/

/** Programs that start the command in their own arguments. */
const WRAPPERS: readonly RegExp[] = [
  /^(?:env|busybox|toybox|xargs|timeout|nice|ionice|chrt|taskset|nohup|setsid|stdbuf|time|find)$/,
  /^(?:command|exec|builtin|script|flock|unbuffer|rlwrap|entr|chronic|logsave|setarch|linux(?:32|64))$/,
  /^(?:sudo|doas|su|runuser|pkexec|gosu|su-exec|run0|setuidgid|chpst|softlimit|setlock|choom)$/,
  /^(?:unshare|nsenter|chroot|setpriv|prlimit|firejail|bwrap|proot|fakeroot|fakechroot|capsh|runcon)$/,
  /^(?:strace|ltrace|gdb|valgrind|perf|catchsegv|ip|numactl|cgexec|cpulimit|eatmydata|faketime)$/,
  /^(?:tmux|screen|start-stop-daemon|systemd-run|systemd-inhibit|dbus-run-session|dbus-launch)$/,
  /^(?:xvfb-run|ssh-agent|tini|dumb-init|catatonit|torsocks|torify|proxychains4?)$/,
  /^(?:npx|bunx|pnpm|yarn|uv|uvx|poetry|pipenv|hatch|pdm|rye|bundle|direnv)$/,
  /^(?:conda|mamba|micromamba|mise|asdf|nix|nix-shell|guix|corepack|volta|fnm|nvm|pyenv|rbenv|nodenv)$/,
  /^(?:docker|podman|nerdctl|kubectl|oc|lxc|incus|caffeinate|arch|trickle|aa-exec|rtprio|cset)$/,
  /^(?:dtach|abduco|tox|nox|pipx|op|dotenv|dotenvx|aws-vault|doppler|infisical|chamber|envdir)$/,
  /^(?:cross-env|nodemon|coverage|cmake|just)$/,
  /^ld(?:-linux.*|-musl.*|-2.*)?\.so.*$/,
]

/**
 * Says whether a program starts the command in its own arguments.
 *
 * @param name see {@link programName}
 */
export function isWrapper(name: string): boolean {
  return WRAPPERS.some((pattern) => pattern.test(name))
}

/** Returns the last part of a path, in lower case and without `.exe`. */
export function programName(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1).toLowerCase()
  return name.endsWith('.exe') ? name.slice(0, -4) : name
}

/**
 * Returns how a program reads code from its command line.
 *
 * @param name see {@link programName}
 * @returns undefined for a program that is no known interpreter
 */
export function interpreterOf(name: string): Interpreter | undefined {
  return FAMILIES.find(([pattern]) => pattern.test(name))?.[1]
}

/** Says whether a Python module takes code as an argument. */
export function isPythonCodeModule(name: string): boolean {
  return PYTHON_CODE_MODULES.test(name.split('.')[0] ?? '')
}

/** Says whether an interpreter is Python, where `-m` ends the options. */
export function isPython(interpreter: Interpreter): boolean {
  return interpreter === python
}
