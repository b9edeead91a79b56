// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import { environmentRisk } from '../../src/policy/environment.js'
import { command, contract, decide, policy } from './support.js'

const CODE = `
  LD_PRELOAD LD_LIBRARY_PATH LD_AUDIT ld_preload DYLD_INSERT_LIBRARIES GLIBC_TUNABLES GCONV_PATH
  GETCONF_DIR BASH_ENV ENV ZDOTDIR SHELLOPTS BASHOPTS BASH_FUNC_ls%% PROMPT_COMMAND PS4 NODE_OPTIONS
  NODE_PATH NODE_REPL_EXTERNAL_MODULE BUN_OPTIONS BUN_INSPECT_PRELOAD npm_config_script_shell
  npm_config_script-shell NPM_CONFIG_NODE_OPTIONS NPM_CONFIG_USERCONFIG PYTHONPATH PYTHONHOME
  PYTHONSTARTUP PYTHONINSPECT PYTHONBREAKPOINT PYTHONWARNINGS PYTHONUSERBASE PYTHONPLATLIBDIR
  PYTHONPYCACHEPREFIX PYTHONEXECUTABLE PYTHON_PRESITE PERL5LIB PERL5OPT PERL5DB PERLLIB RUBYOPT
  RUBYLIB RUBYSHELL GEM_HOME GEM_PATH BUNDLE_GEMFILE PHPRC PHP_INI_SCAN_DIR LUA_INIT LUA_INIT_5_4
  LUA_PATH LUA_CPATH_5_4 R_PROFILE_USER R_ENVIRON PSModulePath DOTNET_STARTUP_HOOKS _JAVA_OPTIONS
  JAVA_TOOL_OPTIONS JDK_JAVA_OPTIONS CLASSPATH MAVEN_OPTS GRADLE_OPTS MAKEFILES MAKEFLAGS
  GNUMAKEFLAGS GOFLAGS RUSTC_WRAPPER RUSTC_WORKSPACE_WRAPPER GCC_EXEC_PREFIX COMPILER_PATH GIT_SSH
  GIT_SSH_COMMAND GIT_PROXY_COMMAND GIT_EXTERNAL_DIFF GIT_PAGER GIT_EDITOR GIT_SEQUENCE_EDITOR
  GIT_ASKPASS GIT_EXEC_PATH GIT_TEMPLATE_DIR GIT_DIR GIT_COMMON_DIR GIT_ALLOW_PROTOCOL GIT_CONFIG
  GIT_CONFIG_COUNT GIT_CONFIG_KEY_0 GIT_CONFIG_VALUE_0 GIT_CONFIG_PARAMETERS GIT_CONFIG_GLOBAL
  EDITOR VISUAL FCEDIT PAGER MANPAGER BROWSER LESSOPEN LESSCLOSE SSH_ASKPASS SUDO_ASKPASS CVS_RSH
  RSYNC_RSH RSYNC_CONNECT_PROG SVN_SSH TAR_OPTIONS VIMINIT GVIMINIT EXINIT AWKPATH AWKLIBPATH
  OPENSSL_CONF OPENSSL_ENGINES OPENSSL_MODULES RUSTC RUSTDOC RUSTFLAGS CARGO_ENCODED_RUSTFLAGS
  CARGO_BUILD_RUSTC_WRAPPER CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER JULIA_LOAD_PATH
  GUILE_LOAD_PATH TCLLIBPATH ERL_AFLAGS ELIXIR_ERL_OPTIONS
`

const SECRET = `
  AWS_SECRET_ACCESS_KEY AWS_ACCESS_KEY_ID AWS_SESSION_TOKEN AWS_SHARED_CREDENTIALS_FILE
  AWS_CONTAINER_CREDENTIALS_FULL_URI AZURE_CLIENT_SECRET AZURE_STORAGE_KEY
  AZURE_STORAGE_CONNECTION_STRING GOOGLE_APPLICATION_CREDENTIALS GOOGLE_API_KEY GITHUB_TOKEN
  github_token GITHUB_PAT TOKEN TOKEN2 npm_config__authToken npm_config__auth dbPassword DB_PASSWORD
  DB_PASSWORD_1 DB_PASS SMTP_PASSWD MYSQL_PWD PGPASSWORD PGPASSFILE SSHPASS GPG_PASSPHRASE MY_SECRET
  CLIENT_SECRETS CREDENTIALS GIT_CREDENTIAL AWS_CREDS SSH_AUTH_SOCK FOO_AUTH_SOCK PRIVATE_KEY
  SSH_PRIVATE_KEY_PATH APIKEY API_KEY API-KEY STRIPE_APIKEY OPENAI_API_KEY ACCESSKEY XAUTHORITY
  DATABASE_URL APP_DATABASE_URL REDIS_URL MONGODB_URI SESSION_COOKIE VAULT_JWT S3_KEY
`

