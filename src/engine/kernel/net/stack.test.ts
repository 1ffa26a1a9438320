import { describe, expect, it } from 'vitest'
import { Wait } from '../process/wait.ts'
import { Random } from '../../random/random.ts'
import { Counters } from './counters.ts'
import { NS_PER_S } from './host.ts'
import { ERRORS_PER_S_MAX, Icmp } from './icmp.ts'
import { NEIGHBOURS_MAX } from './link/neighbours.ts'
import { MAC_A, MAC_B, A, B, PORT, bytes, pair, open, next, codeOf, packetIn, arpFrames, packetFromB, inject } from './testing/hosts.ts'
import type { TestHost } from './testing/wire.ts'
import { TestNetwork } from './testing/wire.ts'
import { IPV4_BROADCAST, IPV4_LOOPBACK, MAC_BROADCAST, parseIpv4Address } from './wire/address.ts'
import { emitArp } from './wire/arp.ts'
import { EtherType, emitEthernet } from './wire/ethernet.ts'
import type { IcmpMessage } from './wire/icmp.ts'
import { IcmpType, emitIcmp, parseIcmp } from './wire/icmp.ts'
import type { Ipv4Packet } from './wire/ipv4.ts'
import { IpProtocol, parseIpv4 } from './wire/ipv4.ts'
import { TcpFlag, emitTcp, parseTcp } from './wire/tcp.ts'
import { emitUdp } from './wire/udp.ts'

describe('two hosts on a wire', () => {
  it('exchange datagrams after one ARP exchange', () => {
    const { network, a, b } = pair()
    const server = open(b, PORT)
    const client = open(a)
    expect(client.send(bytes('hello'), { address: B, port: PORT })).toBe(5)
    network.pass(NS_PER_S / 10)
    expect(next(server)).toBe('10.0.0.1 hello')
    expect(next(server)).toBe('-')
    server.send(bytes('back'), { address: A, port: client.local.port })
    network.pass(NS_PER_S / 10)
    expect(next(client)).toBe('10.0.0.2 back')
    expect([arpFrames(a).length, arpFrames(b).length]).toEqual([1, 1])
  })

  it('get through loss and reordering by trying again', () => {
    const network = new TestNetwork(11, { loss: 0.3, reorderNs: 20_000_000 })
    const { a, b } = pair(network)
    const server = open(b, PORT)
    const client = open(a)
    const seen: string[] = []
    const answered = new Set<string>()
    for (let round = 0; round < 40; round++) {
      for (let index = 0; index < 20; index++)
        if (!answered.has(`${index}`)) client.send(bytes(`${index}`), { address: B, port: PORT })
      network.pass(NS_PER_S / 10)
      for (let got = server.receive(false); !(got instanceof Wait); got = server.receive(false)) {
        seen.push(new TextDecoder().decode(got.bytes))
        server.send(got.bytes, got.from)
      }
      network.pass(NS_PER_S / 10)
      for (let got = client.receive(false); !(got instanceof Wait); got = client.receive(false))
        answered.add(new TextDecoder().decode(got.bytes))
    }
    expect(answered.size).toBe(20)
    // The wire did reorder.
    expect(seen).not.toEqual([...seen].sort((x, y) => Number(x) - Number(y)))
  })

  it('do the same thing twice with the same seed', () => {
    const run = (): string => {
      const network = new TestNetwork(5, { loss: 0.2, reorderNs: 5_000_000 })
      network.add(MAC_A)
      network.add(MAC_B)
      const sockets = network.hosts.map((host) => open(host, PORT))
      for (const socket of sockets) socket.mayBroadcast = true
      for (let second = 0; second < 20; second++) {
        network.pass(NS_PER_S)
        for (const socket of sockets) socket.send(bytes(`at ${second}`), { address: IPV4_BROADCAST, port: PORT })
      }
      return JSON.stringify([network.frames.map((frame) => [...frame]), network.hosts.map(({ log }) => log)])
    }
    expect(run()).toBe(run())
  })

  it('answer echo requests', () => {
    const { network, a } = pair()
    const ping = a.stack.sockets.create('icmp')
    const request = emitIcmp({ kind: 'echo', isReply: false, identifier: 0, sequence: 3, data: bytes('payload') })
    expect(ping.send(request, { address: B, port: 0 })).toBe(request.length)
    network.pass(NS_PER_S / 10)
    const reply = ping.receive(false)
    if (reply instanceof Wait) throw new Error('no reply')
    const { port } = ping.local
    expect(parseIcmp(reply.bytes)).toEqual({ kind: 'echo', isReply: true, identifier: port, sequence: 3, data: bytes('payload') })
    expect(codeOf(() => ping.send(bytes('short'), { address: B, port: 0 }))).toBe('EINVAL')
  })

  it('tell a connected socket that nobody is at the port, and others nothing', () => {
    const { network, a } = pair()
    const connected = open(a)
    connected.connect({ address: B, port: 9 })
    const free = open(a)
    connected.send(bytes('x'), null)
    free.send(bytes('x'), { address: B, port: 9 })
    network.pass(NS_PER_S / 10)
    expect(codeOf(() => connected.receive(false))).toBe('ECONNREFUSED')
    expect(next(connected)).toBe('-')
    expect(next(free)).toBe('-')
  })

  it('reset TCP segments', () => {
    const { network, a } = pair()
    const ports = { sourcePort: 1, destinationPort: 80 }
    const segment = { ...ports, sequence: 9, acknowledgment: 0, flags: TcpFlag.SYN, window: 0, payload: bytes('') }
    inject(a, { protocol: IpProtocol.TCP, payload: emitTcp(segment, { source: B, destination: A }) })
    network.pass(NS_PER_S / 10)
    const answer = packetIn(a.sent[a.sent.length - 1])
    expect(parseTcp(answer.payload, answer)).toMatchObject({ flags: TcpFlag.RST | TcpFlag.ACK, acknowledgment: 10, destinationPort: 1 })
  })

  it('know who is on which network', () => {
    const { a } = pair()
    const network = new TestNetwork(2)
    const routed = network.add(MAC_A, { address: '10.0.0.1/24', gateway: '10.0.0.254' })
    const far = parseIpv4Address('8.8.8.8') as number
    expect(a.stack.path(far)).toBeNull()
    expect(routed.stack.path(far)).toMatchObject({ nextHop: parseIpv4Address('10.0.0.254'), source: A })
    expect(routed.log[0]).toBe('10.0.0.1/24, gateway 10.0.0.254')
    expect(codeOf(() => open(a).send(bytes('x'), { address: far, port: 1 }))).toBe('ENETUNREACH')
    for (const nobody of ['0.0.0.1', '224.0.0.251', '240.0.0.1']) expect(routed.stack.path(parseIpv4Address(nobody) as number)).toBeNull()
    expect(network.add(MAC_B, { address: '10.0.0.300/24' }).log[0]).toMatch(/is not an address/)
    for (const address of ['10.0.0.0/24', '10.0.0.255/24', '127.0.0.1/8', '10.0.0.1', '10.0.0.1/31', '10.0.0.1/7', 'x/24', '224.0.0.1/24'])
      expect(network.add(MAC_B, { address }).log[0], address).toMatch(/is not an address/)
    for (const gateway of ['10.1.0.1', '10.0.0.3', '10.0.0.255', '10.0.0', ''])
      expect(network.add(MAC_B, { address: '10.0.0.3/24', gateway }).log[0], gateway).toMatch(/no neighbour/)
  })
})

