/** Small ELF files made by hand, so that every field can be wrong on purpose. */

export interface TestSegment {
  type?: number
  flags: number
  address: number
  offset?: number
  bytes?: Uint8Array
  fileBytes?: number
  memoryBytes?: number
}

export interface TestElf {
  type?: number
  machine?: number
  entry?: number
  segments?: TestSegment[]
}

export const CODE = Uint8Array.of(0xeb, 0xfe)
const TEXT_ADDRESS = 0x201000
const PAGE_BYTES = 4096

/** An ELF64 file; by default one page of code at 0x201000 that loops for ever. Segment content starts at page offsets of the file. */
export function makeElf(options: TestElf = {}): Uint8Array {
  const segments = options.segments ?? [{ flags: 5, address: TEXT_ADDRESS, bytes: CODE }]
  const placed = segments.map((segment, index) => ({
    ...segment,
    offset: segment.offset ?? (index + 1) * PAGE_BYTES,
    bytes: segment.bytes ?? new Uint8Array(0),
  }))
  const ends = placed.filter(({ bytes }) => bytes.length > 0).map(({ offset, bytes }) => offset + bytes.length)
  const end = Math.max(64 + placed.length * 56, ...ends)
  const file = new Uint8Array(end)
  const view = new DataView(file.buffer)
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1])
  view.setUint16(16, options.type ?? 2, true)
  view.setUint16(18, options.machine ?? 62, true)
  view.setUint32(20, 1, true)
  view.setBigUint64(24, BigInt(options.entry ?? TEXT_ADDRESS), true)
  view.setBigUint64(32, 64n, true)
  view.setUint16(52, 64, true)
  view.setUint16(54, 56, true)
  view.setUint16(56, placed.length, true)
  placed.forEach((segment, index) => {
    const at = 64 + index * 56
    view.setUint32(at, segment.type ?? 1, true)
    view.setUint32(at + 4, segment.flags, true)
    view.setBigUint64(at + 8, BigInt(segment.offset), true)
    view.setBigUint64(at + 16, BigInt(segment.address), true)
    view.setBigUint64(at + 24, BigInt(segment.address), true)
    view.setBigUint64(at + 32, BigInt(segment.fileBytes ?? segment.bytes.length), true)
    view.setBigUint64(at + 40, BigInt(segment.memoryBytes ?? segment.bytes.length), true)
    view.setBigUint64(at + 48, BigInt(PAGE_BYTES), true)
    if (segment.bytes.length > 0) file.set(segment.bytes, segment.offset)
  })
  return file
}