const NEITHER = `
  PATH HOME LANG LC_ALL TZ TERM CI NODE_ENV PWD OLDPWD TMPDIR USER KEYBOARD KEYBOARD_LAYOUT MONKEY
  MONKEY_PATCH TURKEY KEYMAP HOTKEY SECRETARY TOKENIZERS_PARALLELISM PASSENGER_APP_ENV COMPASS BYPASS
  AUTHOR GIT_AUTHOR_NAME GIT_COMMITTER_EMAIL GIT_CONFIG_NOSYSTEM GIT_TERMINAL_PROMPT ENVIRONMENT
  RAILS_ENV PYTHONUNBUFFERED PYTHONDONTWRITEBYTECODE PYTHONHASHSEED PYTHONSAFEPATH AWS_REGION
  AWS_DEFAULT_REGION GOOGLE_CLOUD_PROJECT SSH_PUBLIC_KEY npm_config_loglevel OLD_LD_PATH CREDIT
  BASE_URL COLORTERM NO_COLOR EDITORCONFIG RUST_BACKTRACE ÜBER ${'\u00a0'}
`

const namesOf = (text: string): readonly string[] => text.trim().split(/[ \n]+/)

describe('the name of a variable', () => {
  it.each(namesOf(CODE))('%s makes programs run other code', (name) => {
    expect(environmentRisk(name)).toBe('code')
  })

  it.each(namesOf(SECRET))('%s looks like a secret', (name) => {
    expect(environmentRisk(name)).toBe('secret')
  })

  it.each(namesOf(NEITHER))('%s is neither', (name) => {
    expect(environmentRisk(name)).toBeUndefined()
  })

  it('is judged in bounded time, however long', () => {
    for (const part of ['1', 'a', 'aA', '_', 'key', 'DB_', 'ß']) {
      expect(environmentRisk(`${part.repeat(1_000_000 / part.length)}!`)).toBe(undefined)
    }
  })
})

describe('env_allow', () => {
  const asked = (env_allow: readonly string[], changes: object = {}) =>
    contract({ commands: [command({ env_allow, ...changes })] })

  it('denies each name that is not allowed, with its rule', () => {
    const names = ['LANG', 'LD_PRELOAD', 'KEYBOARD', 'AWS_SECRET_ACCESS_KEY']
    const { decision, reason_codes, reasons } = decide(asked(names), policy())
    const column = JSON.stringify(policy()).indexOf('"allow_secret_refs"') + 1
    expect([decision, reason_codes]).toEqual(['deny', ['ENV_NOT_ALLOWED']])
    expect(reasons).toEqual([
      {
        code: 'ENV_NOT_ALLOWED',
        message: 'environment variable makes programs run other code: LD_PRELOAD',
        command_id: 'cmd_1',
        value: 'LD_PRELOAD',
      },
      {
        code: 'ENV_NOT_ALLOWED',
        message: 'environment variable looks like a secret: AWS_SECRET_ACCESS_KEY',
        command_id: 'cmd_1',
        value: 'AWS_SECRET_ACCESS_KEY',
        source: `policy.yaml:1:${column}`,
      },
    ])
  })

  it('lets secrets in where allow_secret_refs is true, and code never', () => {
    const rules = policy({ allow_secret_refs: true })
    expect(decide(asked(['GITHUB_TOKEN']), rules).reason_codes).toEqual(['ALLOW'])
    expect(decide(asked(['NODE_OPTIONS']), rules).reason_codes).toEqual(['ENV_NOT_ALLOWED'])
    expect(decide(asked(['GIT_CONFIG_KEY_0']), rules).reason_codes).toEqual(['ENV_NOT_ALLOWED'])
  })

  it('allows names that are neither', () => {
    expect(decide(asked(['PATH', 'CI', 'NODE_ENV', 'LANG']), policy()).decision).toBe('allow')
  })

  it('stands behind the reasons of csc, though it is found before them', () => {
    const { reasons } = decide(asked(['LD_PRELOAD'], { cwd: '/etc' }), policy())
    expect(reasons.map(({ code }) => code)).toEqual(['CWD_NOT_ALLOWED', 'ENV_NOT_ALLOWED'])
  })
})
