// SPDX-License-Identifier: Apache-2.0

// Reads from a curl argv what it would contact. Only options that are known to take a value hide
// the argument after them; anything else that could be a URL is read as one.

/** What an argv of curl says about what it contacts. */
export interface EgressTargets {
  /** Hosts of its URLs, in lower case, without a closing dot. */
  readonly hosts: readonly string[]
  /** Arguments that leave the target open: configuration files, proxies, globs, other schemes. */
  readonly unclear: readonly string[]
}

const VALUE_SHORT = 'AbcCdDeEFHmoPQrtTuUwxXyYzK'

// Options that decide what is contacted, in words that cannot be checked here.
const UNCLEAR_SHORT = 'Kx'

const UNCLEAR_LONG = [
  'abstract-unix-socket',
  'alt-svc',
  'config',
  'connect-to',
  'dns-servers',
  'doh-url',
  'expand-',
  'haproxy-clientip',
  'hsts',
  'ipfs-gateway',
  'preproxy',
  'proxy',
  'proxy1.0',
  'resolve',
  'socks4',
  'socks4a',
  'socks5',
  'socks5-hostname',
  'unix-socket',
  'variable',
]

const VALUE_LONG = new Set([
  'cacert',
  'capath',
  'cert',
  'cert-type',
  'ciphers',
  'connect-timeout',
  'cookie',
  'cookie-jar',
  'data',
  'data-ascii',
  'data-binary',
  'data-raw',
  'data-urlencode',
  'dump-header',
  'form',
  'form-string',
  'header',
  'json',
  'key',
  'key-type',
  'limit-rate',
  'max-filesize',
  'max-redirs',
  'max-time',
  'output',
  'output-dir',
  'range',
  'rate',
  'referer',
  'request',
  'retry',
  'retry-delay',
  'retry-max-time',
  'speed-limit',
  'speed-time',
  'stderr',
  'trace',
  'trace-ascii',
  'upload-file',
  'url-query',
  'user',
  'user-agent',
  'write-out',
])

const JUDGED_SCHEMES = new Set(['http:', 'https:', 'ftp:', 'ws:', 'wss:'])

/** Returns the host of a URL as curl takes it, or undefined where the two could disagree. */
function hostOf(target: string): string | undefined {
  if (/[^\x21-\x7e]|[\\{}[\]]/.test(target)) return undefined
  const written = /^[a-z][a-z0-9+.-]*:\/\//i.test(target) ? target : `http://${target}`
  const authority = written.split('//', 2)[1]?.split(/[/?#]/, 1)[0] ?? ''
  if (authority.split('@').length > 2 || !URL.canParse(written)) return undefined
  const url = new URL(written)
  if (!JUDGED_SCHEMES.has(url.protocol) || url.hostname === '') return undefined
  return url.hostname.toLowerCase().replace(/\.$/, '')
}

/** Collects targets while the arguments are read. */
class Targets {
  readonly hosts: string[] = []
  readonly unclear: string[] = []

  add(target: string): void {
    const host = hostOf(target)
    if (host === undefined) this.unclear.push(target)
    else this.hosts.push(host)
  }

  /** Reads a long option; returns how many arguments it takes. */
  long(argument: string, following: string): number {
    const [name = '', ...attached] = argument.slice(2).split('=')
    const taken = attached.length > 0 ? 1 : 2
    if (name === 'url') this.add(taken === 1 ? attached.join('=') : following)
    else if (UNCLEAR_LONG.some((option) => option.startsWith(name) || isExpansion(name, option))) {
      this.unclear.push(argument)
    } else return VALUE_LONG.has(name) ? taken : 1
    return taken
  }

  /** Reads a cluster of short options; returns how many arguments it takes. */
  short(argument: string): number {
    const letters = argument.slice(1)
    for (let at = 0; at < letters.length; at += 1) {
      const letter = letters.charAt(at)
      if (!VALUE_SHORT.includes(letter)) continue
      if (UNCLEAR_SHORT.includes(letter)) this.unclear.push(argument)
      return at === letters.length - 1 ? 2 : 1
    }
    return 1
  }
}

const isExpansion = (name: string, option: string): boolean =>
  option.endsWith('-') && name.startsWith(option)

/**
 * Reads what a curl argv would contact.
 *
 * @param argv of curl, the executable included
 */
export function curlTargets(argv: readonly string[]): EgressTargets {
  const targets = new Targets()
  let at = 1
  while (at < argv.length) {
    const argument = argv[at] ?? ''
    if (argument.startsWith('--')) at += targets.long(argument, argv[at + 1] ?? '')
    else if (argument.startsWith('-') && argument !== '-') at += targets.short(argument)
    else {
      targets.add(argument)
      at += 1
    }
  }
  return { hosts: targets.hosts, unclear: targets.unclear }
}
