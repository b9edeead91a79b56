// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod'
import { fault } from './fields.js'
import { quote } from './issues.js'

/** A host and a port, as a rule or a contract names them. */
export interface HostPort {
  /** A name in lower case, an IPv4 address, or an IPv6 address in brackets, each in its one form. */
  readonly host: string
  /** 1 to 65535. */
  readonly port: number
  /** Whether every name below `host` is meant (`*.example.test`), and not `host` itself. */
  readonly below: boolean
}

const MAX_LENGTH = 262
const SHAPE =
  /^(?<below>\*\.)?(?<host>\[[0-9a-f:.]+\]|[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*):(?<port>[1-9][0-9]{0,4})$/

/**
 * Reads `host:port`. Only the one spelling that names a host is read: `127.1`, `0x7f.0.0.1`, capital
 * letters and a closing dot are refused, since others could read them differently.
 *
 * @param text such as `registry.example.test:443`, `[::1]:8080` or `*.example.test:443`
 * @returns undefined for anything else
 */
export function parseHostPort(text: string): HostPort | undefined {
  const groups = text.length > MAX_LENGTH ? undefined : SHAPE.exec(text)?.groups
  if (groups === undefined) return undefined
  const { host = '', port = '' } = groups
  const below = groups['below'] !== undefined
  if (Number(port) > 65_535 || !isCanonical(host) || (below && isAddress(host))) return undefined
  return { host, port: Number(port), below }
}

/** Says whether a host is written as every reader writes it. */
function isCanonical(host: string): boolean {
  return URL.canParse(`http://${host}`) && new URL(`http://${host}`).hostname === host
}

const isAddress = (host: string): boolean => /^(?:\[|[0-9.]+$)/.test(host)

/**
 * A text of the form `host:port`.
 *
 * @param names `exact` hosts only, or `below` for `*.example.test:443` too
 */
export function hostPort(names: 'below' | 'exact') {
  const example = names === 'exact' ? '`host:port`' : '`host:port` or `*.host:port`'
  return z
    .string()
    .check((context) => {
      const parsed = parseHostPort(context.value)
      if (parsed !== undefined && (names === 'below' || !parsed.below)) return
      const message = `must be ${example} in lower case, not ${quote(context.value)}`
      context.issues.push(fault('NOT_HOST_AND_PORT', message, context.value))
    })
    .meta({ maxLength: MAX_LENGTH, pattern: names === 'exact' ? EXACT_PATTERN : BELOW_PATTERN })
}

const EXACT_PATTERN = '^(?:\\[[0-9a-f:.]+\\]|[a-z0-9_.-]+):[1-9][0-9]{0,4}$'
const BELOW_PATTERN = '^(?:\\[[0-9a-f:.]+\\]|(?:\\*\\.)?[a-z0-9_.-]+):[1-9][0-9]{0,4}$'
