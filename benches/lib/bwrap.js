// SPDX-License-Identifier: Apache-2.0
// A bubblewrap profile that equals ours: read off a sandbox of ours, so that the two cannot drift
// apart. It leaves bubblewrap less to do than we have: no Landlock, no seccomp filter, no limits,
// no files of its own in `/etc`, no digests of the output.
import { accessSync, constants, readlinkSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Returns the path of `bwrap`, or nothing when the machine has none. */
export function findBwrap() {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '')
  return folders.map((folder) => join(folder, 'bwrap')).find(isProgram)
}

function isProgram(path) {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/**
 * Returns the arguments that make `bwrap` do what a plan asks of us.
 *
 * @param {{ cwd: string, env: Record<string, string> }} plan the launch plan
 * @param {string} mountinfo `/proc/self/mountinfo` as a command of that plan saw it (`proc(5)`)
 * @param {string[]} [links] paths in the root that are symbolic links and stay such
 * @returns {string[]} all up to the command
 */
export function bwrapArguments(plan, mountinfo, links = ROOT_LINKS) {
  // by name: what is mounted inside another comes after it
  const mounts = mountinfo.trim().split('\n').map(parseMount).toSorted(byPoint)
  const env = Object.entries(plan.env).flatMap(([name, value]) => ['--setenv', name, value])
  return [
    '--unshare-all',
    '--die-with-parent',
    '--new-session',
    ['--cap-drop', 'ALL'],
    ['--uid', '1000', '--gid', '1000'],
    ['--hostname', 'ambit'],
    '--clearenv',
    env,
    mounts.flatMap(mountArguments),
    links.flatMap(linkArguments),
    ['--symlink', '/tmp', '/var/tmp'],
    ['--remount-ro', '/'],
    ['--chdir', plan.cwd],
    '--',
  ].flat()
}

const ROOT_LINKS = ['/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32']

/** Returns the profile without its mounts in `/etc`: what bubblewrap is more often given. */
export function withoutEtc(args) {
  return args.filter((_, at) => {
    const start = [at - 2, at - 1, at].find((index) => args[index] === '--ro-bind')
    return start === undefined || !args[start + 1].startsWith('/etc/')
  })
}

/** `proc(5)`: id, parent, device, root, mount point, options, tags, `-`, type, source, options. */
function parseMount(line) {
  const [left = '', right = ''] = line.split(' - ')
  const [, , , root = '', point = '', options = ''] = left.split(' ').map(unescape)
  return { root, point, readOnly: options.split(',').includes('ro'), type: right.split(' ')[0] }
}

function byPoint(a, b) {
  return a.point < b.point ? -1 : 1
}

function unescape(text) {
  return text.replace(/\\(\d{3})/gu, (_, octal) => String.fromCodePoint(Number.parseInt(octal, 8)))
}

function mountArguments({ root, point, readOnly, type }) {
  if (point === '/') return [] // bwrap makes its own
  if (type === 'proc') return ['--proc', point]
  // the first node brings them all
  if (point === '/dev/null') return ['--dev', '/dev']
  if (point === '/dev/shm') return ['--tmpfs', point]
  if (point.startsWith('/dev/')) return []
  if (type === 'tmpfs' && root === '/') return ['--tmpfs', point]
  return [readOnly ? '--ro-bind' : '--bind', point, point]
}

function linkArguments(path) {
  try {
    return ['--symlink', readlinkSync(path), path]
  } catch {
    return [] // a folder, which is mounted, or not there
  }
}
