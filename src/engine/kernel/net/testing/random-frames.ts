import type { Random } from '../../../random/random.ts'
import { MAC_BROADCAST, parseIpv4Address } from '../wire/address.ts'
import { checksum } from '../wire/checksum.ts'
import { emitArp } from '../wire/arp.ts'
import { ETHERNET_HEADER_BYTES, EtherType, emitEthernet } from '../wire/ethernet.ts'
import { IcmpType, emitIcmp } from '../wire/icmp.ts'
import { IPV4_HEADER_BYTES, IpProtocol, emitIpv4 } from '../wire/ipv4.ts'
import { emitTcp } from '../wire/tcp.ts'
import { emitUdp } from '../wire/udp.ts'

const FRAME_BYTES_MAX = 1514
const PAYLOAD_BYTES_MAX = 1400
/** Where the headers are. */
const HEADERS_BYTES = 60
const CHECKSUM_OFFSET = ETHERNET_HEADER_BYTES + 10
const ADDRESSES = [
  '10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.255', '10.0.0.0', '255.255.255.255', '0.0.0.0', '127.0.0.1', '224.0.0.1', '169.254.7.7',
  '8.8.8.8',
].map((text) => parseIpv4Address(text) as number)

/** Frames that a station may meet on a wire on which nobody keeps to any rule: noise, packets of random fields, and damaged packets. */
export class RandomFrames {
  private readonly random: Random
  private readonly macs: readonly number[]

  /** @param macs of the stations that are there */
  constructor(random: Random, macs: readonly number[]) {
    this.random = random
    this.macs = macs
  }

  next(): Uint8Array {
    const { random } = this
    if (this.below(8) === 0) return random.bytes(this.below(FRAME_BYTES_MAX + 1))
    const frame = this.packet()
    const damages = this.below(2) === 0 ? 0 : this.below(6)
    for (let count = 0; count < damages; count++) {
      const end = Math.min(frame.length, this.below(3) === 0 ? FRAME_BYTES_MAX : HEADERS_BYTES)
      frame[this.below(end)] = random.next()
    }
    if (damages > 0 && this.below(4) > 0) this.repair(frame)
    return this.below(10) === 0 ? frame.slice(0, this.below(frame.length + 1)) : frame
  }

  /** Makes a damaged header's checksum right, so that what is behind it is looked at. */
  private repair(frame: Uint8Array): void {
    const end = ETHERNET_HEADER_BYTES + (frame[ETHERNET_HEADER_BYTES] & 0xf) * 4
    if (end < ETHERNET_HEADER_BYTES + IPV4_HEADER_BYTES || end > frame.length) return
    frame.fill(0, CHECKSUM_OFFSET, CHECKSUM_OFFSET + 2)
    const sum = checksum(frame.subarray(ETHERNET_HEADER_BYTES, end))
    frame[CHECKSUM_OFFSET] = sum >> 8
    frame[CHECKSUM_OFFSET + 1] = sum & 0xff
  }

  private packet(): Uint8Array {
    const [source, destination] = [this.mac(), this.below(3) === 0 ? MAC_BROADCAST : this.mac()]
    if (this.below(4) === 0) {
      const payload = emitArp({
        operation: 1 + this.below(3), senderMac: this.mac(), senderAddress: this.address(),
        targetMac: this.mac(), targetAddress: this.address(),
      })
      return emitEthernet({ destination, source, type: EtherType.ARP, payload })
    }
    return emitEthernet({ destination, source, type: EtherType.IPV4, payload: this.ipv4() })
  }

  private ipv4(): Uint8Array {
    const ends = { source: this.address(), destination: this.address() }
    const [protocol, payload] = this.payload(ends)
    return emitIpv4({
      typeOfService: this.below(256), identification: this.below(65536),
      dontFragment: this.below(2) === 0, moreFragments: this.below(20) === 0,
      fragmentOffset: this.below(20) === 0 ? this.below(8192) * 8 : 0, ttl: this.below(256), protocol, payload, ...ends,
    })
  }

  private payload(ends: { source: number; destination: number }): [number, Uint8Array] {
    const { random } = this
    const data = random.bytes(this.below(4) === 0 ? this.below(PAYLOAD_BYTES_MAX) : this.below(40))
    switch (this.below(6)) {
      case 0:
        return [this.below(256), data]
      case 1:
        return [IpProtocol.ICMP, emitIcmp({ kind: 'echo', isReply: this.below(2) === 0, identifier: this.port(), sequence: 1, data })]
      case 2: {
        const type = [IcmpType.DESTINATION_UNREACHABLE, IcmpType.REDIRECT, IcmpType.TIME_EXCEEDED, IcmpType.SOURCE_QUENCH][this.below(4)]
        const quoted = this.below(3) === 0 ? data : this.ipv4().subarray(0, 28 + this.below(20))
        return [IpProtocol.ICMP, emitIcmp({ kind: 'error', type, code: this.below(8), detail: random.next(), quoted })]
      }
      case 3:
        return [
          IpProtocol.TCP,
          emitTcp({
            sourcePort: this.port(), destinationPort: this.port(), sequence: random.next(), acknowledgment: random.next(),
            flags: this.below(64), window: this.below(65536), payload: data,
          }, ends),
        ]
      default:
        return [IpProtocol.UDP, emitUdp({ sourcePort: this.port(), destinationPort: this.port(), payload: data }, ends)]
    }
  }

  private below(limit: number): number {
    return limit === 0 ? 0 : this.random.next() % limit
  }
  private port(): number {
    return this.below(4) === 0 ? this.below(65536) : this.below(8)
  }
  private address(): number {
    return this.below(8) === 0 ? this.random.next() : ADDRESSES[this.below(ADDRESSES.length)]
  }
  private mac(): number {
    return this.below(10) === 0 ? this.random.next() : this.macs[this.below(this.macs.length)]
  }
}
