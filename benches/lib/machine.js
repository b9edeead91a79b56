// SPDX-License-Identifier: Apache-2.0
// What figures depend on, in general words: no host name, no path.
import { cpus, loadavg, release, totalmem } from 'node:os'

/**
 * Describes the machine.
 *
 * @returns {{ kernel: string, cpu: string, cores: number, memory_mib: number, node: string,
 *   root: boolean, load: number }} `load` is the mean of the last minute
 */
export function machine() {
  const processors = cpus()
  return {
    kernel: release(),
    cpu: processors[0]?.model.trim() ?? 'unknown',
    cores: processors.length,
    memory_mib: Math.round(totalmem() / 1024 / 1024),
    node: process.versions.node,
    root: process.geteuid() === 0,
    load: Math.round(100 * loadavg()[0]) / 100,
  }
}
