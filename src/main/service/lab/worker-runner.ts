import type { ProcessView } from '../../../engine/kernel/process/view.ts'
import type { MachineInput, MachineOutput, MachineReport, MachineRunner, WindowResult } from '../../../engine/lab/run/runner.ts'
import type { FromLabWorker, ToLabWorker } from '../../worker/lab-messages.ts'
import { TURN_WORDS, TurnWord } from '../../worker/lab-messages.ts'
import type { MachineSpec } from '../../worker/messages.ts'
import type { HostThread, HostThreadEvents } from '../machine-pool.ts'
import { spawnWorker } from '../machine-pool.ts'

/**
 * How long one machine may take for its part of a window before its worker is ended, in milliseconds of wall time. No guest can take that
 * long, however loaded the host is: a window is a few virtual milliseconds.
 */
export const TURN_MS_MAX = 30_000
const NOTHING: WindowResult = { outputs: [], reports: [] }
const START = { virtualNs: 0, instructions: 0 } as const

export type SpawnLabWorker = (events: HostThreadEvents<FromLabWorker>) => HostThread<ToLabWorker>

interface Machine {
  turn: number
  spec: MachineSpec
  isOn: boolean
  /** How far it was when that was last told. */
  reached: Pick<MachineReport, 'virtualNs' | 'instructions'>
  /** Why it went with its thread; until it is switched on or off again, whatever a new thread says of it. */
  lost?: string
}

type Waiting =
  | { kind: 'window'; settle: (result: WindowResult) => void }
  | { kind: 'processes'; settle: (processes: ProcessView[]) => void }

/**
 * Machines of a lab in a thread of their own. When the thread fails or hangs, its machines are reported as panicked, and the next one that
 * is switched on gets a new thread.
 */
export class WorkerRunner implements MachineRunner<MachineSpec> {
  readonly #spawn: SpawnLabWorker
  readonly #turnMsMax: number
  readonly #machines = new Map<string, Machine>()
  readonly #waiting = new Map<number, Waiting>()
  #thread: HostThread<ToLabWorker> | undefined
  #words = new Int32Array(new SharedArrayBuffer(TURN_WORDS * Int32Array.BYTES_PER_ELEMENT))
  #calls = 0
  #turns = 0
  /** Machines that went with their thread, told with the next window. */
  #lost: MachineOutput[] = []
  #isDisposed = false

  constructor({ spawn = spawnWorker, turnMsMax = TURN_MS_MAX }: { spawn?: SpawnLabWorker; turnMsMax?: number } = {}) {
    this.#spawn = spawn
    this.#turnMsMax = turnMsMax
  }

  define(node: string, spec: MachineSpec): void {
    const machine = this.#machines.get(node)
    const turn = machine?.turn ?? ++this.#turns
    if (machine === undefined) this.#machines.set(node, { turn, spec, isOn: false, reached: START })
    else machine.spec = spec
    this.#thread?.post({ type: 'lab-define', node, turn, spec })
  }

  remove(node: string): void {
    this.#machines.delete(node)
    this.#thread?.post({ type: 'lab-remove', node })
  }

