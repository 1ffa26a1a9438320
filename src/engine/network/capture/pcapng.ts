/**
 * Captures in the format that Wireshark reads: PCAP Next Generation, draft-ietf-opsawg-pcapng. One section, little-endian; one
 * interface for each link; times in nanoseconds of virtual time, shown as since 1970.
 */
import type { Direction } from '../link.ts'

export interface CapturedPacket {
  link: string
  /** Frames from a to b are outbound, those from b to a inbound. */
  direction: Direction
  timeNs: number
  /** Without FCS. */
  frame: Uint8Array
  /** What cannot be seen in the frame, such as that it was dropped. */
  comment?: string
}

/** Section 11.1: block types. */
const BlockType = { SECTION_HEADER: 0x0a0d0d0a, INTERFACE_DESCRIPTION: 1, ENHANCED_PACKET: 6 } as const
/** Section 3.5, and those of the blocks in 4.1 to 4.3. */
const OptionCode = {
  END: 0, COMMENT: 1, SECTION_USER_APPLICATION: 4, INTERFACE_NAME: 2, INTERFACE_DESCRIPTION: 3, INTERFACE_TIME_RESOLUTION: 9,
  PACKET_FLAGS: 2,
} as const
const BYTE_ORDER_MAGIC = 0x1a2b3c4d
const VERSION = { major: 1, minor: 0 }
const LINKTYPE_ETHERNET = 1
/** A power of ten. */
const NANOSECONDS = 9
/** Section 4.3.1, bits 0 and 1 of the flags. */
const PACKET_DIRECTION: Record<Direction, number> = { 'b-to-a': 1, 'a-to-b': 2 }
const OPTION_BYTES_MAX = 0xffff
const TWO_32 = 2 ** 32

const encoder = new TextEncoder()

/** Writes a capture piece by piece, each a whole number of blocks, so that what was written can be read at any time. */
export class PcapngWriter {
  readonly #write: (bytes: Uint8Array) => void
  /** Numbers of interfaces by link. */
  readonly #interfaces = new Map<string, number>()
  #interfaceCount = 0

  constructor(write: (bytes: Uint8Array) => void) {
    this.#write = write
    const body = words(BYTE_ORDER_MAGIC, VERSION.major | (VERSION.minor << 16), 0xffffffff, 0xffffffff)
    this.#block(BlockType.SECTION_HEADER, [body, option(OptionCode.SECTION_USER_APPLICATION, encoder.encode('Atoll')), END])
  }

  /** Declares a link before its first packet. Once more for one that was wired anew: an interface of its own. */
  link(name: string, description: string): void {
    this.#interfaces.set(name, this.#interfaceCount++)
    this.#block(BlockType.INTERFACE_DESCRIPTION, [
      words(LINKTYPE_ETHERNET, 0),
      option(OptionCode.INTERFACE_NAME, encoder.encode(name)),
      option(OptionCode.INTERFACE_DESCRIPTION, encoder.encode(description)),
      option(OptionCode.INTERFACE_TIME_RESOLUTION, Uint8Array.of(NANOSECONDS)),
      END,
    ])
  }

  /** Throws RangeError for a link that was not declared. */
  packet({ link, direction, timeNs, frame, comment }: CapturedPacket): void {
    const number = this.#interfaces.get(link)
    if (number === undefined) throw new RangeError(`the capture knows no link ${link}`)
    this.#block(BlockType.ENHANCED_PACKET, [
      words(number, Math.floor(timeNs / TWO_32), timeNs % TWO_32, frame.length, frame.length),
      padded(frame),
      ...(comment === undefined ? [] : [option(OptionCode.COMMENT, encoder.encode(comment))]),
      option(OptionCode.PACKET_FLAGS, words(PACKET_DIRECTION[direction])),
      END,
    ])
  }

  /** Section 3.1: the length stands at both ends, so that a reader can go back. */
  #block(type: number, parts: readonly Uint8Array[]): void {
    const length = parts.reduce((sum, part) => sum + part.length, 12)
    const block = new Uint8Array(length)
    block.set(words(type, length))
    let at = 8
    for (const part of parts) {
      block.set(part, at)
      at += part.length
    }
    block.set(words(length), at)
    this.#write(block)
  }
}

function words(...values: number[]): Uint8Array {
  const bytes = new Uint8Array(4 * values.length)
  const view = new DataView(bytes.buffer)
  values.forEach((value, index) => view.setUint32(4 * index, value, true))
  return bytes
}

function padded(bytes: Uint8Array): Uint8Array {
  const whole = new Uint8Array((bytes.length + 3) & ~3)
  whole.set(bytes)
  return whole
}

function option(code: number, value: Uint8Array): Uint8Array {
  if (value.length > OPTION_BYTES_MAX) throw new RangeError(`an option of a capture holds ${OPTION_BYTES_MAX} bytes, not ${value.length}`)
  const bytes = new Uint8Array(4 + ((value.length + 3) & ~3))
  bytes.set(words(code | (value.length << 16)))
  bytes.set(value, 4)
  return bytes
}

const END = option(OptionCode.END, new Uint8Array())
