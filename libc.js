// SPDX-License-Identifier: Apache-2.0
// Tells the C library of an ELF program from its first bytes. Pure; used by index.js.

const PT_INTERP = 3
const HEADER_BYTES = 64

/**
 * Reads the program interpreter (elf(5), PT_INTERP) of a 64-bit little-endian ELF file.
 *
 * @param {Uint8Array} start the file's first bytes; 4096 hold the headers of every Node build
 * @returns {'gnu' | 'musl' | undefined} `undefined` when the bytes do not tell: not such a file,
 *   cut short, linked statically, or another interpreter
 */
export function libcOf(start) {
  const interpreter = interpreterOf(start)
  if (/\/ld-musl-[^/]+$/u.test(interpreter)) return 'musl'
  // ld-linux-x86-64.so.2, ld-linux-aarch64.so.1; s390x and ppc64 say ld64.so
  if (/\/ld(?:-linux|64)[^/]*$/u.test(interpreter)) return 'gnu'
  return undefined
}

/** Returns the interpreter's path, or '' when there is none within the bytes. */
function interpreterOf(start) {
  const bytes = Buffer.from(start.buffer, start.byteOffset, start.byteLength)
  if (bytes.length < HEADER_BYTES || bytes.readUInt32BE(0) !== 0x7f454c46) return ''
  if (bytes[4] !== 2 || bytes[5] !== 1) return '' // ELFCLASS64, ELFDATA2LSB
  const tableAt = Number(bytes.readBigUInt64LE(32))
  const entryBytes = bytes.readUInt16LE(54)
  const entries = bytes.readUInt16LE(56)
  if (entryBytes < 56) return ''
  for (let i = 0; i < entries; i += 1) {
    const at = tableAt + i * entryBytes
    if (at + entryBytes > bytes.length) return ''
    if (bytes.readUInt32LE(at) !== PT_INTERP) continue
    const from = Number(bytes.readBigUInt64LE(at + 8))
    const to = from + Number(bytes.readBigUInt64LE(at + 32))
    return to > bytes.length ? '' : bytes.toString('latin1', from, to).replace(/\0.*$/su, '')
  }
  return ''
}