describe('a packet of a kind that must not be answered', () => {
  /** Lets B be known, so that answers would leave at once. */
  function acquainted(): TestHost {
    const { network, a } = pair()
    open(a).send(bytes('x'), { address: B, port: 1 })
    network.pass(NS_PER_S)
    a.sent.length = 0
    return a
  }
  const echo = emitIcmp({ kind: 'echo', isReply: false, identifier: 1, sequence: 1, data: bytes('') })
  const ports = { sourcePort: 1, destinationPort: 80 }
  const syn = { ...ports, sequence: 9, acknowledgment: 0, flags: TcpFlag.SYN, window: 0, payload: bytes('') }
  const toAll = { source: B, destination: IPV4_BROADCAST }

  it('is answered when it may be', () => {
    const a = acquainted()
    inject(a, { protocol: IpProtocol.ICMP, payload: echo })
    inject(a, { protocol: IpProtocol.TCP, payload: emitTcp(syn, { source: B, destination: A }) })
    inject(a, { protocol: 99, payload: bytes('x') })
    expect(a.sent.length).toBe(3)
  })

  it('is one to everybody, or one from a group of stations', () => {
    const a = acquainted()
    inject(a, { protocol: IpProtocol.ICMP, payload: echo, destination: IPV4_BROADCAST }, MAC_BROADCAST)
    inject(a, { protocol: IpProtocol.TCP, payload: emitTcp(syn, toAll), destination: IPV4_BROADCAST }, MAC_BROADCAST)
    const datagram = emitUdp({ ...ports, payload: bytes('') }, toAll)
    inject(a, { protocol: IpProtocol.UDP, payload: datagram, destination: IPV4_BROADCAST }, MAC_BROADCAST)
    inject(a, { protocol: 99, payload: bytes('x'), destination: 0x0a0000ff }, MAC_BROADCAST)
    const payload = packetFromB({ protocol: IpProtocol.ICMP, payload: echo })
    a.device.onReceive(emitEthernet({ destination: MAC_A, source: 0x01005e000001, type: EtherType.IPV4, payload }))
    expect(a.sent).toEqual([])
  })

  it('is an error of the protocol that would have to say so', () => {
    const counts = { protocols: 0 }
    const icmp = new Icmp({ nowNs: 0, random: new Random(0), charge: () => {}, wake: () => {}, log: () => {} }, new Counters(), {
      respond: () => void counts.protocols++,
      echoReply: () => {},
      failed: () => {},
    })
    const error = emitIcmp({ kind: 'error', type: IcmpType.DESTINATION_UNREACHABLE, code: 3, detail: 0, quoted: bytes('') })
    for (const payload of [error, bytes(''), echo]) {
      const raw = packetFromB({ protocol: IpProtocol.ICMP, payload })
      icmp.sendUnreachable(parseIpv4(raw) as Ipv4Packet, raw, 2)
    }
    expect(counts.protocols).toBe(1)
  })

  it('is one of more than a hundred in a second', () => {
    const a = acquainted()
    const flood = (): void => {
      for (let index = 0; index < 5000; index++)
        inject(a, { protocol: IpProtocol.UDP, payload: emitUdp({ ...ports, payload: bytes('x') }, { source: B, destination: A }) })
    }
    flood()
    expect(a.sent.length).toBe(ERRORS_PER_S_MAX)
  })
})

