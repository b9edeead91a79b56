// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { libcOf } from '../libc.js'

const root = join(import.meta.dirname, '..')
const name = 'ambit-linux-x64-gnu'
const addon = 'ambit.linux-x64-gnu.node'

/** A 64-bit little-endian ELF head with a PT_LOAD and, when named, a PT_INTERP entry. */
function elf(interpreter?: string): Buffer {
  const bytes = Buffer.alloc(512)
  Buffer.from('7f454c460201', 'hex').copy(bytes)
  bytes.writeBigUInt64LE(64n, 32)
  bytes.writeUInt16LE(56, 54)
  bytes.writeUInt16LE(interpreter === undefined ? 1 : 2, 56)
  bytes.writeUInt32LE(1, 64)
  if (interpreter !== undefined) {
    bytes.writeUInt32LE(3, 120)
    bytes.writeBigUInt64LE(256n, 128)
    bytes.writeBigUInt64LE(BigInt(interpreter.length + 1), 152)
    bytes.write(`${interpreter}\0`, 256, 'latin1')
  }
  return bytes
}

/** The same file with one number changed. */
function elfWith(change: (bytes: Buffer) => void): Buffer {
  const bytes = elf('/lib64/ld-linux-x86-64.so.2')
  change(bytes)
  return bytes
}

describe('libcOf', () => {
  it.each<[string, Uint8Array, 'gnu' | 'musl' | undefined]>([
    ['gnu on x64', elf('/lib64/ld-linux-x86-64.so.2'), 'gnu'],
    ['gnu on arm64', elf('/lib/ld-linux-aarch64.so.1'), 'gnu'],
    ['gnu on s390x', elf('/lib/ld64.so.1'), 'gnu'],
    ['gnu under another root', elf('/nix/store/x-glibc-2.40/lib/ld-linux-x86-64.so.2'), 'gnu'],
    ['musl on x64', elf('/lib/ld-musl-x86_64.so.1'), 'musl'],
    ['musl on arm64', elf('/lib/ld-musl-aarch64.so.1'), 'musl'],
    ['a musl folder with the gnu loader', elf('/ld-musl/ld-linux-x86-64.so.2'), 'gnu'],
    ['another interpreter', elf('/system/bin/linker64'), undefined],
    ['no interpreter', elf(), undefined],
    ['no bytes', new Uint8Array(), undefined],
    ['a script', Buffer.from(`#!/bin/sh\n${' '.repeat(64)}`), undefined],
    ['32 bits', elfWith((bytes) => bytes.writeUInt8(1, 4)), undefined],
    ['big-endian', elfWith((bytes) => bytes.writeUInt8(2, 5)), undefined],
    ['a head cut short', elf('/lib64/ld-linux-x86-64.so.2').subarray(0, 63), undefined],
    ['a table cut short', elf('/lib64/ld-linux-x86-64.so.2').subarray(0, 160), undefined],
    ['a name cut short', elf('/lib64/ld-linux-x86-64.so.2').subarray(0, 270), undefined],
    ['a table past the end', elfWith((bytes) => bytes.writeBigUInt64LE(1n << 63n, 32)), undefined],
    ['entries too small', elfWith((bytes) => bytes.writeUInt16LE(8, 54)), undefined],
  ])('reads %s', (_, bytes, want) => {
    expect(libcOf(bytes)).toBe(want)
  })

  it('agrees with the report of the Node that runs this', () => {
    const start = readFileSync(process.execPath).subarray(0, 4096)
    const header = process.report.getReport()
    expect(libcOf(start)).toBe(
      /"glibcVersionRuntime"/u.test(JSON.stringify(header)) ? 'gnu' : 'musl',
    )
  })
})

