import { describe, expect, it } from 'vitest'
import { Wait } from '../../process/wait.ts'
import { NS_PER_S } from '../host.ts'
import { MAC_A, MAC_B, A, B, PORT, bytes, pair, open, next, codeOf, packetFromB, inject } from '../testing/hosts.ts'
import { IPV4_BROADCAST, IPV4_LOOPBACK } from '../wire/address.ts'
import { EtherType, emitEthernet } from '../wire/ethernet.ts'
import { IcmpType, emitIcmp } from '../wire/icmp.ts'
import { IpProtocol } from '../wire/ipv4.ts'
import { emitUdp } from '../wire/udp.ts'
import { BUFFERED_BYTES_MAX, RECEIVE_BYTES_MAX } from './datagram.ts'

describe('broadcast', () => {
  it('needs leave, reaches everybody at the port, and ourselves', () => {
    const { network, a, b } = pair()
    const sockets = [open(a, PORT), open(b, PORT)]
    const [sender] = sockets
    expect(codeOf(() => sender.send(bytes('x'), { address: IPV4_BROADCAST, port: PORT }))).toBe('EACCES')
    sender.mayBroadcast = true
    for (const to of [IPV4_BROADCAST, 0x0a0000ff]) {
      sender.send(bytes('all'), { address: to, port: PORT })
      network.pass(NS_PER_S / 10)
      expect(sockets.map(next)).toEqual(['10.0.0.1 all', '10.0.0.1 all'])
    }
    // Nobody at that port: nobody answers a broadcast with an error.
    const sent = b.sent.length
    sender.send(bytes('all'), { address: IPV4_BROADCAST, port: 9 })
    network.pass(NS_PER_S / 10)
    expect(b.sent.length).toBe(sent)
  })
})

describe('loopback', () => {
  it('carries large datagrams, echo and errors without a card', () => {
    const { a } = pair()
    const server = open(a, PORT)
    const client = open(a)
    expect(client.send(new Uint8Array(65507), { address: IPV4_LOOPBACK, port: PORT })).toBe(65507)
    expect(codeOf(() => client.send(new Uint8Array(65508), { address: IPV4_LOOPBACK, port: PORT }))).toBe('EMSGSIZE')
    expect(codeOf(() => client.send(new Uint8Array(1473), { address: B, port: PORT }))).toBe('EMSGSIZE')
    const datagram = server.receive(false)
    expect(datagram instanceof Wait ? 0 : datagram.bytes.length).toBe(65507)
    const refused = open(a)
    refused.connect({ address: A, port: 3 })
    refused.send(bytes('x'), null)
    expect(codeOf(() => refused.send(bytes('x'), null))).toBe('ECONNREFUSED')
    const ping = a.stack.sockets.create('icmp')
    ping.send(emitIcmp({ kind: 'echo', isReply: false, identifier: 0, sequence: 1, data: bytes('') }), { address: A, port: 0 })
    expect(next(ping)).toMatch(/^10\.0\.0\.1 /)
    expect(a.sent).toEqual([])
  })
})

