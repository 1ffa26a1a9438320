import { createHash } from 'node:crypto'
import type { Lab } from '../../../engine/lab/lab.ts'
import { Coordinator } from '../../../engine/lab/run/coordinator.ts'
import { LocalRunner } from '../../../engine/lab/run/local-runner.ts'
import { NetworkWire } from '../../../engine/lab/run/network-wire.ts'
import type { MachineRunner } from '../../../engine/lab/run/runner.ts'
import { TraceHash } from '../../../engine/lab/trace/hash.ts'
import type { TraceListener } from '../../../engine/lab/trace/trace.ts'
import { Trace } from '../../../engine/lab/trace/trace.ts'
import type { MachineSpec } from '../../worker/messages.ts'
import { createLabSession } from '../create-session.ts'
import type { SpawnLabWorker } from './worker-runner.ts'
import { WorkerRunner } from './worker-runner.ts'

export interface LabRunOptions {
  lab: Lab
  /** Threads to spread machines over; 0 for this one. */
  workers: number
  spawn?: SpawnLabWorker
  /** Hear of everything that happens, in order. */
  listeners?: TraceListener[]
  onConsole?: (node: string, bytes: Uint8Array) => void
  onBoot?: (node: string) => void
}

/** A lab in motion: its coordinator, its network, and the hash of what has happened. */
export class LabRun {
  readonly coordinator: Coordinator<MachineSpec>
  readonly wire: NetworkWire
  readonly #hash: TraceHash

  constructor({ lab, workers, spawn, listeners = [], onConsole, onBoot }: LabRunOptions) {
    const sha256 = createHash('sha256')
    const hasher = { update: (data: string | Uint8Array) => void sha256.update(data), digest: () => sha256.digest('hex') }
    this.#hash = new TraceHash(hasher, `lab ${lab.seed}`)
    const runners = Array.from({ length: workers }, (): MachineRunner<MachineSpec> => new WorkerRunner({ spawn }))
    this.wire = new NetworkWire(lab.nodes, lab.links, lab.seed)
    this.coordinator = new Coordinator<MachineSpec>({
      nodes: lab.nodes,
      links: lab.links,
      timeline: lab.timeline,
      checks: lab.checks,
      wire: this.wire,
      runners: runners.length > 0 ? runners : [new LocalRunner(createLabSession)],
      trace: new Trace([(record) => this.#hash.take(record), ...listeners]),
      onConsole,
      onBoot,
    })
  }

  /** Of everything up to now; the last thing that is asked. */
  traceHash(): string {
    return this.#hash.digest()
  }

  dispose(): void {
    this.coordinator.dispose()
  }
}
