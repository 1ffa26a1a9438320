import type { Field, Malformed } from './header.ts'
import { Header } from './header.ts'

/** Ethernet II frames (IEEE 802.3-2018, clause 3.2.6, Length/Type as Type), without preamble and FCS. */
const Ethernet = { DESTINATION: [0, 6], SOURCE: [6, 6], TYPE: [12, 2] } as const satisfies Record<string, Field>

export const ETHERNET_HEADER_BYTES = 14
/** The shortest frame without FCS; shorter ones are padded with zeros. */
export const ETHERNET_FRAME_BYTES_MIN = 60
/** The longest payload. */
export const ETHERNET_MTU = 1500
/** Smaller values of the field are a length (IEEE 802.3-2018, 3.2.6). */
const TYPE_MIN = 0x600

/** Types that we speak (IANA, IEEE 802 numbers). */
export const EtherType = { IPV4: 0x0800, ARP: 0x0806 } as const

export interface EthernetFrame {
  destination: number
  source: number
  type: number
  /** With its padding: what is inside knows its own length. */
  payload: Uint8Array
}

/** `truncated` when the header is not whole, `unsupported` for an 802.2 frame. */
export function parseEthernet(bytes: Uint8Array): EthernetFrame | Malformed {
  if (bytes.length < ETHERNET_HEADER_BYTES) return 'truncated'
  const header = new Header(bytes)
  const type = header.get(Ethernet.TYPE)
  if (type < TYPE_MIN) return 'unsupported'
  return {
    destination: header.get(Ethernet.DESTINATION),
    source: header.get(Ethernet.SOURCE),
    type,
    payload: bytes.subarray(ETHERNET_HEADER_BYTES),
  }
}

export function emitEthernet({ destination, source, type, payload }: EthernetFrame): Uint8Array {
  const header = new Header(new Uint8Array(Math.max(ETHERNET_HEADER_BYTES + payload.length, ETHERNET_FRAME_BYTES_MIN)))
  header.set(Ethernet.DESTINATION, destination)
  header.set(Ethernet.SOURCE, source)
  header.set(Ethernet.TYPE, type)
  header.bytes.set(payload, ETHERNET_HEADER_BYTES)
  return header.bytes
}
