import { describe, expect, it } from 'vitest'
import { decodeFrame } from './decode.ts'
import type { DecodedFrame, Field } from './fields.ts'
import { ipv6Text } from './reader.ts'
import { ALICE, arpFrame, dnsAnswer, dnsQuery, echoFrame, ipv4Frame, tcpFrame, udpFrame } from './testing/build-frame.ts'

const text = (value: string): Uint8Array => new TextEncoder().encode(value)

function field(decoded: DecodedFrame, protocol: string, name: string): Field {
  const found = decoded.layers.find((layer) => layer.protocol === protocol)?.fields.find((candidate) => candidate.name === name)
  if (!found) throw new Error(`no ${name} in ${protocol}`)
  return found
}

const frames = {
  arp: arpFrame(1),
  echo: echoFrame(8, 3),
  udp: udpFrame(5000, 7, text('hello there')),
  tcp: tcpFrame(0x12),
  query: udpFrame(5353, 5353, dnsQuery('alice.local')),
  answer: udpFrame(5353, 5353, dnsAnswer('alice.local', ALICE.ip)),
}

describe('decodes', () => {
  it('an ARP request, probe and announcement', () => {
    expect(decodeFrame(frames.arp)).toMatchObject({
      protocol: 'ARP',
      destination: 'ff:ff:ff:ff:ff:ff',
      info: { name: 'arpRequest', values: { target: '10.0.0.2', sender: '10.0.0.1' } },
    })
    expect(decodeFrame(arpFrame(1, [0, 0, 0, 0])).info.name).toBe('arpProbe')
    expect(decodeFrame(arpFrame(1, ALICE.ip, ALICE.ip)).info.name).toBe('arpAnnouncement')
    expect(decodeFrame(arpFrame(2)).info.name).toBe('arpReply')
  })

  it('an ICMP echo with its checksums', () => {
    const decoded = decodeFrame(frames.echo)
    expect(decoded).toMatchObject({
      protocol: 'ICMP',
      source: '10.0.0.1',
      destination: '10.0.0.2',
      isMalformed: false,
      info: { name: 'echoRequest', values: { identifier: 1, sequence: 3 } },
    })
    expect(decoded.layers.map(({ protocol }) => protocol)).toEqual(['Ethernet', 'IPv4', 'ICMP', 'Data'])
    expect(field(decoded, 'ICMP', 'checksum').isRight).toBe(true)
    expect(field(decoded, 'ICMP', 'sequence')).toMatchObject({ value: '3', start: 14 + 20 + 6, length: 2 })
  })

  it('a datagram and the text in it', () => {
    expect(decodeFrame(frames.udp)).toMatchObject({
      protocol: 'UDP',
      isMalformed: false,
      info: { name: 'udpText', values: { source: 5000, destination: 7, text: 'hello there' } },
    })
    expect(decodeFrame(udpFrame(1, 2, new Uint8Array([0, 1, 2]))).info.name).toBe('udp')
  })

  it('a TCP header', () => {
    expect(decodeFrame(frames.tcp)).toMatchObject({ protocol: 'TCP', isMalformed: false, info: { values: { flags: 'SYN ACK' } } })
  })

  it('a question and an answer of mDNS, through a pointer', () => {
    expect(decodeFrame(frames.query)).toMatchObject({ protocol: 'mDNS', info: { name: 'dnsQuery', values: { subject: 'alice.local A' } } })
    const answer = decodeFrame(frames.answer)
    expect(answer).toMatchObject({ isMalformed: false, info: { name: 'dnsResponse', values: { subject: 'alice.local A 10.0.0.1' } } })
    expect(field(answer, 'mDNS', 'answer').children).toMatchObject([
      { name: 'recordName', value: 'alice.local' },
      { name: 'recordType', value: 'A' },
      { name: 'recordClass', value: 'IN' },
      { name: 'recordTtl', value: '120 s' },
      { name: 'recordData', value: '10.0.0.1' },
    ])
  })

  it('a fragment as what it is, not as the header it lacks', () => {
    expect(decodeFrame(ipv4Frame(17, text('12345678'), { fragment: 1 })).info).toEqual({
      name: 'fragment',
      values: { offset: 8, length: 8 },
    })
  })

  it('padding apart from the packet', () => {
    const padded = new Uint8Array(60)
    padded.set(echoFrame(8, 1, ''))
    const decoded = decodeFrame(padded)
    expect(decoded.isMalformed).toBe(false)
    expect(field(decoded, 'Ethernet', 'padding')).toMatchObject({ start: 42, length: 18 })
  })
})

