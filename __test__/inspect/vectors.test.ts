// SPDX-License-Identifier: Apache-2.0
// Every case of inspector.json through the JavaScript API: the verdicts that it calls better.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  InspectorChain,
  type InspectorSource,
  adversary,
  egress,
  repetition,
} from '../../src/index.js'

interface Spec {
  readonly kind: string
  readonly allowed_hosts?: readonly string[]
  readonly strict?: boolean
  readonly max_repeats?: number
  readonly rules?: string
  readonly deny_if_params_contain?: string
  readonly inspectors?: readonly Spec[]
}

interface Case {
  readonly id: string
  readonly inspector: Spec
  readonly calls: readonly { op?: string; tool: string; params: unknown; repeat?: number }[]
  readonly better: readonly (string | null)[]
}

const file = join(import.meta.dirname, '../vectors/inspect/inspector.json')
const vectors = JSON.parse(readFileSync(file, 'utf8')) as {
  default_allowed_hosts: Record<string, string[]>
  cases: Case[]
}
const hosts = vectors.default_allowed_hosts['0.13.0'] ?? []

const stubOf = ({ rules = '', deny_if_params_contain: word = '' }: Spec) =>
  adversary({
    rules,
    onFailure: 'fail-closed',
    blankRules: 'allow',
    classify: ({ params }) =>
      JSON.stringify(params).includes(word)
        ? { verdict: 'deny', reason: 'stub' }
        : { verdict: 'allow' },
  })

function sourcesOf(spec: Spec): InspectorSource[] {
  const { kind, allowed_hosts: allowedHosts = hosts, strict = false, max_repeats: max } = spec
  if (kind === 'egress') return [egress({ allowedHosts, strict })]
  if (kind === 'repetition') return [repetition(max === undefined ? {} : { maxRepeats: max })]
  if (kind === 'default_chain') return [egress({ allowedHosts }), repetition()]
  if (kind === 'adversary') return [stubOf(spec)]
  return (spec.inspectors ?? []).flatMap(sourcesOf)
}

async function verdictsOf({ inspector, calls }: Case): Promise<(string | null)[]> {
  const chain = new InspectorChain(sourcesOf(inspector))
  const verdicts = []
  for (const { op, tool, params, repeat = 1 } of calls) {
    if (op === 'reset_session') {
      chain.resetSession()
      verdicts.push(null)
      continue
    }
    let verdict = ''
    for (let made = 0; made < repeat; made += 1) {
      ;({ verdict } = await chain.inspectAsync(tool, params))
    }
    verdicts.push(verdict)
  }
  return verdicts
}

/** Allow-lists of the cases that are not valid here: an error when loaded, as `better` has no word for. */
const isRefused = ({ inspector }: Case): boolean =>
  (inspector.allowed_hosts ?? []).some((host) => host === '' || host.includes('/'))

describe('inspector.json', () => {
  it.each(vectors.cases.filter((entry) => !isRefused(entry)))('$id', async (entry) => {
    const got = await verdictsOf(entry)
    const fits = got.map(
      (verdict, at) => entry.better[at]?.split('|').includes(verdict ?? '') ?? true,
    )
    expect({ got, fits }).toEqual({ got, fits: got.map(() => true) })
  })

  it.each(vectors.cases.filter(isRefused))('$id is refused when loaded', ({ inspector }) => {
    expect(() => new InspectorChain(sourcesOf(inspector))).toThrow(
      expect.objectContaining({ code: 'ERR_INSPECT_OPTIONS' }),
    )
  })
})
