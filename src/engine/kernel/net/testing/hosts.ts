import { Wait } from '../../process/wait.ts'
import { KernelError } from '../../syscall/errno.ts'
import { NS_PER_S } from '../host.ts'
import type { DatagramSocket } from '../socket/datagram.ts'
import { MAC_BROADCAST, formatIpv4, parseIpv4Address } from '../wire/address.ts'
import type { ArpPacket } from '../wire/arp.ts'
import { emitArp, parseArp } from '../wire/arp.ts'
import { EtherType, emitEthernet, parseEthernet } from '../wire/ethernet.ts'
import type { Ipv4Packet } from '../wire/ipv4.ts'
import { emitIpv4, parseIpv4 } from '../wire/ipv4.ts'
import type { TestHost } from './wire.ts'
import { TestNetwork } from './wire.ts'

/** Two hosts that know each other, and what tests do to them. */

export const MAC_A = 0x525400000001
export const MAC_B = 0x525400000002
export const A = parseIpv4Address('10.0.0.1') as number
export const B = parseIpv4Address('10.0.0.2') as number
export const PORT = 7007
export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

export function pair(network = new TestNetwork(1)): { network: TestNetwork; a: TestHost; b: TestHost } {
  const a = network.add(MAC_A, { address: '10.0.0.1/24' })
  const b = network.add(MAC_B, { address: '10.0.0.2/24' })
  network.pass(5 * NS_PER_S)
  for (const host of [a, b]) host.sent.length = 0
  return { network, a, b }
}

/** A UDP socket, bound when a port is given. */
export function open({ stack }: TestHost, port = 0, address = 0): DatagramSocket {
  const socket = stack.sockets.create('udp')
  if (port !== 0) socket.bind({ address, port })
  return socket
}

/** What a socket has received, as text; `-` for nothing. */
export function next(socket: DatagramSocket): string {
  const datagram = socket.receive(false)
  return datagram instanceof Wait ? '-' : `${formatIpv4(datagram.from.address)} ${new TextDecoder().decode(datagram.bytes)}`
}

export const codeOf = (action: () => unknown): string => {
  try {
    action()
  } catch (error) {
    if (error instanceof KernelError) return error.code
    throw error
  }
  return 'none'
}

export const packetIn = (frame: Uint8Array): Ipv4Packet => {
  const packet = parseIpv4((parseEthernet(frame) as { payload: Uint8Array }).payload)
  if (typeof packet === 'string') throw new Error(packet)
  return packet
}
export const arpFrames = (host: TestHost): ReturnType<typeof parseArp>[] =>
  host.sent.flatMap((sent) => {
    const frame = parseEthernet(sent)
    return typeof frame !== 'string' && frame.type === EtherType.ARP ? [parseArp(frame.payload)] : []
  })

/** An ARP packet in a frame to a host or to all, as if its sender had sent it. */
export function hear(host: TestHost, packet: ArpPacket, destination = MAC_BROADCAST): void {
  host.device.onReceive(emitEthernet({ destination, source: packet.senderMac, type: EtherType.ARP, payload: emitArp(packet) }))
}

/** An IPv4 packet in a frame to a host, as if somebody else had sent it. */
export type PacketFields = Partial<Ipv4Packet> & Pick<Ipv4Packet, 'protocol' | 'payload'>
export const packetFromB = (fields: PacketFields): Uint8Array =>
  emitIpv4({
    typeOfService: 0, identification: 1, dontFragment: true, moreFragments: false, fragmentOffset: 0, ttl: 64,
    source: B, destination: A, ...fields,
  })
export function inject(host: TestHost, fields: PacketFields, destination = host.device.mac): void {
  const packet = packetFromB(fields)
  host.device.onReceive(emitEthernet({ destination, source: MAC_B, type: EtherType.IPV4, payload: packet }))
}
