import type { SessionOptions } from '../session.ts'
import { MachineSession } from '../session.ts'

export interface JoinedMachine {
  session: MachineSession
  /** Everything it sent over its serial line so far. */
  readonly output: string
  /** Its frames with the virtual time at which they left. */
  frames: { timeNs: number; frame: Uint8Array }[]
}

export interface JoinOptions {
  latencyNs?: number
  /** Whether a frame gets lost; `index` counts the frames of that machine. */
  loses?: (machine: number, index: number) => boolean
}

const LATENCY_NS = 500_000

/** Machines on one hub, every one of them a latency away from every other, advanced in windows of that latency. */
export class JoinedMachines {
  readonly machines: JoinedMachine[]
  nowNs = 0
  private readonly latencyNs: number
  private arrivals: { timeNs: number; to: number; frame: Uint8Array }[] = []

  constructor(options: readonly Omit<SessionOptions, 'onConsole' | 'onFrame'>[], impairments: JoinOptions = {}) {
    const { latencyNs = LATENCY_NS, loses = () => false } = impairments
    this.latencyNs = latencyNs
    this.machines = options.map((own, index) => {
      const chunks: Uint8Array[] = []
      const frames: JoinedMachine['frames'] = []
      const session = new MachineSession({ ...own, onConsole: (bytes) => chunks.push(bytes) })
      const { nic } = session.machine
      if (nic === undefined) throw new Error('a machine without a network controller cannot be joined')
      nic.onTransmit = (frame, timeNs) => {
        frames.push({ timeNs, frame })
        if (loses(index, frames.length - 1)) return
        for (let to = 0; to < options.length; to++) if (to !== index) this.arrivals.push({ timeNs: timeNs + this.latencyNs, to, frame })
      }
      return {
        session,
        frames,
        get output() {
          return new TextDecoder().decode(Uint8Array.from(chunks.flatMap((chunk) => [...chunk])))
        },
      }
    })
  }

  /** Advances all of them; a frame that leaves in a window arrives after its end. */
  advance(untilNs: number): void {
    while (this.nowNs < untilNs) {
      const endNs = Math.min(this.nowNs + this.latencyNs, untilNs)
      const due = this.arrivals.filter(({ timeNs }) => timeNs < endNs).sort((a, b) => a.timeNs - b.timeNs)
      this.arrivals = this.arrivals.filter(({ timeNs }) => timeNs >= endNs)
      this.machines.forEach(({ session }, index) => {
        for (const { timeNs, to, frame } of due) {
          if (to !== index) continue
          session.advance(timeNs)
          session.machine.nic?.receive(frame)
        }
        session.advance(endNs)
      })
      this.nowNs = endNs
    }
  }

  /** Advances until something is true, at most so long. Returns whether it was. */
  until(condition: () => boolean, limitNs: number): boolean {
    const endNs = this.nowNs + limitNs
    while (!condition() && this.nowNs < endNs) this.advance(Math.min(this.nowNs + 20 * this.latencyNs, endNs))
    return condition()
  }
}
