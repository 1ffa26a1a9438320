import type { ProcessView } from '../../kernel/process/view.ts'
import { Random } from '../../random/random.ts'
import type { CreateLabSession, LabSession, SessionEvents, SessionPhase } from '../run/session.ts'

export interface FakeSpec {
  seed: number
  /** It greets its neighbours about this often. */
  periodNs: number
  /** What it throws when it advances past this time. */
  breaksAtNs?: number
  /** It ends by itself at this time. */
  endsAtNs?: number
  /** It cannot be made. */
  isBroken?: boolean
}

const FRAME_BYTES = 60
const REPLY = 0x52
const text = (value: string): Uint8Array => new TextEncoder().encode(value)

/**
 * A machine without a processor: it sleeps between events as a real one does, sends and answers frames, prints, and now and then spends so
 * much time at once that it ends up far behind the end of a window.
 */
class FakeSession implements LabSession {
  private nowNs = 0
  private phase: SessionPhase = 'running'
  private readonly random: Random
  private readonly spec: FakeSpec
  private readonly events: SessionEvents
  private queue: { dueNs: number; act: () => void }[] = []
  private count = 0

  constructor(spec: FakeSpec, events: SessionEvents) {
    if (spec.isBroken) throw new Error('no memory for this machine')
    this.spec = spec
    this.events = events
    this.random = new Random(spec.seed)
    this.print(`up ${spec.seed}\n`)
    this.greetLater()
  }

  get quietUntilNs(): number {
    return this.phase === 'running' ? this.queue.reduce((least, { dueNs }) => Math.min(least, dueNs), this.edgeNs) : Infinity
  }

  advance(untilNs: number): void {
    while (this.phase === 'running') {
      const next = this.queue.sort((one, other) => one.dueNs - other.dueNs).at(0)
      const dueNs = Math.min(next?.dueNs ?? Infinity, this.edgeNs)
      if (dueNs > untilNs && this.nowNs < dueNs) break
      this.nowNs = Math.max(this.nowNs, dueNs)
      if (dueNs === this.spec.breaksAtNs) throw new Error('a bug')
      if (dueNs === this.spec.endsAtNs) this.phase = 'exited'
      else this.queue.shift()?.act()
    }
    if (this.phase === 'running') this.nowNs = Math.max(this.nowNs, untilNs)
  }

  type(bytes: Uint8Array): void {
    this.print(`typed ${new TextDecoder().decode(bytes)}`)
  }

  receive(frame: Uint8Array): void {
    this.print(`got ${frame[0]}\n`)
    if (frame[0] === REPLY) return
    const answer = frame.slice()
    answer[0] = REPLY
    this.later(this.nowNs + 1 + (this.random.next() % 50_000), () => this.events.onFrame(answer, this.nowNs))
  }

  status(): ReturnType<LabSession['status']> {
    const exitStatus = this.phase === 'exited' ? 0 : undefined
    return { phase: this.phase, virtualNs: this.nowNs, instructions: this.count, exitStatus }
  }

  processes(): ProcessView[] {
    return []
  }

  /** When it breaks or ends. */
  private get edgeNs(): number {
    return Math.min(this.spec.breaksAtNs ?? Infinity, this.spec.endsAtNs ?? Infinity)
  }

  private later(dueNs: number, act: () => void): void {
    this.queue.push({ dueNs, act })
  }

  private greetLater(): void {
    this.later(this.nowNs + this.spec.periodNs + (this.random.next() % this.spec.periodNs), () => this.greet())
  }

  private greet(): void {
    this.count += 1
    // Work that is charged at once, before and after something is seen of it.
    if (this.random.next() % 4 === 0) this.nowNs += this.random.next() % 3_000_000
    this.print(`hello ${this.count}\n`)
    const frame = new Uint8Array(FRAME_BYTES).fill(this.spec.seed)
    frame[1] = this.count
    this.events.onFrame(frame, this.nowNs)
    if (this.random.next() % 4 === 0) this.nowNs += this.random.next() % 3_000_000
    this.print('done\n')
    this.greetLater()
  }

  private print(line: string): void {
    for (const byte of text(line)) {
      this.events.onConsoleByte(byte, this.nowNs)
      this.nowNs += 10
    }
  }
}

export const createFakeSession: CreateLabSession<FakeSpec> = (spec, events) => new FakeSession(spec, events)
