/**
 * The little of the ACPI Machine Language that a description of fixed hardware needs. Each function gives the encoded bytes.
 *
 * Source: ACPI Specification 6.5, chapter 20 (AML), section 6.4 (resource descriptors), section 19.3.4 (EISA identifiers).
 */
export type Aml = number[]

const Op = { ZERO: 0x00, ONE: 0x01, NAME: 0x08, BYTE: 0x0a, WORD: 0x0b, DWORD: 0x0c, SCOPE: 0x10, BUFFER: 0x11, PACKAGE: 0x12 } as const
const EXTENDED = 0x5b
const EXTENDED_DEVICE = 0x82
const ROOT = 0x5c

const u16 = (n: number): Aml => [n & 0xff, (n >>> 8) & 0xff]
const u32 = (n: number): Aml => [...u16(n), ...u16(n >>> 16)]

/** A name segment, filled up with underscores; a leading backslash means the root. */
function name(text: string): Aml {
  const isRooted = text.startsWith('\\')
  const segment = (isRooted ? text.slice(1) : text).padEnd(4, '_')
  return [...(isRooted ? [ROOT] : []), ...Array.from(segment, (letter) => letter.charCodeAt(0))]
}

/** PkgLength counts itself: one byte up to 63, else two up to 4095 (20.2.4). */
function withLength(content: Aml): Aml {
  const short = content.length + 1
  if (short < 0x40) return [short, ...content]
  const long = content.length + 2
  return [0x40 | (long & 0xf), long >> 4, ...content]
}

export function integer(value: number): Aml {
  if (value === 0) return [Op.ZERO]
  if (value === 1) return [Op.ONE]
  if (value < 0x100) return [Op.BYTE, value]
  return value < 0x10000 ? [Op.WORD, ...u16(value)] : [Op.DWORD, ...u32(value)]
}

/** A compressed EISA identifier such as PNP0A03: three letters of five bits and four digits, most significant byte first. */
export function eisaId(text: string): Aml {
  const letter = (i: number): number => text.charCodeAt(i) - 0x40
  const vendor = (letter(0) << 10) | (letter(1) << 5) | letter(2)
  const product = parseInt(text.slice(3), 16)
  return [Op.DWORD, vendor >> 8, vendor & 0xff, product >> 8, product & 0xff]
}

export const named = (of: string, value: Aml): Aml => [Op.NAME, ...name(of), ...value]
export const scope = (of: string, ...content: Aml[]): Aml => [Op.SCOPE, ...withLength([...name(of), ...content.flat()])]
export const device = (of: string, ...content: Aml[]): Aml => [EXTENDED, EXTENDED_DEVICE, ...withLength([...name(of), ...content.flat()])]
export const pkg = (...elements: Aml[]): Aml => [Op.PACKAGE, ...withLength([elements.length, ...elements.flat()])]

/** A buffer of resource descriptors, closed by an end tag without a checksum. */
export function resources(...descriptors: Aml[]): Aml {
  const bytes = [...descriptors.flat(), 0x79, 0]
  return [Op.BUFFER, ...withLength([...integer(bytes.length), ...bytes])]
}

/** I/O ports at a fixed place, decoded in 16 bits (6.4.2.5). */
export const ioPorts = (first: number, count: number): Aml => [0x47, 1, ...u16(first), ...u16(first), 1, count]
/** An ISA interrupt, edge-triggered, active high (6.4.2.1). */
export const irq = (line: number): Aml => [0x22, ...u16(1 << line)]

/** What an address space descriptor produces, at fixed addresses: minimum and maximum are fixed (6.4.3.5). */
const PRODUCER_FIXED = 0x0c
const AddressSpace = { MEMORY: 0, IO: 1, BUS: 2 } as const
const IO_ENTIRE_RANGE = 3
const MEMORY_READ_WRITE = 1

const word = (type: number, flags: number, first: number, last: number): Aml =>
  [0x88, ...u16(13), type, PRODUCER_FIXED, flags, ...[0, first, last, 0, last - first + 1].flatMap(u16)]
export const busNumbers = (first: number, last: number): Aml => word(AddressSpace.BUS, 0, first, last)
export const ioWindow = (first: number, last: number): Aml => word(AddressSpace.IO, IO_ENTIRE_RANGE, first, last)
export const memoryWindow = (first: number, last: number): Aml =>
  [0x87, ...u16(23), AddressSpace.MEMORY, PRODUCER_FIXED, MEMORY_READ_WRITE, ...[0, first, last, 0, last - first + 1].flatMap(u32)]
