// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs'
import { Ledger } from '../ledger/ledger.js'
import type { CollectedGarbage } from '../ledger/types.js'
import type { Home } from './home.js'
import { sweepReserves } from './recorder.js'

/** What was removed from a home; entries of the ledger never are. */
export interface Garbage extends CollectedGarbage {
  /** Files that runs which were killed had kept disk space with. */
  readonly reserves: number
}

/**
 * Removes what may be removed from a home: what killed processes left, and what the ledger's engine
 * no longer needs. The ledger must exist.
 *
 * @throws {@link LedgerError}
 */
export async function collectGarbage(home: Home): Promise<Garbage> {
  const ledger = new Ledger(home.ledger, { mustExist: true })
  try {
    const collected = await ledger.collectGarbage()
    return { ...collected, reserves: existsSync(home.folder) ? sweepReserves(home.folder) : 0 }
  } finally {
    ledger.close()
  }
}
