import type { Node } from '../../fs/node.ts'
import { kindBits } from '../../fs/node.ts'

/** Structures of Linux's x86-64 ABI, as the kernel's headers lay them out (include/uapi). */

const NS_PER_S = 1_000_000_000

/** `struct timespec`: seconds and nanoseconds, two i64. */
export function encodeTimespec(ns: number): Uint8Array {
  const bytes = new Uint8Array(16)
  const view = new DataView(bytes.buffer)
  view.setBigInt64(0, BigInt(Math.floor(ns / NS_PER_S)), true)
  view.setBigInt64(8, BigInt(ns % NS_PER_S), true)
  return bytes
}

/** Nanoseconds of a `struct timespec`, NaN when its fields are out of range. */
export function decodeTimespec(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const seconds = Number(view.getBigInt64(0, true))
  const ns = Number(view.getBigInt64(8, true))
  const total = seconds * NS_PER_S + ns
  return seconds < 0 || ns < 0 || ns >= NS_PER_S || !Number.isSafeInteger(total) ? NaN : total
}

export const STAT_BYTES = 144
const BLOCK_BYTES = 512
const IO_BYTES = 4096

/** `struct stat`. */
export function encodeLinuxStat(node: Node): Uint8Array {
  const attributes = node.attributes()
  const bytes = new Uint8Array(STAT_BYTES)
  const view = new DataView(bytes.buffer)
  view.setBigUint64(0, BigInt(attributes.device), true)
  view.setBigUint64(8, BigInt(attributes.inode), true)
  view.setBigUint64(16, BigInt(attributes.links), true)
  view.setUint32(24, kindBits[attributes.kind] | attributes.permissions, true)
  view.setBigUint64(48, BigInt(attributes.size), true)
  view.setBigUint64(56, BigInt(IO_BYTES), true)
  view.setBigUint64(64, BigInt(Math.ceil(attributes.size / BLOCK_BYTES)), true)
  for (const offset of [72, 88, 104]) bytes.set(encodeTimespec(attributes.modifiedNs), offset)
  return bytes
}

/** `struct termios` of TCGETS: four flag words, the line discipline, 19 control characters. */
export const TERMIOS_BYTES = 36
export const TermiosOffset = { IFLAG: 0, OFLAG: 4, CFLAG: 8, LFLAG: 12, CC: 17 } as const
export const TermiosFlag = {
  ICRNL: 0o400, CS8: 0o60, CREAD: 0o200, B115200: 0o10002, ISIG: 1, ICANON: 2, ECHO: 8, ECHOE: 0o20, ECHOK: 0o40,
} as const
/** VINTR VQUIT VERASE VKILL VEOF VTIME VMIN, in order from CC. */
const CONTROL_CHARACTERS = [3, 0, 127, 21, 4, 0, 1]

export function encodeTermios(isCanonical: boolean): Uint8Array {
  const bytes = new Uint8Array(TERMIOS_BYTES)
  const view = new DataView(bytes.buffer)
  const { ICRNL, CS8, CREAD, B115200, ISIG, ICANON, ECHO, ECHOE, ECHOK } = TermiosFlag
  view.setUint32(TermiosOffset.IFLAG, isCanonical ? ICRNL : 0, true)
  view.setUint32(TermiosOffset.CFLAG, CS8 | CREAD | B115200, true)
  view.setUint32(TermiosOffset.LFLAG, isCanonical ? ISIG | ICANON | ECHO | ECHOE | ECHOK : 0, true)
  bytes.set(CONTROL_CHARACTERS, TermiosOffset.CC)
  return bytes
}

const UTSNAME_FIELD_BYTES = 65

/** `struct utsname`: sysname, nodename, release, version, machine, domainname; 65 bytes each. */
export function encodeUtsname(fields: readonly [string, string, string, string, string, string]): Uint8Array {
  const bytes = new Uint8Array(fields.length * UTSNAME_FIELD_BYTES)
  fields.forEach((field, index) => {
    bytes.set(new TextEncoder().encode(field).subarray(0, UTSNAME_FIELD_BYTES - 1), index * UTSNAME_FIELD_BYTES)
  })
  return bytes
}