describe('what a host does not take', () => {
  const udp = (source = B, destination = A): Uint8Array =>
    emitUdp({ sourcePort: 5, destinationPort: PORT, payload: bytes('x') }, { source, destination })

  const cases: [reason: string, send: (host: TestHost) => void][] = [
    ['ip: fragment', (host) => inject(host, { protocol: 17, payload: udp(), moreFragments: true, dontFragment: false })],
    ['ip: for another host', (host) => inject(host, { protocol: 17, payload: udp(), destination: A + 50 })],
    ['ip: to a group we are not in', (host) => inject(host, { protocol: 17, payload: udp(), destination: 0xe00000fb }, 0x01005e0000fb)],
    ['ip: our own address from outside', (host) => inject(host, { protocol: 17, payload: udp(A), source: A })],
    ['ip: our own address from outside', (host) => inject(host, { protocol: 17, payload: udp(), destination: IPV4_LOOPBACK })],
    ['ip: to one host in a frame to all', (host) => inject(host, { protocol: 17, payload: udp() }, MAC_BROADCAST)],
    ['ip: from no host', (host) => inject(host, { protocol: 17, payload: udp(IPV4_BROADCAST), source: IPV4_BROADCAST })],
    ['udp: bad checksum', (host) => inject(host, { protocol: 17, payload: udp(B + 1) })],
    ['udp: nobody at the port', (host) => inject(host, { protocol: 17, payload: udp() })],
    ['ip: unknown protocol', (host) => inject(host, { protocol: 99, payload: bytes('x') })],
    ['ethernet: for another station', (host) => inject(host, { protocol: 17, payload: udp() }, 0x525400000077)],
    ['icmp: echo reply without a socket', (host) =>
      inject(host, { protocol: 1, payload: emitIcmp({ kind: 'echo', isReply: true, identifier: 4, sequence: 1, data: bytes('') }) })],
    ['icmp: quoted packet: truncated', (host) => {
      const error: IcmpMessage = { kind: 'error', type: IcmpType.DESTINATION_UNREACHABLE, code: 3, detail: 0, quoted: bytes('x') }
      inject(host, { protocol: 1, payload: emitIcmp(error) })
    }],
  ]
  it.each(cases)('%s', (reason, send) => {
    const { a } = pair()
    send(a)
    expect(a.stack.counters.entries()).toContainEqual([reason, 1])
    expect(a.stack.ethernet?.traffic.receivedDropped ?? 0).toBeLessThanOrEqual(1)
  })

  it('survives frames of noise, and broken ones', () => {
    const { network, a, b } = pair()
    const random = new Random(9)
    open(a, PORT)
    const request = { operation: 1, senderMac: MAC_B, senderAddress: B, targetMac: 0, targetAddress: A }
    const echo = emitIcmp({ kind: 'echo', isReply: false, identifier: 4, sequence: 1, data: bytes('data') })
    const frame = (type: number, payload: Uint8Array): Uint8Array => emitEthernet({ destination: MAC_A, source: MAC_B, type, payload })
    const good = [
      frame(EtherType.ARP, emitArp(request)),
      frame(EtherType.IPV4, packetFromB({ protocol: IpProtocol.UDP, payload: udp() })),
      frame(EtherType.IPV4, packetFromB({ protocol: IpProtocol.ICMP, payload: echo })),
    ]
    for (let round = 0; round < 20_000; round++) {
      const noise = round % 3 === 0 ? random.bytes(random.next() % 100) : good[random.next() % good.length].slice()
      const flips = round % 3 === 0 ? 0 : random.next() % 5
      for (let flip = 0; flip < flips; flip++) noise[random.next() % noise.length] = random.next() & 0xff
      a.device.onReceive(noise)
      if (round % 100 === 0) network.pass(1_000_000)
    }
    expect(a.stack.timers.count).toBeLessThanOrEqual(NEIGHBOURS_MAX + 1)
    const server = open(b, PORT)
    open(a).send(bytes('still there'), { address: B, port: PORT })
    network.pass(5 * NS_PER_S)
    expect(next(server)).toBe('10.0.0.1 still there')
  })
})
