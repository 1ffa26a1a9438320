import { describe, expect, it } from 'vitest'
import { NS_PER_S } from '../host.ts'
import { MAC_A, MAC_B, A, B, PORT, bytes, pair, open, next, codeOf, arpFrames, hear } from '../testing/hosts.ts'
import { parseEthernet } from '../wire/ethernet.ts'
import { emitIcmp } from '../wire/icmp.ts'
import { NEIGHBOURS_MAX, PENDING_PACKETS_MAX, REACHABLE_NS, STALE_NS } from './neighbours.ts'

describe('ARP', () => {
  it('asks three times a second apart, then tells the sender', () => {
    const { network, a } = pair()
    const ping = a.stack.sockets.create('icmp')
    const request = emitIcmp({ kind: 'echo', isReply: false, identifier: 0, sequence: 1, data: bytes('') })
    ping.send(request, { address: B + 7, port: 0 })
    network.pass(2.9 * NS_PER_S)
    expect(arpFrames(a).length).toBe(3)
    expect(next(ping)).toBe('-')
    network.pass(NS_PER_S / 2)
    expect(codeOf(() => ping.receive(false))).toBe('EHOSTUNREACH')
    expect(a.stack.ethernet?.neighbours.list()).toEqual([])
  })

  it('keeps only a few packets for who does not answer', () => {
    const { a } = pair()
    const socket = open(a)
    for (let index = 0; index < 100; index++) socket.send(new Uint8Array(1000), { address: B + 7, port: 1 })
    expect(a.stack.ethernet?.neighbours.list()[0].pending.length).toBe(PENDING_PACKETS_MAX)
  })

  it('lets an answer grow old, asks that station alone, and forgets it in the end', () => {
    const { network, a, b } = pair()
    const socket = open(a)
    open(b, PORT)
    const send = (): unknown => socket.send(bytes('x'), { address: B, port: PORT })
    const state = (): string | undefined => a.stack.ethernet?.neighbours.list()[0]?.state
    send()
    network.pass(NS_PER_S)
    expect(state()).toBe('reachable')
    network.pass(REACHABLE_NS)
    expect(state()).toBe('stale')
    a.sent.length = 0
    send()
    expect(a.sent.map((frame) => (parseEthernet(frame) as { destination: number }).destination)).toEqual([MAC_B, MAC_B])
    network.pass(NS_PER_S)
    expect(state()).toBe('reachable')
    // It has gone: its answer is used once more, then it is asked in vain.
    network.impairments = { loss: 1 }
    network.pass(REACHABLE_NS)
    send()
    network.pass(4 * NS_PER_S)
    expect(state()).toBeUndefined()
    network.impairments = {}
    send()
    network.pass(NS_PER_S)
    network.pass(REACHABLE_NS + STALE_NS)
    expect(state()).toBeUndefined()
    expect(a.stack.timers.count).toBe(0)
  })

  it('takes a gratuitous announcement for whom it knows, and for nobody else', () => {
    const { network, a } = pair()
    open(a).send(bytes('x'), { address: B, port: PORT })
    network.pass(NS_PER_S)
    const announce = (senderAddress: number): void => {
      hear(a, { operation: 1, senderMac: 0x525400000099, senderAddress, targetMac: 0, targetAddress: senderAddress })
    }
    announce(B)
    announce(B + 1)
    expect(a.stack.ethernet?.neighbours.list().map(({ address, mac }) => [address, mac])).toEqual([[B, 0x525400000099]])
  })

  it('has room for so many and no more', () => {
    const { network, a } = pair()
    for (let index = 0; index < 3 * NEIGHBOURS_MAX; index++) {
      const sender = { senderMac: 0x525400100000 + index, senderAddress: 0x0a001000 + index }
      hear(a, { operation: 1, ...sender, targetMac: 0, targetAddress: A }, MAC_A)
    }
    expect(a.stack.ethernet?.neighbours.list().length).toBe(NEIGHBOURS_MAX)
    expect(a.stack.timers.count).toBe(NEIGHBOURS_MAX)
    network.pass(REACHABLE_NS + STALE_NS + NS_PER_S)
    expect(a.stack.timers.count).toBe(0)
  })
})