  async advance(untilNs: number, inputs: MachineInput[]): Promise<WindowResult> {
    if (this.#isDisposed) return NOTHING
    for (const { kind, node } of inputs) {
      const machine = this.#machines.get(node)
      if (machine === undefined) continue
      if (kind !== 'boot' && kind !== 'kill') continue
      machine.isOn = kind === 'boot'
      machine.lost = undefined
    }
    const call = ++this.#calls
    const thread = this.#thread ?? this.#start()
    const result = await new Promise<WindowResult>((resolve) => {
      const watch = this.#watch()
      const settle = (window: WindowResult): void => {
        clearInterval(watch)
        resolve(window)
      }
      this.#waiting.set(call, { kind: 'window', settle })
      thread.post({ type: 'lab-advance', call, untilNs, inputs })
    })
    return this.#withLost(result, untilNs)
  }

  processes(node: string): Promise<ProcessView[]> {
    const thread = this.#thread
    if (thread === undefined) return Promise.resolve([])
    return new Promise((settle) => {
      const call = ++this.#calls
      this.#waiting.set(call, { kind: 'processes', settle })
      thread.post({ type: 'lab-processes', call, node })
    })
  }

  dispose(): void {
    this.#isDisposed = true
    const thread = this.#thread
    this.#thread = undefined
    thread?.terminate()
    this.#machines.clear()
    this.#settleAll()
  }

  #start(): HostThread<ToLabWorker> {
    const thread = this.#spawn({
      onMessage: (message) => this.#receive(message),
      onExit: (reason) => this.#drop(thread, () => `The worker that ran this machine failed: ${reason}`),
    })
    this.#thread = thread
    this.#words = new Int32Array(new SharedArrayBuffer(TURN_WORDS * Int32Array.BYTES_PER_ELEMENT))
    thread.post({ type: 'lab-turns', words: this.#words })
    for (const [node, { turn, spec }] of this.#machines) thread.post({ type: 'lab-define', node, turn, spec })
    return thread
  }

  #receive(message: FromLabWorker): void {
    const waiting = this.#waiting.get(message.call)
    this.#waiting.delete(message.call)
    if (message.type === 'lab-window' && waiting?.kind === 'window') waiting.settle(message.result)
    if (message.type === 'lab-processes' && waiting?.kind === 'processes') waiting.settle(message.processes)
  }

  /** Ends the thread when one machine keeps its turn for too long. */
  #watch(): NodeJS.Timeout {
    let count = Atomics.load(this.#words, TurnWord.COUNT)
    return setInterval(() => {
      const now = Atomics.load(this.#words, TurnWord.COUNT)
      if (now !== count) {
        count = now
        return
      }
      const culprit = Atomics.load(this.#words, TurnWord.NODE)
      const thread = this.#thread
      if (thread === undefined) return
      this.#drop(thread, ({ turn }) =>
        turn === culprit
          ? 'Atoll hung while it ran this machine.'
          : 'Atoll hung while it ran another machine of the same worker, and had to end them all.',
      )
      thread.terminate()
    }, this.#turnMsMax)
  }

  #drop(thread: HostThread<ToLabWorker>, messageFor: (machine: Machine) => string): void {
    if (this.#thread !== thread) return
    this.#thread = undefined
    for (const [node, machine] of this.#machines) {
      if (!machine.isOn) continue
      machine.isOn = false
      machine.lost = messageFor(machine)
      this.#lost.push({ node, timeNs: 0, kind: 'power', phase: 'panicked', message: machine.lost })
    }
    this.#settleAll()
  }

  #settleAll(): void {
    for (const waiting of this.#waiting.values()) {
      if (waiting.kind === 'window') waiting.settle(NOTHING)
      else waiting.settle([])
    }
    this.#waiting.clear()
  }

  /** A machine is lost at the end of the window that it did not finish. */
  #withLost(result: WindowResult, untilNs: number): WindowResult {
    for (const { node, phase, virtualNs, instructions } of result.reports) {
      const machine = this.#machines.get(node)
      if (machine === undefined || machine.lost !== undefined) continue
      machine.isOn = phase === 'booting' || phase === 'running'
      machine.reached = { virtualNs, instructions }
    }
    const outputs = this.#lost.splice(0).map((output) => ({ ...output, timeNs: untilNs - 1 }))
    const reports = [...this.#machines].flatMap(([node, { lost, reached }]): MachineReport[] =>
      lost === undefined ? [] : [{ node, phase: 'panicked', message: lost, ...reached, quietUntilNs: Infinity }],
    )
    if (reports.length === 0) return result
    const others = result.reports.filter(({ node }) => this.#machines.get(node)?.lost === undefined)
    return { outputs: [...outputs, ...result.outputs], reports: [...reports, ...others] }
  }
}
