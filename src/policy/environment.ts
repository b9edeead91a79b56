// SPDX-License-Identifier: Apache-2.0

// Judges the names in `env_allow`. A contract chooses names, never values: those are the caller's.
// What is asked here is whether a caller's value under that name makes the command run other code
// than the contract says, or hands it a secret. The tables are ours and will miss a name.

/** Why a variable is not let in: it makes programs run other code, or its name says secret. */
export type EnvironmentRisk = 'code' | 'secret'

/** What makes programs load or start other code, by who reads it. In capitals, `-` as `_`. */
const CODE: readonly RegExp[] = [
  // ld.so(8), dyld, and what glibc loads later: gconv(5), getconf(1)
  /^(?:LD_|DYLD_)|^(?:GLIBC_TUNABLES|GCONV_PATH|GETCONF_DIR)$/,
  // shells: start files, options, exported functions, what is expanded for a prompt or a trace
  /^(?:BASH_FUNC_)|^(?:BASH_ENV|ENV|ZDOTDIR|SHELLOPTS|BASHOPTS|PROMPT_COMMAND|PS4)$/,
  // Node, Bun, npm
  /^(?:NODE_OPTIONS|NODE_PATH|NODE_REPL_EXTERNAL_MODULE|BUN_OPTIONS|BUN_INSPECT_PRELOAD)$/,
  /^NPM_CONFIG_(?:SCRIPT_SHELL|SHELL|NODE_OPTIONS|GIT|EDITOR|VIEWER|USERCONFIG|GLOBALCONFIG)$/,
  // python(1); a category in PYTHONWARNINGS is imported
  /^PYTHON(?:PATH|HOME|STARTUP|INSPECT|BREAKPOINT|WARNINGS|USERBASE|PLATLIBDIR|PYCACHEPREFIX)$/,
  /^PYTHON(?:EXECUTABLE|_PRESITE)$/,
  // perlrun(1), ruby(1), php(1), lua(1), R, PowerShell, .NET
  /^PERL5|^(?:PERLLIB|RUBYOPT|RUBYLIB|RUBYSHELL|GEM_HOME|GEM_PATH|BUNDLE_GEMFILE)$/,
  /^LUA_(?:INIT|C?PATH)|^R_(?:PROFILE|ENVIRON)|^(?:PHPRC|PHP_INI_SCAN_DIR)$/,
  /^(?:PSMODULEPATH|DOTNET_STARTUP_HOOKS)$/,
  // Java and its build tools
  /^(?:_JAVA_OPTIONS|JAVA_TOOL_OPTIONS|JDK_JAVA_OPTIONS|CLASSPATH|MAVEN_OPTS|GRADLE_OPTS)$/,
  // build tools that start what they are told to
  /^(?:MAKEFILES|MAKEFLAGS|GNUMAKEFLAGS|GOFLAGS|RUSTC_WRAPPER|RUSTC_WORKSPACE_WRAPPER)$/,
  /^(?:GCC_EXEC_PREFIX|COMPILER_PATH|RUSTC|RUSTDOC|RUSTFLAGS|RUSTDOCFLAGS)$/,
  /^CARGO_(?:ENCODED_RUSTFLAGS|BUILD_RUST.*|TARGET_.*_(?:RUNNER|LINKER|RUSTFLAGS))$/,
  // where other languages look for code
  /^(?:JULIA_LOAD_PATH|GUILE_LOAD_PATH|TCLLIBPATH|ERL_(?:A|Z)?FLAGS|ELIXIR_ERL_OPTIONS)$/,
  // git(1): programs it starts, where it finds them, and settings that name programs
  /^GIT_(?:SSH|SSH_COMMAND|PROXY_COMMAND|EXTERNAL_DIFF|PAGER|EDITOR|SEQUENCE_EDITOR|ASKPASS)$/,
  /^GIT_(?:EXEC_PATH|TEMPLATE_DIR|DIR|COMMON_DIR|ALLOW_PROTOCOL)$|^GIT_CONFIG(?!_NOSYSTEM$)/,
  // programs that git and others start
  /^(?:EDITOR|VISUAL|FCEDIT|PAGER|MANPAGER|BROWSER|LESSOPEN|LESSCLOSE|SSH_ASKPASS|SUDO_ASKPASS)$/,
  /^(?:CVS_RSH|RSYNC_RSH|RSYNC_CONNECT_PROG|SVN_SSH|TAR_OPTIONS)$/,
  // editors, gawk, OpenSSL
  /^(?:VIMINIT|GVIMINIT|EXINIT|AWKPATH|AWKLIBPATH|OPENSSL_(?:CONF|ENGINES|MODULES))$/,
]

/** Words that say secret, each by itself. */
const SECRET_WORDS: ReadonlySet<string> = new Set(
  `auth bearer cookie cookies cred creds jwt pass passcode pat sshpass xauthority`.split(' '),
)

/** Ends of words that say secret, also where words are written together (`PGPASSWORD`). */
const SECRET_END =
  /(?:tokens?|secrets?|passwords?|passwd|passphrase|passfile|credentials?|(?:api|access|private|secret|signing)keys?)$/

/** Addresses that usually hold a password. */
const SECRET_ADDRESS =
  /^(?:.*_)?(?:DATABASE|DB|POSTGRES|POSTGRESQL|MYSQL|REDIS|MONGO|MONGODB|RABBITMQ|AMQP)_UR[IL]$|CONNECTION_?STRING$/

/** Returns the words of a name, in lower case: `dbPassword2` is `db`, `password`. */
function wordsOf(name: string): readonly string[] {
  const apart = name.replaceAll(/([a-z])(?=[A-Z])/g, '$1_')
  return apart
    .toLowerCase()
    .split(/[^a-z]+/)
    .filter((word) => word !== '')
}

function isSecretWord(word: string, at: number, words: readonly string[]): boolean {
  if (SECRET_WORDS.has(word) || SECRET_END.test(word)) return true
  // `PWD` by itself is the working directory.
  if (word === 'pwd') return words.length > 1
  return (word === 'key' || word === 'keys') && words[at - 1] !== 'public'
}

/**
 * Judges the name of an environment variable, without regard to case.
 *
 * @param name as in `env_allow`
 * @returns `code` where programs load or start other code by it, `secret` where it looks like a
 *   secret, undefined where it is neither
 */
export function environmentRisk(name: string): EnvironmentRisk | undefined {
  const capitals = name.toUpperCase().replaceAll('-', '_')
  if (CODE.some((pattern) => pattern.test(capitals))) return 'code'
  return wordsOf(name).some(isSecretWord) || SECRET_ADDRESS.test(capitals) ? 'secret' : undefined
}