describe('what is wrong', () => {
  it('shows as a checksum that does not fit', () => {
    for (const frame of [frames.echo, frames.udp, frames.tcp]) {
      const corrupted = frame.slice()
      corrupted[corrupted.length - 1] ^= 0x10
      const decoded = decodeFrame(corrupted)
      expect(decoded.isMalformed).toBe(true)
      expect(field(decoded, decoded.protocol, 'checksum').isRight).toBe(false)
    }
  })

  it('leaves the layers before a header that breaks off', () => {
    const decoded = decodeFrame(frames.tcp.slice(0, 14 + 20 + 5))
    expect(decoded.layers.map(({ protocol }) => protocol)).toEqual(['Ethernet', 'IPv4'])
    expect(decoded).toMatchObject({ isMalformed: true, source: '10.0.0.1' })
    expect(decodeFrame(new Uint8Array()).info.name).toBe('truncated')
  })

  it('is a name that points at itself, and does not hang', () => {
    const query = dnsQuery('alice.local')
    query.set([0xc0, 12], 12)
    expect(decodeFrame(udpFrame(5353, 5353, query)).layers.at(-1)!.protocol).toBe('mDNS')
  })
})

/** A generator of 32-bit numbers (xorshift), so that a failure has a seed to repeat it with. */
function generator(seed: number): () => number {
  let state = seed | 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state >>> 0
  }
}

function check(frame: Uint8Array, what: string): void {
  const decoded = decodeFrame(frame)
  const visit = ({ start, length, children = [] }: Field): void => {
    expect(start >= 0 && length >= 0 && start + length <= frame.length, `${what}: a field at ${start} of ${length} bytes`).toBe(true)
    children.forEach(visit)
  }
  for (const { fields } of decoded.layers) fields.forEach(visit)
}

describe('never throws, and points at bytes that are there', () => {
  it('whatever the bytes', () => {
    for (let seed = 1; seed <= 3000; seed++) {
      const next = generator(seed * 2654435761)
      const frame = Uint8Array.from({ length: next() % 200 }, () => next() & 0xff)
      if (frame.length > 14)
        frame.set(
          [
            [8, 0],
            [8, 6],
            [0x86, 0xdd],
          ][seed % 3],
          12,
        )
      check(frame, `seed ${seed}`)
    }
  })

  it.each(Object.entries(frames))('when %s is cut or changed anywhere', (name, frame) => {
    for (let length = 0; length < frame.length; length++) check(frame.slice(0, length), `${name} cut to ${length}`)
    for (let seed = 1; seed <= 2000; seed++) {
      const next = generator(seed * 40503)
      const changed = frame.slice()
      for (let change = next() % 6; change >= 0; change--) changed[next() % changed.length] = next() & 0xff
      check(changed, `${name}, seed ${seed}`)
    }
  })
})

it('writes IPv6 addresses as RFC 5952 does', () => {
  const address = (groups: number[]): Uint8Array => Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 0xff]))
  expect(ipv6Text(address([0xfe80, 0, 0, 0, 0, 0, 0, 1]))).toBe('fe80::1')
  expect(ipv6Text(address([0x2001, 0xdb8, 0, 1, 0, 0, 0, 1]))).toBe('2001:db8:0:1::1')
  expect(ipv6Text(address([0, 0, 0, 0, 0, 0, 0, 0]))).toBe('::')
  expect(ipv6Text(address([1, 2, 3, 4, 5, 6, 0, 7]))).toBe('1:2:3:4:5:6:0:7')
})
