import { describe, expect, it } from 'vitest'
import { Wait } from '../process/wait.ts'
import { KernelError } from '../syscall/errno.ts'
import { Random } from '../../random/random.ts'
import { NS_PER_S } from './host.ts'
import { NEIGHBOURS_MAX } from './link/neighbours.ts'
import type { DatagramSocket } from './socket/datagram.ts'
import { RECEIVE_BYTES_MAX } from './socket/datagram.ts'
import { A, B, MAC_A, MAC_B, PORT, bytes, inject, next, open, pair } from './testing/hosts.ts'
import { RandomFrames } from './testing/random-frames.ts'
import type { TestHost } from './testing/wire.ts'
import { TestNetwork } from './testing/wire.ts'
import { parseIpv4Address } from './wire/address.ts'
import { emitIcmp } from './wire/icmp.ts'
import { IpProtocol } from './wire/ipv4.ts'
import { emitUdp } from './wire/udp.ts'

const FRAMES = 20_000
const SOCKETS = 12
const EVERYBODY = parseIpv4Address('10.0.0.255') as number

/** Opens, binds, connects, reads and closes sockets as programs do that know nothing of what comes in. */
class RandomSockets {
  private readonly random: Random
  private readonly host: TestHost
  readonly sockets: DatagramSocket[] = []

  constructor(random: Random, host: TestHost) {
    this.random = random
    this.host = host
  }

  act(): void {
    const socket = this.sockets[this.random.next() % SOCKETS]
    const port = this.random.next() % 8
    const address = [0, A, B, 0x7f000001, EVERYBODY, this.random.next()][this.random.next() % 6]
    try {
      switch (this.random.next() % 7) {
        case 0:
          if (this.sockets.length < SOCKETS) this.sockets.push(this.host.stack.sockets.create(port < 6 ? 'udp' : 'icmp'))
          else if (port === 0) this.sockets.splice(this.random.next() % SOCKETS, 1)[0].closed()
          break
        case 1:
          socket?.bind({ address: port < 5 ? 0 : address, port })
          break
        case 2:
          socket?.connect(port === 0 ? null : { address, port })
          break
        case 3:
          if (socket !== undefined) socket.mayBroadcast = true
          break
        case 4:
          for (let got = socket?.receive(false); got !== undefined && !(got instanceof Wait); ) got = socket.receive(false)
          break
        default:
          socket?.send(this.random.bytes(this.random.next() % 1600), { address, port })
      }
    } catch (error) {
      if (!(error instanceof KernelError)) throw error
    }
  }
}

describe('random frames', () => {
  it('bring no stack down, fill no queue beyond its bound, and leave it in working order', () => {
    for (const [seed, address] of [[1, '10.0.0.1/24'], [2, null], [3, '10.0.0.1/24']] as const) {
      const network = new TestNetwork(seed)
      const host = network.add(MAC_A, { address })
      const random = new Random(seed)
      const frames = new RandomFrames(random, [MAC_A, MAC_A, MAC_B, 0x525400000003])
      const programs = new RandomSockets(random, host)
      for (let index = 0; index < FRAMES; index++) {
        host.device.onReceive(frames.next())
        if (index % 3 === 0) programs.act()
        if (index % 50 === 0) network.pass(NS_PER_S / 20)
        host.device.full = random.next() % 10 === 0
        host.sent.length = 0
        network.frames.length = 0
      }
      const { stack } = host
      const { sockets, timers, ethernet } = stack
      expect(ethernet?.neighbours.list().length, `seed ${seed}`).toBeLessThanOrEqual(NEIGHBOURS_MAX)
      expect(timers.count).toBeLessThanOrEqual(NEIGHBOURS_MAX + 2)
      // As many reasons as places that give one.
      expect(stack.counters.entries().length).toBeLessThan(60)
      for (const socket of programs.sockets) {
        expect(socket.queuedBytes).toBeLessThanOrEqual(RECEIVE_BYTES_MAX)
        socket.closed()
      }
      expect([sockets.list(), sockets.bufferedBytes]).toEqual([[], 0])

      host.device.full = false
      if (address === null) continue
      const b = network.add(MAC_B, { address: '10.0.0.2/24' })
      network.pass(700 * NS_PER_S)
      const [here, there] = [open(host, PORT), open(b, PORT)]
      there.send(bytes('still there?'), { address: A, port: PORT })
      network.pass(NS_PER_S)
      expect(next(here)).toBe('10.0.0.2 still there?')
    }
  })
})

describe('who claims to be everybody', () => {
  const everybody = { source: EVERYBODY }

  it('gets no answer that would go to everybody (RFC 1122, 3.2.2)', () => {
    const { a } = pair()
    const request = emitIcmp({ kind: 'echo', isReply: false, identifier: 1, sequence: 1, data: bytes('') })
    inject(a, { protocol: IpProtocol.ICMP, payload: request, ...everybody })
    const closed = emitUdp({ sourcePort: 1, destinationPort: 9, payload: bytes('x') }, { ...everybody, destination: A })
    inject(a, { protocol: IpProtocol.UDP, payload: closed, ...everybody })
    expect(a.sent).toEqual([])
    expect(a.stack.counters.get('ip: from no host')).toBe(2)
  })
})