describe('sockets', () => {
  it('share a port only when both agree, and the one with a peer gets what the peer sends', () => {
    const { network, a, b } = pair()
    const first = open(a, PORT)
    expect(codeOf(() => open(a, PORT))).toBe('EADDRINUSE')
    const second = open(a)
    second.reuseAddress = true
    expect(codeOf(() => second.bind({ address: A, port: PORT }))).toBe('EADDRINUSE')
    first.reuseAddress = true
    second.bind({ address: A, port: PORT })
    second.connect({ address: B, port: 5 })
    open(b, 5).send(bytes('peer'), { address: A, port: PORT })
    open(b, 6).send(bytes('other'), { address: A, port: PORT })
    network.pass(NS_PER_S)
    expect([next(second), next(second), next(first), next(first)]).toEqual(['10.0.0.2 peer', '-', '10.0.0.2 other', '-'])
    second.closed()
    first.closed()
    expect(a.stack.sockets.list()).toEqual([])
    expect(codeOf(() => open(a, PORT, B))).toBe('EADDRNOTAVAIL')
    const shared = open(a)
    shared.reuseAddress = true
    shared.bind({ address: A, port: PORT })
    expect(codeOf(() => open(a, PORT))).toBe('EADDRINUSE')
  })

  it('from loopback reach nobody outside', () => {
    const { a } = pair()
    const socket = open(a, PORT, IPV4_LOOPBACK)
    expect(codeOf(() => socket.send(bytes('x'), { address: B, port: 1 }))).toBe('EINVAL')
  })

  it('forget what others sent before they had a peer', () => {
    const { network, a, b } = pair()
    const socket = open(a, PORT)
    for (const port of [5, 6]) open(b, port).send(bytes(`from ${port}`), { address: A, port: PORT })
    network.pass(NS_PER_S)
    socket.connect({ address: B, port: 6 })
    expect(next(socket)).toBe('10.0.0.2 from 6')
    expect([socket.queuedBytes, a.stack.sockets.bufferedBytes]).toEqual([0, 0])
    socket.connect(null)
    expect(socket.remote).toBeNull()
  })

  it('hear of a packet whose time was up only when they sent an echo request, and only of packets of ours', () => {
    const { a } = pair()
    const udp = open(a, PORT)
    udp.connect({ address: B, port: 5 })
    const ping = a.stack.sockets.create('icmp')
    ping.send(emitIcmp({ kind: 'echo', isReply: false, identifier: 0, sequence: 1, data: bytes('') }), { address: B, port: 0 })
    const tell = (type: number, quoted: Uint8Array): void =>
      inject(a, { protocol: IpProtocol.ICMP, payload: emitIcmp({ kind: 'error', type, code: 0, detail: 0, quoted }) })
    const ours = { source: A, destination: B }
    const datagram = emitUdp({ sourcePort: PORT, destinationPort: 5, payload: bytes('') }, ours)
    const request = emitIcmp({ kind: 'echo', isReply: false, identifier: ping.local.port, sequence: 1, data: bytes('') })
    tell(IcmpType.TIME_EXCEEDED, packetFromB({ protocol: IpProtocol.UDP, payload: datagram, ...ours }))
    tell(IcmpType.DESTINATION_UNREACHABLE, packetFromB({ protocol: IpProtocol.UDP, payload: datagram, source: B, destination: B }))
    expect(next(udp)).toBe('-')
    tell(IcmpType.DESTINATION_UNREACHABLE, packetFromB({ protocol: IpProtocol.UDP, payload: datagram, ...ours }))
    expect(codeOf(() => udp.receive(false))).toBe('ENETUNREACH')
    tell(IcmpType.TIME_EXCEEDED, packetFromB({ protocol: IpProtocol.ICMP, payload: request, ...ours }))
    expect(codeOf(() => ping.receive(false))).toBe('EHOSTUNREACH')
  })

  it('keep what came even when the card uses its buffer again', () => {
    const { a } = pair()
    const socket = open(a, PORT)
    const datagram = emitUdp({ sourcePort: 5, destinationPort: PORT, payload: bytes('kept') }, { source: B, destination: A })
    const payload = packetFromB({ protocol: IpProtocol.UDP, payload: datagram })
    const frame = emitEthernet({ destination: MAC_A, source: MAC_B, type: EtherType.IPV4, payload })
    a.device.onReceive(frame)
    frame.fill(0)
    expect(next(socket)).toBe('10.0.0.2 kept')
  })

  it('hold only so much, alone and together', () => {
    const { a } = pair()
    const sockets = Array.from({ length: 60 }, (_, index) => open(a, 100 + index))
    for (const { local } of sockets)
      for (let index = 0; index < 250; index++) {
        const datagram = { sourcePort: 5, destinationPort: local.port, payload: new Uint8Array(1400) }
        inject(a, { protocol: IpProtocol.UDP, payload: emitUdp(datagram, { source: B, destination: A }) })
      }
    for (const { queuedBytes } of sockets) expect(queuedBytes).toBeLessThanOrEqual(RECEIVE_BYTES_MAX)
    expect(a.stack.sockets.bufferedBytes).toBeLessThanOrEqual(BUFFERED_BYTES_MAX)
    expect(a.stack.sockets.bufferedBytes).toBeGreaterThan(BUFFERED_BYTES_MAX / 2)
    expect(sockets[0].dropped).toBeGreaterThan(0)
    for (const socket of sockets) socket.closed()
    expect(a.stack.sockets.bufferedBytes).toBe(0)
  })

  it('wait for the transmitter', () => {
    const { network, a, b } = pair()
    const socket = open(a)
    const server = open(b, PORT)
    socket.send(bytes('first'), { address: B, port: PORT })
    network.pass(NS_PER_S)
    expect(next(server)).toBe('10.0.0.1 first')
    a.device.full = true
    const wait = socket.send(bytes('second'), { address: B, port: PORT })
    if (!(wait instanceof Wait)) throw new Error('sent')
    a.device.full = false
    a.device.onWritable()
    expect(a.woken).toContain(wait.channel)
    socket.send(bytes('second'), { address: B, port: PORT })
    network.pass(NS_PER_S)
    expect([next(server), next(server)]).toEqual(['10.0.0.1 second', '-'])
  })
})
