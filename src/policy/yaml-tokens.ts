// SPDX-License-Identifier: Apache-2.0
import { type CST, Lexer, Parser } from 'yaml'
import { POLICY_LIMITS } from './schema.js'

/** What is wrong with YAML text, and where. */
export interface YamlFault {
  /** UTF-16 units from the start of the text. */
  readonly offset: number
  readonly code: string
  readonly message: string
}

/** What reading one part of the text gave. */
export type YamlResult<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly fault: YamlFault }

/** Makes a failed result. */
export function refuse(offset: number, code: string, message: string) {
  return { ok: false as const, fault: { offset, code, message } }
}

// Outside YAML's printable set, or read differently by YAML 1.1 and 1.2 (U+0085, U+2028, U+2029
// and a carriage return on its own end a line in only one of them), or a byte order mark inside.
const REFUSED_CHARACTER = /(?![\t\n\r])\p{Cc}|[\u2028\u2029\ufeff\ufffe\uffff]|\r(?!\n)/u

function checkCharacters(source: string): YamlFault | undefined {
  const match = REFUSED_CHARACTER.exec(source)
  if (match === null) return undefined
  const message = 'invalid YAML: control characters and unusual line breaks are refused'
  return { offset: match.index, code: 'CONTROL_CHARACTER', message }
}

type Visit = { readonly token: CST.Token; readonly depth: number }

function checkProps(props: readonly CST.SourceToken[] | undefined): YamlFault | undefined {
  const tag = props?.find((prop) => prop.type === 'tag')
  if (tag === undefined) return undefined
  return { offset: tag.offset, code: 'TAG', message: 'invalid YAML: tags are refused' }
}

/** Adds the parts of a token to the visits to make; returns what is wrong with its tags. */
function visitParts({ token, depth }: Visit, visits: Visit[]): YamlFault | undefined {
  if (token.type === 'document') {
    if (token.value !== undefined) visits.push({ token: token.value, depth })
    return checkProps(token.start)
  }
  if (!('items' in token)) return undefined
  for (const item of token.items) {
    if (item.key) visits.push({ token: item.key, depth: depth + 1 })
    if (item.value !== undefined) visits.push({ token: item.value, depth: depth + 1 })
    const fault = checkProps(item.start) ?? checkProps(item.sep)
    if (fault !== undefined) return fault
  }
  return undefined
}

/** Checks tags, nesting and aliases of one document, without recursion. */
function checkDocument(document: CST.Token): YamlFault | undefined {
  const visits: Visit[] = [{ token: document, depth: 1 }]
  let aliases = 0
  for (let visit = visits.pop(); visit !== undefined; visit = visits.pop()) {
    const { token, depth } = visit
    if (depth > POLICY_LIMITS.maxDepth) {
      return { offset: token.offset, code: 'TOO_DEEP', message: TOO_DEEP }
    }
    aliases += token.type === 'alias' ? 1 : 0
    if (aliases > POLICY_LIMITS.maxAliases) {
      const message = `invalid YAML: more than ${POLICY_LIMITS.maxAliases} aliases`
      return { offset: token.offset, code: 'TOO_MANY_ALIASES', message }
    }
    const fault = visitParts(visit, visits)
    if (fault !== undefined) return fault
  }
  return undefined
}

function checkToken(token: CST.Token, isSecond: boolean): YamlFault | undefined {
  const { type, offset } = token
  if (type === 'error') {
    return { offset, code: 'SYNTAX', message: `invalid YAML: ${token.message}` }
  }
  if (type === 'directive') {
    return { offset, code: 'DIRECTIVE', message: 'invalid YAML: directives are refused' }
  }
  if (type !== 'document') return undefined
  if (isSecond) {
    const message = 'invalid YAML: expected a single document'
    return { offset, code: 'MULTIPLE_DOCUMENTS', message }
  }
  return checkDocument(token)
}

/**
 * Splits YAML text into tokens and refuses what a policy never needs and an attacker does: control
 * characters, directives, tags, further documents, deep nesting and many aliases. The parser and
 * these checks are loops: what comes after them may recurse.
 *
 * @param source the text, without a byte order mark
 */
export function readTokens(source: string): YamlResult<readonly CST.Token[]> {
  const unreadable = checkCharacters(source)
  if (unreadable !== undefined) return { ok: false, fault: unreadable }
  const parser = new Parser()
  const tokens: CST.Token[] = []
  let brackets = 0
  for (const lexeme of new Lexer().lex(source)) {
    // The parser's time grows with the square of the depth, so it must not see it all. Where a text
    // that is no bracket is taken for one, a policy is refused that no one writes.
    brackets += bracket(lexeme)
    if (brackets > POLICY_LIMITS.maxDepth) {
      return refuse(parser.offset, 'TOO_DEEP', TOO_DEEP)
    }
    const fault = take(parser.next(lexeme), tokens)
    if (fault !== undefined) return { ok: false, fault }
  }
  const fault = take(parser.end(), tokens)
  return fault === undefined ? { ok: true, value: tokens } : { ok: false, fault }
}

const TOO_DEEP = `invalid YAML: nested deeper than ${POLICY_LIMITS.maxDepth} levels`

function bracket(lexeme: string): number {
  if (lexeme === '[' || lexeme === '{') return 1
  return lexeme === ']' || lexeme === '}' ? -1 : 0
}

/** Adds tokens to those that are there; returns what is wrong with the first bad one. */
function take(more: Iterable<CST.Token>, tokens: CST.Token[]): YamlFault | undefined {
  for (const token of more) {
    const isSecond = token.type === 'document' && tokens.some(({ type }) => type === 'document')
    const fault = checkToken(token, isSecond)
    if (fault !== undefined) return fault
    tokens.push(token)
  }
  return undefined
}
