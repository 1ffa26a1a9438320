import { Random } from '../../../random/random.ts'
import type { NetworkConfiguration } from '../configuration.ts'
import type { NetworkHost } from '../host.ts'
import type { NetDevice } from '../link/device.ts'
import { NetworkStack } from '../stack.ts'

const NS_PER_MS = 1_000_000

/** Probabilities from 0 to 1, and how much later a frame may come than the one behind it. */
export interface Impairments {
  loss?: number
  reorderNs?: number
  latencyNs?: number
}

interface Flight {
  dueNs: number
  frame: Uint8Array
  to: TestHost
}

export interface TestHost {
  stack: NetworkStack
  device: NetDevice & { full: boolean }
  log: string[]
  woken: string[]
  /** Frames it sent. */
  sent: Uint8Array[]
}

/** Machines without a processor: stacks on one cable or hub, on a clock that the test moves a millisecond at a time. */
export class TestNetwork {
  nowNs = 0
  readonly hosts: TestHost[] = []
  /** Every frame that was sent, also those that were lost. */
  readonly frames: Uint8Array[] = []
  impairments: Impairments
  private readonly random: Random
  private flights: Flight[] = []

  constructor(seed: number, impairments: Impairments = {}) {
    this.random = new Random(seed)
    this.impairments = impairments
  }

  add(mac: number, configuration: Partial<NetworkConfiguration> = {}, seed = 7): TestHost {
    const nowNs = (): number => this.nowNs
    const carry = (frame: Uint8Array): void => this.carry(frame, host)
    const log: string[] = []
    const woken: string[] = []
    const services: NetworkHost = {
      get nowNs() {
        return nowNs()
      },
      random: new Random(seed),
      charge: () => {},
      wake: (channel) => woken.push(channel),
      log: (text) => log.push(text),
    }
    const sent: Uint8Array[] = []
    const device = {
      mac,
      full: false,
      transmit(frame: Uint8Array): boolean {
        if (device.full) return false
        sent.push(frame)
        carry(frame)
        return true
      },
      onReceive: (_frame: Uint8Array): void => {},
      onWritable: (): void => {},
    }
    const host: TestHost = { stack: new NetworkStack(services, 'test'), device, log, woken, sent }
    this.hosts.push(host)
    host.stack.attach(device, { address: null, gateway: null, hostname: 'test', ...configuration })
    return host
  }

  /** Lets so much time pass. */
  pass(ns: number): void {
    const endNs = this.nowNs + ns
    while (this.nowNs < endNs) {
      this.nowNs = Math.min(this.nowNs + NS_PER_MS, endNs)
      const due = this.flights.filter((flight) => flight.dueNs <= this.nowNs).sort((a, b) => a.dueNs - b.dueNs)
      this.flights = this.flights.filter((flight) => flight.dueNs > this.nowNs)
      for (const { frame, to } of due) to.device.onReceive(frame)
      for (const { stack } of this.hosts) stack.tick()
    }
  }

  private carry(frame: Uint8Array, from: TestHost): void {
    this.frames.push(frame)
    const { loss = 0, reorderNs = 0, latencyNs = NS_PER_MS } = this.impairments
    for (const to of this.hosts) {
      if (to === from) continue
      if (this.random.next() / 2 ** 32 < loss) continue
      const laterNs = Math.floor((this.random.next() / 2 ** 32) * reorderNs)
      this.flights.push({ dueNs: this.nowNs + latencyNs + laterNs, frame: frame.slice(), to })
    }
  }
}
