// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs'
import { type Approval, approvalsIn } from '../approval/index.js'
import { Ledger } from '../ledger/ledger.js'
import type { Home } from './home.js'

/** Where an approval stands, for all that can be told without contract and policy. */
export type ApprovalState = 'expired' | 'not_yet' | 'open' | 'unreadable' | 'used'

/** An approval, and where it stands. Its signature is not checked: that needs a policy. */
export interface ApprovalStanding {
  readonly path: string
  readonly state: ApprovalState
  /** Absent where the file is no approval. */
  readonly approval?: Approval
  /** The number of the entry that used it, decimal digits, or null; nothing where there is no ledger. */
  readonly used_by?: string | null
  /** Why it is unreadable. */
  readonly error?: { readonly code: string; readonly message: string }
}

function stateOf(approval: Approval, usedBy: string | null | undefined, now: Date): ApprovalState {
  if (usedBy !== null && usedBy !== undefined && approval.scope === 'single_execution') {
    return 'used'
  }
  if (!(now.getTime() < approval.expiresAt)) return 'expired'
  const begins = Math.max(approval.approvedAt, approval.notBefore)
  return now.getTime() < begins ? 'not_yet' : 'open'
}

/**
 * Says where approvals stand.
 *
 * @param approvals with the files that they come from
 * @throws {@link LedgerError} when there is a ledger and it cannot be read
 */
export function approvalStandings(
  home: Home,
  approvals: readonly { readonly path: string; readonly approval: Approval }[],
  now: Date,
): readonly ApprovalStanding[] {
  const used = usesOf(
    home,
    approvals.map(({ approval }) => approval),
  )
  return approvals.map(({ path, approval }, index) => {
    const used_by = used?.[index]
    const state = stateOf(approval, used_by, now)
    return { path, state, approval, ...(used_by !== undefined && { used_by }) }
  })
}

function usesOf(
  home: Home,
  approvals: readonly Approval[],
): readonly (string | null)[] | undefined {
  if (!existsSync(home.ledger)) return undefined
  using ledger = new Ledger(home.ledger, { readOnly: true })
  return ledger.approvalsUsed(approvals)
}

/**
 * Lists the approvals that were signed here, by their names.
 *
 * @throws {@link ApprovalError} when the folder cannot be read
 * @throws {@link LedgerError} when there is a ledger and it cannot be read
 */
export async function listApprovals(home: Home, now: Date): Promise<readonly ApprovalStanding[]> {
  const listed = await approvalsIn(home.approvals)
  const readable = listed.filter((item) => 'approval' in item)
  const standings = new Map(
    approvalStandings(home, readable, now).map((standing) => [standing.path, standing]),
  )
  return listed.flatMap((item) => {
    if ('approval' in item) return standings.get(item.path) ?? []
    const { code, message } = item.error
    return { path: item.path, state: 'unreadable', error: { code, message } } as const
  })
}
