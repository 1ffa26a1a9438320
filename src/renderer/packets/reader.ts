/** A view of part of a frame that cannot read out of bounds: what lies beyond the end is refused with `Truncated`. */
export class Reader {
  readonly bytes: Uint8Array
  readonly start: number
  readonly end: number
  readonly #view: DataView

  /** `start` and `end` are offsets in the frame; `end` is cut to what is there. */
  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.bytes = bytes
    this.start = start
    this.end = Math.max(start, Math.min(end, bytes.length))
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get length(): number {
    return this.end - this.start
  }

  /** Offsets here count from `start`. */
  u8(offset: number): number {
    return this.#view.getUint8(this.#check(offset, 1))
  }

  u16(offset: number): number {
    return this.#view.getUint16(this.#check(offset, 2))
  }

  u32(offset: number): number {
    return this.#view.getUint32(this.#check(offset, 4))
  }

  slice(offset: number, length: number): Uint8Array {
    const at = this.#check(offset, length)
    return this.bytes.subarray(at, at + length)
  }

  /** The part from `offset` on, at most `length` bytes of it. */
  sub(offset: number, length = this.length - offset): Reader {
    return new Reader(this.bytes, this.#check(offset, 0), Math.min(this.end, this.start + offset + Math.max(0, length)))
  }

  #check(offset: number, length: number): number {
    if (offset < 0 || length < 0 || this.start + offset + length > this.end) throw new Truncated(offset + length, this.length)
    return this.start + offset
  }
}

/** A header says that there is more than the frame holds. */
export class Truncated extends Error {
  constructor(needed: number, found: number) {
    super(`${needed} bytes needed, ${found} found`)
  }
}

/** Sum of RFC 1071 over `parts`, each of which starts at an even place; 0 when a checksum that is among them is right. */
export function internetChecksum(...parts: Uint8Array[]): number {
  let sum = 0
  for (const part of parts) {
    for (let at = 0; at < part.length; at += 2) sum += (part[at] << 8) | (at + 1 < part.length ? part[at + 1] : 0)
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return ~sum & 0xffff
}

export function macText(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(':')
}

export function ipv4Text(bytes: Uint8Array): string {
  return bytes.join('.')
}

/** RFC 5952: lower case, the longest run of two or more zero groups as `::`. */
export function ipv6Text(bytes: Uint8Array): string {
  const groups = Array.from({ length: 8 }, (_, i) => (bytes[i * 2] << 8) | bytes[i * 2 + 1])
  let best = { at: -1, length: 1 }
  for (let at = 0; at < 8; at++) {
    let length = 0
    while (at + length < 8 && groups[at + length] === 0) length++
    if (length > best.length) best = { at, length }
  }
  const hex = (part: number[]): string => part.map((group) => group.toString(16)).join(':')
  return best.at < 0 ? hex(groups) : `${hex(groups.slice(0, best.at))}::${hex(groups.slice(best.at + best.length))}`
}

export function hexText(value: number, digits: number): string {
  return `0x${value.toString(16).padStart(digits, '0')}`
}

/** Bytes as a person reads them: their text when all of it can be printed, else null. */
export function printable(bytes: Uint8Array): string | null {
  if (bytes.length === 0) return null
  const text = new TextDecoder('utf-8', { fatal: false }).decode(bytes)
  // U+FFFD stands for what was no UTF-8; controls other than line ends and tabs do not belong into a line of text.
  // oxlint-disable-next-line no-control-regex
  if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\ufffd]/.test(text)) return null
  return text.replace(/\s+/g, ' ').trim()
}
