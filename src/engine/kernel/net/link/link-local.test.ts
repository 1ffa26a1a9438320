import { describe, expect, it } from 'vitest'
import { Wait } from '../../process/wait.ts'
import { NS_PER_S } from '../host.ts'
import { MAC_A, MAC_B, A, B, PORT, bytes, open, codeOf, arpFrames, hear } from '../testing/hosts.ts'
import { TestNetwork } from '../testing/wire.ts'
import { MAC_BROADCAST, formatIpv4 } from '../wire/address.ts'
import type { ArpPacket } from '../wire/arp.ts'
import { emitArp, parseArp } from '../wire/arp.ts'
import { EtherType, emitEthernet, parseEthernet } from '../wire/ethernet.ts'

describe('link-local addresses (RFC 3927)', () => {
  const LIMIT_NS = 12 * NS_PER_S

  it('are found by probing, announced, and differ', () => {
    const network = new TestNetwork(3)
    for (let index = 0; index < 8; index++) network.add(MAC_A + index)
    const [first] = network.hosts
    expect(first.stack.path(B)).toBe('configuring')
    network.pass(LIMIT_NS)
    const addresses = network.hosts.map(({ stack }) => stack.ethernet?.address ?? 0)
    expect(new Set(addresses).size).toBe(8)
    for (const address of addresses) expect(formatIpv4(address)).toMatch(/^169\.254\.(?:[1-9]|[1-9]\d|1\d\d|2[0-4]\d|25[0-4])\.\d+$/)
    expect(first.log).toEqual([`${formatIpv4(addresses[0])}/16 (link-local)`])
    expect(first.woken).toContain('network-configured')
    const isProbe = (packet: ArpPacket | string): boolean => typeof packet !== 'string' && packet.senderAddress === 0
    expect(arpFrames(first).map(isProbe)).toEqual([true, true, true, false, false])
    for (const packet of arpFrames(first)) expect(packet).toMatchObject({ targetAddress: addresses[0] })
  })

  it('are given up before use when somebody has them', () => {
    const network = new TestNetwork(3)
    const host = network.add(MAC_A)
    const owner = network.add(MAC_B, { address: '10.0.0.2/24' })
    // Whoever probes first has the address from the owner's point of view.
    let answered = 0
    const before = owner.device.onReceive
    owner.device.onReceive = (received) => {
      const frame = parseEthernet(received)
      const packet = typeof frame === 'string' || frame.type !== EtherType.ARP ? 'none' : parseArp(frame.payload)
      if (typeof packet !== 'string' && packet.senderAddress === 0 && answered++ === 0) {
        const answer = { operation: 2, senderMac: MAC_B, senderAddress: packet.targetAddress, targetMac: MAC_A, targetAddress: 0 }
        owner.device.transmit(emitEthernet({ destination: MAC_BROADCAST, source: MAC_B, type: EtherType.ARP, payload: emitArp(answer) }))
      }
      before(received)
    }
    network.pass(2 * LIMIT_NS)
    expect(host.log.length).toBe(2)
    expect(host.log[0]).toMatch(/^169\.254\.\d+\.\d+ is used by 52:54:00:00:00:02, trying another address$/)
    expect(host.log[1]).toMatch(/^169\.254\.\d+\.\d+\/16 \(link-local\)$/)
    expect(host.log[1].startsWith(host.log[0].split(' ')[0])).toBe(false)
  })

  it('are left to who probes for the same one at the same time', () => {
    const network = new TestNetwork(4)
    const host = network.add(MAC_A)
    network.pass(2 * NS_PER_S)
    const [probe] = arpFrames(host)
    if (typeof probe === 'string') throw new Error(probe)
    hear(host, { ...probe, senderMac: MAC_A })
    expect(host.log).toEqual([])
    hear(host, { ...probe, senderMac: MAC_B })
    expect(host.log[0]).toMatch(/is used by 52:54:00:00:00:02, trying another address$/)
  })

  it('are defended once, then given up, and sockets go on with the next one', () => {
    const network = new TestNetwork(4)
    const host = network.add(MAC_A)
    network.add(MAC_B)
    network.pass(LIMIT_NS)
    const socket = open(host, PORT)
    const { ethernet } = host.stack
    const first = ethernet?.address ?? 0
    const bound = open(host, PORT + 1, first)
    hear(host, { operation: 1, senderMac: MAC_B, senderAddress: first + 1, targetMac: 0, targetAddress: first })
    // An answer that holds a link-local sender is for everybody.
    expect(parseEthernet(host.sent[host.sent.length - 1])).toMatchObject({ destination: MAC_BROADCAST, type: EtherType.ARP })
    expect(ethernet?.neighbours.list().length).toBe(1)
    const claim = (): void => {
      hear(host, { operation: 1, senderMac: MAC_B + 5, senderAddress: first, targetMac: 0, targetAddress: first })
    }
    host.sent.length = 0
    claim()
    expect(arpFrames(host)).toMatchObject([{ senderAddress: first, targetAddress: first }])
    expect(ethernet?.address).toBe(first)
    claim()
    expect(ethernet?.address).toBe(0)
    expect(socket.send(bytes('x'), { address: first + 1, port: 1 })).toBeInstanceOf(Wait)
    expect([ethernet?.neighbours.list().length, host.stack.routes.list().length]).toEqual([0, 1])
    network.pass(LIMIT_NS)
    expect([0, first]).not.toContain(ethernet?.address)
    expect(socket.send(bytes('x'), { address: first, port: 1 })).toBe(1)
    expect(codeOf(() => bound.send(bytes('x'), { address: first, port: 1 }))).toBe('EADDRNOTAVAIL')
  })

  it('wait a minute between tries once there were more than ten conflicts', () => {
    const network = new TestNetwork(4)
    const host = network.add(MAC_A)
    const answer = (frame: Uint8Array): void => {
      const arp = parseArp((parseEthernet(frame) as { payload: Uint8Array }).payload)
      if (typeof arp === 'string' || arp.senderAddress !== 0) return
      hear(host, { operation: 2, senderMac: MAC_B, senderAddress: arp.targetAddress, targetMac: MAC_A, targetAddress: 0 })
    }
    let answered = 0
    for (let step = 0; step < 600; step++) {
      network.pass(NS_PER_S / 2)
      while (answered < host.sent.length) answer(host.sent[answered++])
    }
    // 300 s: eleven quick tries, then one a minute.
    expect(host.log.length).toBeGreaterThan(11)
    expect(host.log.length).toBeLessThan(18)
  })
})

describe('static addresses', () => {
  it('are announced twice and defended at most every ten seconds', () => {
    const network = new TestNetwork(4)
    const host = network.add(MAC_A, { address: '10.0.0.1/24' })
    network.pass(5 * NS_PER_S)
    expect(arpFrames(host).length).toBe(2)
    const other = network.add(MAC_B, { address: '10.0.0.1/24' })
    network.pass(5 * NS_PER_S)
    expect(host.log).toEqual(['10.0.0.1/24', '10.0.0.1 is used by 52:54:00:00:00:02 as well'])
    expect([host.stack.ethernet?.address, other.stack.ethernet?.address]).toEqual([A, A])
    expect(network.frames.length).toBeLessThan(10)
    // A loop in the cabling brings back what we said ourselves.
    network.pass(20 * NS_PER_S)
    hear(host, { operation: 1, senderMac: MAC_A, senderAddress: A, targetMac: 0, targetAddress: A })
    expect(host.log.length).toBe(2)
  })
})