describe('index.js', () => {
  let top = ''
  /** Holds packages that a redirected look-up would find. */
  let elsewhere = ''

  beforeAll(() => {
    top = mkdtempSync(join(tmpdir(), 'ambit-loader-'))
    elsewhere = folder('elsewhere')
    for (const modules of [elsewhere, join(elsewhere, '.node_modules')]) {
      writePackage(modules, 'module.exports = { from: "elsewhere" }')
    }
  })

  afterAll(() => {
    rmSync(top, { recursive: true, force: true })
  })

  function folder(path: string): string {
    mkdirSync(join(top, path), { recursive: true })
    return join(top, path)
  }

  /** A folder with the loader and nothing else. */
  function loaderIn(path: string): string {
    const dir = folder(path)
    for (const file of ['index.js', 'libc.js']) copyFileSync(join(root, file), join(dir, file))
    writeFileSync(join(dir, 'package.json'), '{"type":"module"}')
    return dir
  }

  function writePackage(modules: string, code: string): void {
    mkdirSync(join(modules, name), { recursive: true })
    writeFileSync(join(modules, name, 'package.json'), '{"main":"main.js"}')
    writeFileSync(join(modules, name, 'main.js'), code)
  }

  const importing = `import('./index.js').then(
    ({ default: addon }) => ({ from: addon.from, functions: Object.keys(addon).length > 0 }),
    ({ code, message, errors }) => ({ code, message, causes: errors.map((error) => error.message) }),
  ).then((result) => console.log(JSON.stringify(result)))`
  const requiring = `console.log(JSON.stringify({ from: require('./index.js').default.from }))`

  /** Loads in a process of its own, and returns what that saw. */
  function load(cwd: string, env: Record<string, string> = {}, code = importing): unknown {
    const options = { cwd, env: { ...process.env, ...env }, encoding: 'utf8' } as const
    const { stdout, stderr, status } = spawnSync(process.execPath, ['-e', code], options)
    expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' })
    return JSON.parse(stdout)
  }

  it('fails with ERR_ADDON_MISSING, the package, the platform and what to do', () => {
    const message =
      'cannot load the addon for linux-x64-gnu: ' +
      'install the package `ambit-linux-x64-gnu`, or build it with `npm run build` in a checkout'
    expect(load(loaderIn('missing'))).toEqual({
      code: 'ERR_ADDON_MISSING',
      message,
      causes: [
        'package `ambit-linux-x64-gnu` is not installed',
        expect.stringContaining(`Cannot find module '${join(top, 'missing', addon)}'`),
      ],
    })
  })

  it('keeps the cause of each place that failed', () => {
    const dir = loaderIn('broken')
    writePackage(join(dir, 'node_modules'), 'throw new Error("broken package")')
    writeFileSync(join(dir, addon), 'not an addon')
    expect(load(dir)).toMatchObject({
      code: 'ERR_ADDON_MISSING',
      causes: ['broken package', expect.stringContaining(join(dir, addon))],
    })
  })

  it('prefers the platform package to the file beside it', () => {
    const dir = loaderIn('package')
    writePackage(join(dir, 'node_modules'), 'module.exports = { from: "package" }')
    writeFileSync(join(dir, addon), 'not an addon')
    expect(load(dir)).toEqual({ from: 'package', functions: true })
  })

  it('finds the platform package beside its own package', () => {
    const dir = loaderIn('app/node_modules/ambit')
    writePackage(join(top, 'app/node_modules'), 'module.exports = { from: "sibling" }')
    expect(load(dir)).toEqual({ from: 'sibling', functions: true })
  })

  it('loads the addon that was built, from the file beside it', () => {
    const dir = loaderIn('beside')
    copyFileSync(join(root, addon), join(dir, addon))
    expect(load(dir)).toEqual({ functions: true })
  })

  it('works through require', () => {
    const dir = loaderIn('required')
    writePackage(join(dir, 'node_modules'), 'module.exports = { from: "package" }')
    expect(load(dir, {}, requiring)).toEqual({ from: 'package' })
  })

  it.each(['NODE_PATH', 'HOME'])(
    'is not redirected by %s, which plain require obeys',
    (variable) => {
      const dir = loaderIn(`redirected-${variable}`)
      const control = `console.log(JSON.stringify(require('${name}')))`
      expect(load(dir, { [variable]: elsewhere }, control)).toEqual({ from: 'elsewhere' })
      expect(load(dir, { [variable]: elsewhere })).toMatchObject({ code: 'ERR_ADDON_MISSING' })
    },
  )

  it.each(['NAPI_RS_NATIVE_LIBRARY_PATH', 'NAPI_RS_FORCE_WASI'])('does not read %s', (variable) => {
    const dir = loaderIn(`ignored-${variable}`)
    const value = join(elsewhere, name, 'main.js')
    expect(load(dir, { [variable]: value })).toMatchObject({ code: 'ERR_ADDON_MISSING' })
    writePackage(join(dir, 'node_modules'), 'module.exports = { from: "package" }')
    expect(load(dir, { [variable]: value })).toEqual({ from: 'package', functions: true })
  })
})

describe('the platform package', () => {
  it('has the version of the main package and of the crates', () => {
    const read = (path: string) => readFileSync(join(root, path), 'utf8')
    const { version } = JSON.parse(read('package.json')) as { version: string }
    expect(JSON.parse(read('npm/linux-x64-gnu/package.json'))).toMatchObject({
      name,
      version,
      main: addon,
    })
    expect(/^\[workspace\.package\]\nversion = "(.*)"$/mu.exec(read('Cargo.toml'))?.[1]).toBe(
      version,
    )
  })
})
