// SPDX-License-Identifier: Apache-2.0
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { chmodSync } from 'node:fs'
import { type Server, connect, createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { until } from './processes.js'

/** Services of the host that a confined command must not reach. */
export interface Listener {
  /** TCP and UDP on 127.0.0.1. */
  readonly port: number
  /** All that was received, on any of them. */
  log(): string
  /** Resolves once all that was sent before is in the log. */
  settle(): Promise<void>
  /** Listens on a Unix socket too. */
  unix(path: string): Promise<void>
  close(): void
}

/** Starts the services; a free port is chosen. */
export async function listen(): Promise<Listener> {
  let log = ''
  let marks = 0
  const servers: Server[] = []
  const serve = async (where: string | { host: string; port: number }) => {
    const server = createServer((socket) => {
      socket.on('data', (data) => (log += data.toString('latin1'))).on('error', () => {})
    })
    servers.push(server)
    await once(typeof where === 'string' ? server.listen(where) : server.listen(where), 'listening')
    return server
  }
  const tcp = await serve({ host: '127.0.0.1', port: 0 })
  const { port } = tcp.address() as AddressInfo
  const udp = createSocket('udp4', (data) => (log += data.toString('latin1')))
  await once(udp.bind(port, '127.0.0.1'), 'listening')
  return {
    port,
    log: () => log,
    settle: async () => {
      marks += 1
      const [first, second] = [`<tcp ${marks}>`, `<udp ${marks}>`]
      connect(port, '127.0.0.1').end(first)
      udp.send(second, port, '127.0.0.1')
      await until(() => log.includes(first) && log.includes(second))
    },
    unix: async (path) => {
      await serve(path)
      chmodSync(path, 0o777)
    },
    close: () => {
      for (const server of servers) server.close()
      udp.close()
    },
  }
}
