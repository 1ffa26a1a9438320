import { describe, expect, it } from 'vitest'
import { Random } from '../../../random/random.ts'
import { MAC_BROADCAST, broadcastOf, formatIpv4, formatMac, isMacGroup, parseIpv4Address, prefixMask } from './address.ts'
import type { ArpPacket } from './arp.ts'
import { emitArp, parseArp } from './arp.ts'
import { checksum, pseudoHeader } from './checksum.ts'
import { emitEthernet, parseEthernet } from './ethernet.ts'
import { Header, isMalformed } from './header.ts'
import type { IcmpMessage } from './icmp.ts'
import { emitIcmp, parseIcmp } from './icmp.ts'
import type { Ipv4Packet } from './ipv4.ts'
import { emitIpv4, parseIpv4, parseQuotedIpv4 } from './ipv4.ts'
import type { TcpSegment } from './tcp.ts'
import { TcpFlag, emitTcp, parseTcp, resetFor } from './tcp.ts'
import { emitUdp, parseUdp } from './udp.ts'

const ROUNDS = 300
const address = (random: Random): number => random.next()
const mac = (random: Random): number => (random.next() & 0xffff) * 2 ** 32 + random.next()
const port = (random: Random): number => random.next() & 0xffff
const payload = (random: Random, most = 80): Uint8Array => random.bytes(random.next() % (most + 1))

const randomIpv4 = (random: Random): Ipv4Packet => ({
  typeOfService: random.next() & 0xff, identification: port(random), dontFragment: random.next() % 2 === 0,
  moreFragments: random.next() % 2 === 0, fragmentOffset: (random.next() & 0x1fff) * 8, ttl: random.next() & 0xff,
  protocol: random.next() & 0xff, source: address(random), destination: address(random), payload: payload(random),
})
const randomArp = (random: Random): ArpPacket => ({
  operation: 1 + (random.next() % 2), senderMac: mac(random), senderAddress: address(random), targetMac: mac(random),
  targetAddress: address(random),
})
const ERRORS = [3, 4, 5, 11, 12]
const randomIcmp = (random: Random): IcmpMessage =>
  random.next() % 2 === 0
    ? { kind: 'echo', isReply: random.next() % 2 === 0, identifier: port(random), sequence: port(random), data: payload(random) }
    : { kind: 'error', type: ERRORS[random.next() % 5], code: random.next() & 0xff, detail: random.next(), quoted: payload(random) }
const randomTcp = (random: Random): TcpSegment => ({
  sourcePort: port(random), destinationPort: port(random), sequence: random.next(), acknowledgment: random.next(),
  flags: random.next() & 0xff, window: port(random), payload: payload(random),
})

/** Each protocol: a packet emitted from random fields, and how bytes are read. */
const endpoints = { source: 0x0a000001, destination: 0x0a000002 }
const protocols: Record<string, { emit: (random: Random) => [object, Uint8Array]; parse: (bytes: Uint8Array) => object | string }> = {
  arp: {
    emit: (random) => {
      const packet = randomArp(random)
      return [packet, emitArp(packet)]
    },
    parse: parseArp,
  },
  ipv4: {
    emit: (random) => {
      const packet = randomIpv4(random)
      return [packet, emitIpv4(packet)]
    },
    parse: parseIpv4,
  },
  icmp: {
    emit: (random) => {
      const packet = randomIcmp(random)
      return [packet, emitIcmp(packet)]
    },
    parse: parseIcmp,
  },
  udp: {
    emit: (random) => {
      const packet = { sourcePort: port(random), destinationPort: port(random), payload: payload(random) }
      return [packet, emitUdp(packet, endpoints)]
    },
    parse: (bytes) => parseUdp(bytes, endpoints),
  },
  tcp: {
    emit: (random) => {
      const packet = randomTcp(random)
      return [packet, emitTcp(packet, endpoints)]
    },
    parse: (bytes) => parseTcp(bytes, endpoints),
  },
  'quoted ipv4': {
    emit: (random) => {
      const { protocol, source, destination, payload: rest } = { ...randomIpv4(random), payload: random.bytes(8) }
      const packet = { protocol, source, destination, payload: rest }
      return [packet, emitIpv4({ ...randomIpv4(random), ...packet })]
    },
    parse: parseQuotedIpv4,
  },
}

describe.each(Object.entries(protocols))('%s', (_name, { emit, parse }) => {
  it('comes back as it was emitted', () => {
    const random = new Random(1)
    for (let round = 0; round < ROUNDS; round++) {
      const [packet, bytes] = emit(random)
      expect(parse(bytes)).toEqual(packet)
    }
  })

  it('is refused wherever it is cut off', () => {
    const [, bytes] = emit(new Random(2))
    for (let length = 0; length < Math.min(bytes.length, 20); length++) expect(typeof parse(bytes.subarray(0, length))).toBe('string')
  })

  it('never reads outside, whatever the bytes are', () => {
    const random = new Random(3)
    for (let round = 0; round < ROUNDS * 10; round++) {
      const noise = payload(random, 64)
      const [, bytes] = emit(random)
      // A packet with a few wrong bytes gets further than noise does.
      for (let flips = random.next() % 4; flips > 0 && bytes.length > 0; flips--) bytes[random.next() % bytes.length] = random.next() & 0xff
      for (const input of [noise, bytes, bytes.subarray(0, random.next() % (bytes.length + 1))]) expect(() => parse(input)).not.toThrow()
    }
  })
})

