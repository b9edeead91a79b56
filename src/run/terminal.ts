// SPDX-License-Identifier: Apache-2.0
import type { WindowSize } from './plan.js'

/** Something with the size of a terminal, such as `process.stdout` where that is one. */
export interface TerminalView {
  readonly columns?: number
  readonly rows?: number
  on(event: 'resize', listener: () => void): unknown
  off(event: 'resize', listener: () => void): unknown
}

const MOST = 65_535

/** Returns the size of what a terminal is shown on, where it has one. */
export function sizeOf(view: TerminalView | undefined): WindowSize | undefined {
  const { columns, rows } = view ?? {}
  return isSize(columns) && isSize(rows) ? { columns, rows } : undefined
}

function isSize(value: number | undefined): value is number {
  return value !== undefined && Number.isInteger(value) && value >= 1 && value <= MOST
}

/**
 * Passes new sizes on.
 *
 * @returns what ends that
 */
export function followSize(
  view: TerminalView | undefined,
  resize: (size: WindowSize) => void,
): () => void {
  if (view === undefined) return () => undefined
  const onResize = () => {
    const size = sizeOf(view)
    if (size !== undefined) resize(size)
  }
  view.on('resize', onResize)
  return () => {
    view.off('resize', onResize)
  }
}
