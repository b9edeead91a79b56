// SPDX-License-Identifier: Apache-2.0
// Other tools, each given what our contract says: the base system to read, one folder to read, one to
// write, no network, a small environment.
import { accessSync, constants, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { Task } from './ground.js'

/** A way to start a task. */
export interface Peer {
  readonly name: string
  /** The program that must be installed. */
  readonly program: string
  /** What it is. */
  readonly about: string
  /**
   * @param program its path
   * @param scratch a folder for files that it is given
   */
  readonly argv: (program: string, task: Task, scratch: string) => readonly string[]
}

const BASE = ['/usr', '/lib', '/lib64', '/bin'] as const
const ENV = { HOME: '/tmp', LANG: 'C.UTF-8', PATH: '/usr/bin:/bin' } as const

/** Options, each with every one of its values. */
const each = (option: string, values: readonly string[]): string[] =>
  values.flatMap((value) => [option, value])

const setenv = Object.entries(ENV).flatMap(([name, value]) => ['--setenv', name, value])

export const PEERS: readonly Peer[] = [
  {
    name: 'bwrap',
    program: 'bwrap',
    about: 'bubblewrap with a small root, every namespace, no capabilities',
    argv: (program, { argv, cwd, read, write }) =>
      [
        [program, '--unshare-all', '--die-with-parent', '--new-session', '--cap-drop', 'ALL'],
        ['--clearenv', ...setenv, '--proc', '/proc', '--dev', '/dev', '--tmpfs', '/tmp'],
        ['--ro-bind', '/usr', '/usr', '--ro-bind', '/etc/ld.so.cache', '/etc/ld.so.cache'],
        ['--symlink', 'usr/bin', '/bin', '--symlink', 'usr/lib', '/lib'],
        ['--symlink', 'usr/lib64', '/lib64'],
        read.flatMap((path) => ['--ro-bind', path, path]),
        write.flatMap((path) => ['--bind', path, path]),
        ['--chdir', cwd, '--', ...argv],
      ].flat(),
  },
  {
    name: 'bwrap-host',
    program: 'bwrap',
    about: 'bubblewrap over the whole machine, read-only, as many use it',
    argv: (program, { argv, cwd, write }) =>
      [
        [program, '--unshare-all', '--die-with-parent', '--ro-bind', '/', '/'],
        ['--proc', '/proc', '--dev', '/dev'],
        write.flatMap((path) => ['--bind', path, path]),
        ['--chdir', cwd, '--', ...argv],
      ].flat(),
  },
  {
    name: 'landrun',
    program: 'landrun',
    about: 'Landlock alone',
    argv: (program, { argv, read, write }) =>
      [
        [program, ...each('--rox', [...BASE, ...read]), ...each('--ro', ['/proc', '/dev'])],
        [...each('--rw', [...write, '/dev/null']), ...each('--env', Object.keys(ENV))],
        argv,
      ].flat(),
  },
  {
    name: 'nono',
    program: 'nono',
    about: 'Landlock and seccomp, with a supervisor',
    argv: (program, { argv, cwd, read, write }) =>
      [
        [program, 'run', '--silent', '--workdir', cwd, '--block-net'],
        each('--read', [...BASE, ...read]),
        each('--allow', write),
        ['--', ...argv],
      ].flat(),
  },
  {
    name: 'sandbox-runtime',
    program: 'srt',
    about: 'bubblewrap, proxies and a filter for Unix sockets',
    argv: (program, { argv, write }, scratch) => {
      const settings = join(scratch, 'srt.json')
      const filesystem = { denyRead: [], allowWrite: write, denyWrite: [] }
      const network = { allowedDomains: [], deniedDomains: [] }
      writeFileSync(settings, JSON.stringify({ filesystem, network }))
      return [program, '--settings', settings, ...argv]
    },
  },
  {
    name: 'sandlock',
    program: 'sandlock',
    about: 'Landlock and seccomp, file calls judged by a supervisor',
    argv: (program, { argv, cwd, read, write }) =>
      [
        [program, 'run', '--clean-env'],
        each('-r', [...BASE, ...read]),
        each('-w', write),
        ['--cwd', cwd, '--', ...argv],
      ].flat(),
  },
]

/** Returns the path of a program in `PATH`. */
export function findProgram(name: string, path = process.env['PATH'] ?? ''): string | undefined {
  const folders = path.split(delimiter).filter((folder) => folder !== '')
  return folders.map((folder) => join(folder, name)).find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