describe('ethernet', () => {
  it('pads short frames and keeps the rest', () => {
    const frame = { destination: MAC_BROADCAST, source: 0x525400123456, type: 0x800, payload: Uint8Array.of(1, 2, 3) }
    const bytes = emitEthernet(frame)
    expect(bytes.length).toBe(60)
    expect(parseEthernet(bytes)).toMatchObject({ destination: MAC_BROADCAST, source: 0x525400123456, type: 0x800 })
    const long = { ...frame, payload: new Random(1).bytes(1500) }
    expect(parseEthernet(emitEthernet(long))).toEqual(long)
  })

  it('refuses what is too short or has a length for a type', () => {
    expect(parseEthernet(new Uint8Array(13))).toBe('truncated')
    expect(parseEthernet(new Uint8Array(60))).toBe('unsupported')
  })
})

describe('checksum', () => {
  // RFC 1071, section 3: the bytes 00 01 f2 03 f4 f5 f6 f7 sum to ddf2.
  it('sums as RFC 1071 shows', () => {
    expect(checksum(Uint8Array.of(0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7))).toBe(~0xddf2 & 0xffff)
  })

  it('pads an odd byte', () => {
    expect(checksum(Uint8Array.of(0x12, 0x34, 0x56))).toBe(checksum(Uint8Array.of(0x12, 0x34, 0x56, 0)))
  })

  it('is found wrong when one bit is', () => {
    const random = new Random(4)
    for (const { emit, parse } of [protocols.ipv4, protocols.icmp, protocols.udp, protocols.tcp]) {
      const [, bytes] = emit(random)
      for (let bit = 0; bit < 16 * 8; bit++) {
        const broken = bytes.slice()
        broken[bit >> 3] ^= 1 << (bit & 7)
        const covered = bit >> 3 < bytes.length
        if (covered) expect(typeof parse(broken)).toBe('string')
      }
    }
  })

  it('of UDP is all ones where it would be zero, and zero means none', () => {
    const empty = { sourcePort: 0, destinationPort: 0, payload: new Uint8Array(2) }
    const bytes = emitUdp(empty, endpoints)
    const value = new Header(bytes).get([6, 2])
    // The payload that makes the sum come out at zero.
    const even = { ...empty, payload: Uint8Array.of(value >> 8, value & 0xff) }
    expect(new Header(emitUdp(even, endpoints)).get([6, 2])).toBe(0xffff)
    expect(isMalformed(parseUdp(emitUdp(even, endpoints), endpoints))).toBe(false)
    const without = emitUdp({ ...empty, payload: Uint8Array.of(9, 9) }, endpoints)
    without.set([0, 0], 6)
    expect(parseUdp(without, endpoints)).toMatchObject({ payload: Uint8Array.of(9, 9) })
    expect(pseudoHeader(0, 0, 17, 8)).toBe(25)
  })
})

describe('addresses', () => {
  it('are written and read', () => {
    expect(formatIpv4(0x0a0000fe)).toBe('10.0.0.254')
    expect(formatMac(0x525400123456)).toBe('52:54:00:12:34:56')
    expect(parseIpv4Address('169.254.1.9')).toBe(0xa9fe0109)
    const wrong = ['', '1.2.3', '1.2.3.4.5', '256.1.1.1', '01.2.3.4', '1.2.3.x', ' 1.2.3.4', '1.2.3.-4']
    for (const text of wrong) expect(parseIpv4Address(text), text).toBeNull()
  })

  it('have networks', () => {
    expect([0, 8, 24, 31, 32].map(prefixMask)).toEqual([0, 0xff000000, 0xffffff00, 0xfffffffe, 0xffffffff])
    expect(broadcastOf(0x0a000001, 24)).toBe(0x0a0000ff)
    expect(broadcastOf(0x0a000001, 31)).toBeNull()
    expect([isMacGroup(MAC_BROADCAST), isMacGroup(0x01005e000001), isMacGroup(0x525400000001)]).toEqual([true, true, false])
  })
})

describe('a field', () => {
  it('cannot be reached outside the bytes', () => {
    const header = new Header(new Uint8Array(8).subarray(2, 6))
    expect(() => header.get([3, 2])).toThrow(RangeError)
    expect(() => header.set([0, 6], 1)).toThrow(RangeError)
  })
})

describe('what answers a segment without a connection', () => {
  const ports = { sourcePort: 5, destinationPort: 6 }
  const segment = { ...ports, sequence: 100, acknowledgment: 7, flags: TcpFlag.SYN, window: 1, payload: new Uint8Array(0) }

  it('is a reset that the sender believes (RFC 9293, 3.10.7.1)', () => {
    const refused = { sourcePort: 6, destinationPort: 5, sequence: 0, acknowledgment: 101, flags: TcpFlag.RST | TcpFlag.ACK }
    expect(resetFor(segment)).toMatchObject(refused)
    expect(resetFor({ ...segment, flags: TcpFlag.ACK, payload: new Uint8Array(3) })).toMatchObject({ sequence: 7, flags: TcpFlag.RST })
    expect(resetFor({ ...segment, flags: TcpFlag.FIN, payload: new Uint8Array(3) })).toMatchObject({ acknowledgment: 104 })
  })

  it('is nothing for a reset', () => {
    expect(resetFor({ ...segment, flags: TcpFlag.RST })).toBeNull()
  })
})
