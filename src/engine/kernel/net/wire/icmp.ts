import { checksum } from './checksum.ts'
import type { Field, Malformed } from './header.ts'
import { Header } from './header.ts'

/** ICMP (RFC 792): echo, and the errors that quote a packet. */
const Icmp = { TYPE: [0, 1], CODE: [1, 1], CHECKSUM: [2, 2], REST: [4, 4], IDENTIFIER: [4, 2], SEQUENCE: [6, 2] } as const satisfies
  Record<string, Field>

export const ICMP_HEADER_BYTES = 8

export const IcmpType = {
  ECHO_REPLY: 0, DESTINATION_UNREACHABLE: 3, SOURCE_QUENCH: 4, REDIRECT: 5, ECHO: 8, TIME_EXCEEDED: 11, PARAMETER_PROBLEM: 12,
} as const
/** Codes of DESTINATION_UNREACHABLE (RFC 792, RFC 1122 3.2.2.1). */
export const Unreachable = { NET: 0, HOST: 1, PROTOCOL: 2, PORT: 3, FRAGMENTATION_NEEDED: 4 } as const

const errorTypes: readonly number[] = [
  IcmpType.DESTINATION_UNREACHABLE, IcmpType.SOURCE_QUENCH, IcmpType.REDIRECT, IcmpType.TIME_EXCEEDED, IcmpType.PARAMETER_PROBLEM,
]

/** Types that tell of an error: never answered with another one (RFC 1122, 3.2.2). */
export const isIcmpError = (type: number): boolean => errorTypes.includes(type)

export interface EchoMessage {
  kind: 'echo'
  isReply: boolean
  identifier: number
  sequence: number
  data: Uint8Array
}

export interface ErrorMessage {
  kind: 'error'
  /** An IcmpType. */
  type: number
  code: number
  /** The second word of the header: a gateway, an MTU, a pointer, or zero. */
  detail: number
  /** The packet it is about, from its IP header on, possibly cut off. */
  quoted: Uint8Array
}

export type IcmpMessage = EchoMessage | ErrorMessage

/** `unsupported` for timestamps and what came later. */
export function parseIcmp(bytes: Uint8Array): IcmpMessage | Malformed {
  if (bytes.length < ICMP_HEADER_BYTES) return 'truncated'
  if (checksum(bytes) !== 0) return 'bad checksum'
  const header = new Header(bytes)
  const type = header.get(Icmp.TYPE)
  const code = header.get(Icmp.CODE)
  const body = bytes.subarray(ICMP_HEADER_BYTES)
  if (isIcmpError(type)) return { kind: 'error', type, code, detail: header.get(Icmp.REST), quoted: body }
  if ((type !== IcmpType.ECHO && type !== IcmpType.ECHO_REPLY) || code !== 0) return 'unsupported'
  return {
    kind: 'echo',
    isReply: type === IcmpType.ECHO_REPLY,
    identifier: header.get(Icmp.IDENTIFIER),
    sequence: header.get(Icmp.SEQUENCE),
    data: body,
  }
}

export function emitIcmp(message: IcmpMessage): Uint8Array {
  const body = message.kind === 'echo' ? message.data : message.quoted
  const header = new Header(new Uint8Array(ICMP_HEADER_BYTES + body.length))
  header.bytes.set(body, ICMP_HEADER_BYTES)
  if (message.kind === 'echo') {
    header.set(Icmp.TYPE, message.isReply ? IcmpType.ECHO_REPLY : IcmpType.ECHO)
    header.set(Icmp.IDENTIFIER, message.identifier)
    header.set(Icmp.SEQUENCE, message.sequence)
  } else {
    header.set(Icmp.TYPE, message.type)
    header.set(Icmp.CODE, message.code)
    header.set(Icmp.REST, message.detail)
  }
  header.set(Icmp.CHECKSUM, checksum(header.bytes))
  return header.bytes
}
