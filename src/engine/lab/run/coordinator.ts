import type { ProcessView } from '../../kernel/process/view.ts'
import type { CheckStatus } from '../checks.ts'
import { ConsoleCheck } from '../checks.ts'
import type { Check, Impairments, Link, Node, TimelineEvent } from '../lab.ts'
import { formatDuration, formatRate, formatSize } from '../file/quantities.ts'
import type { Trace } from '../trace/trace.ts'
import type { MachineInput, MachineOutput, MachineReport, MachineRunner } from './runner.ts'
import type { Wire } from './wire.ts'

/** Of a lab in which nothing can come from a link: somebody may still type. */
const WINDOW_NS_MAX = 20_000_000

type TimelineAction = { [K in TimelineEvent['do']]: Omit<Extract<TimelineEvent, { do: K }>, 'atNs'> }[TimelineEvent['do']]

/** What is done to a lab while it runs: an event of its timeline, or what a person does, who types bytes and moves cables. */
export type LiveAction =
  | Exclude<TimelineAction, { do: 'type' }>
  | { do: 'type'; node: string; bytes: Uint8Array }
  | { do: 'add-node'; node: Pick<Node, 'id' | 'kind'> }
  | { do: 'remove-node'; node: string }
  | { do: 'add-link'; link: Link }
  | { do: 'remove-link'; link: string }

export interface CoordinatorOptions<Spec> {
  nodes: readonly Node[]
  links: readonly Link[]
  timeline: readonly TimelineEvent[]
  checks: readonly Check[]
  wire: Wire
  /** Machines are spread over these. How many there are makes no difference to what happens. */
  runners: readonly MachineRunner<Spec>[]
  trace: Trace
  /** Console output in the order of each machine's times. */
  onConsole?: (node: string, bytes: Uint8Array) => void
  /** A machine was switched on, before anything that it prints. */
  onBoot?: (node: string) => void
}

interface Placed<Spec> {
  runner: MachineRunner<Spec>
  report: MachineReport
}

type Pending<Spec> = LiveAction | { do: 'define'; node: string; spec: Spec }

const OFF = { phase: 'off', virtualNs: 0, instructions: 0, quietUntilNs: Infinity } as const

/**
 * A lab that runs. It advances in windows: as long as no frame that is sent in one can arrive in the same, machines need to know nothing
 * of each other, and may run anywhere and at the same time. What they sent is then put on the wire in an order that does not depend on
 * who was faster.
 *
 * A window is at least as long as the smallest latency, which is what conservative simulation calls lookahead (Chandy and Misra, 1979),
 * and longer when every machine sleeps: nobody sends before the first of them wakes.
 */
export class Coordinator<Spec> {
  /** Everything before this virtual time has happened. */
  nowNs = 0
  private readonly wire: Wire
  private readonly trace: Trace
  private readonly runners: readonly MachineRunner<Spec>[]
  private readonly onConsole: (node: string, bytes: Uint8Array) => void
  private readonly onBoot: (node: string) => void
  private readonly timeline: readonly TimelineEvent[]
  private nextEvent = 0
  private readonly checks: ConsoleCheck[]
  private readonly placed = new Map<string, Placed<Spec>>()
  /** Which machines have a cable: what others send goes nowhere. */
  private readonly cables = new Map<string, string>()
  private readonly machines = new Set<string>()
  private readonly links = new Set<string>()
  private pending: Pending<Spec>[] = []

  constructor(options: CoordinatorOptions<Spec>) {
    this.wire = options.wire
    this.trace = options.trace
    this.runners = options.runners
    this.onConsole = options.onConsole ?? (() => {})
    this.onBoot = options.onBoot ?? (() => {})
    this.timeline = options.timeline
    this.checks = options.checks.map((check) => new ConsoleCheck(check))
    for (const node of options.nodes) if (node.kind === 'machine') this.machines.add(node.id)
    for (const link of options.links) this.plug(link)
    this.wire.observe((event) => this.trace.add({ kind: 'frame', timeNs: event.timeNs, event }))
  }

  /** What a machine is when it is switched on the next time; from the next window on, in order with what `act` is told. */
  define(node: string, spec: Spec): void {
    this.pending.push({ do: 'define', node, spec })
  }

  /** Happens at the beginning of the next window, and in the order of the calls. */
  act(action: LiveAction): void {
    this.pending.push(action)
  }

  /** Everything that `act` was told has happened. */
  get isSettled(): boolean {
    return this.pending.length === 0
  }

  /** Advances by one window, at most to `limitNs`. */
  async step(limitNs: number): Promise<void> {
    const inputs = this.takeActions()
    const boundNs = Math.min(limitNs, this.timeline[this.nextEvent]?.atNs ?? Infinity, this.nowNs + WINDOW_NS_MAX)
    if (boundNs <= this.nowNs) return
    const untilNs = this.fillWindow(boundNs, inputs)
    const outputs = await this.run(untilNs, inputs)
    this.send(outputs)
    this.advanceWire(untilNs)
    for (const output of outputs) this.tell(output)
    this.trace.flush(untilNs)
    this.nowNs = untilNs
    for (const check of this.checks) check.advance(untilNs)
  }

  /** Nothing more will happen: checks that wait are decided. */
  end(): void {
    for (const check of this.checks) check.end(this.nowNs)
  }

  checkStatuses(): CheckStatus[] {
    return this.checks.map((check) => check.status())
  }

  reports(): MachineReport[] {
    return [...this.placed.values()].map(({ report }) => report)
  }

  /** Between two steps. */
  processes(node: string): Promise<ProcessView[]> {
    return this.placed.get(node)?.runner.processes(node) ?? Promise.resolve([])
  }

  dispose(): void {
    for (const runner of this.runners) runner.dispose()
  }

  private plug({ id, a, b }: Link): void {
    this.links.add(id)
    for (const { node } of [a, b]) if (this.machines.has(node)) this.cables.set(node, id)
  }

  private emptiestRunner(): MachineRunner<Spec> {
    const load = new Map(this.runners.map((runner) => [runner, 0]))
    for (const { runner } of this.placed.values()) load.set(runner, (load.get(runner) ?? 0) + 1)
    return [...load].reduce((least, one) => (one[1] < least[1] ? one : least))[0]
  }

  /** What is due now happens now. */
  private takeActions(): MachineInput[] {
    const inputs: MachineInput[] = []
    // Before the timeline: what it says of time 0 finds the machines on that were switched on to begin with.
    for (const action of this.pending.splice(0)) this.perform(action, inputs)
    for (; this.nextEvent < this.timeline.length && this.timeline[this.nextEvent].atNs <= this.nowNs; this.nextEvent++) {
      const event = this.timeline[this.nextEvent]
      // Somebody may have taken that link away meanwhile.
      if ('link' in event && !this.links.has(event.link)) continue
      this.perform(event.do === 'type' ? { do: 'type', node: event.node, bytes: new TextEncoder().encode(event.text) } : event, inputs)
    }
    return inputs
  }

  private place(node: string, spec: Spec): void {
    let placed = this.placed.get(node)
    if (placed === undefined) {
      placed = { runner: this.emptiestRunner(), report: { node, ...OFF } }
      this.placed.set(node, placed)
    }
    placed.runner.define(node, spec)
  }

  private perform(action: Pending<Spec>, inputs: MachineInput[]): void {
    const timeNs = this.nowNs
    switch (action.do) {
      case 'define':
        this.place(action.node, action.spec)
        return
      case 'cut':
        this.note(action.link, 'cut')
        this.wire.cut(action.link, timeNs)
        return
      case 'heal':
        this.note(action.link, 'heal')
        this.wire.heal(action.link, timeNs)
        return
      case 'change':
        this.note(action.link, describeChange(action.change))
        this.wire.setLink(action.link, action.change, timeNs)
        return
      case 'boot':
      case 'kill':
        this.note(action.node, action.do)
        inputs.push({ kind: action.do, node: action.node, timeNs })
        return
      case 'type':
        this.note(action.node, `type ${JSON.stringify(new TextDecoder().decode(action.bytes))}`)
        inputs.push({ kind: 'type', node: action.node, timeNs, bytes: action.bytes })
        return
      case 'add-node':
        this.note(action.node.id, `add ${action.node.kind}`)
        this.wire.addNode(action.node)
        if (action.node.kind === 'machine') this.machines.add(action.node.id)
        return
      case 'remove-node':
        this.note(action.node, 'remove')
        this.wire.removeNode(action.node)
        this.machines.delete(action.node)
        this.placed.get(action.node)?.runner.remove(action.node)
        this.placed.delete(action.node)
        return
      case 'add-link': {
        const { id, a, b, impairments } = action.link
        this.note(id, `add ${a.node}:${a.port} to ${b.node}:${b.port}`)
        this.wire.addLink({ id, a, b, options: impairments })
        this.plug(action.link)
        return
      }
      case 'remove-link':
        this.note(action.link, 'remove')
        this.wire.removeLink(action.link)
        this.links.delete(action.link)
        for (const [node, link] of this.cables) if (link === action.link) this.cables.delete(node)
        return
    }
  }

  private note(target: string, text: string): void {
    this.trace.add({ kind: 'event', timeNs: this.nowNs, target, text })
  }

  /** Chooses where the window ends, and adds what arrives in it to the inputs. */
  private fillWindow(boundNs: number, inputs: MachineInput[]): number {
    const latencyNs = this.wire.minimumLatencyNs
    let quietNs = inputs.length > 0 ? this.nowNs : boundNs
    for (const { report } of this.placed.values()) quietNs = Math.min(quietNs, Math.max(this.nowNs, report.quietUntilNs))
    // Nobody sends before this time: the wire may have advanced to it.
    let silentNs = this.nowNs
    for (;;) {
      const untilNs = Math.min(boundNs, silentNs + latencyNs)
      const arrivals = this.wire.arrivals(untilNs)
      for (const { node, timeNs, frame } of arrivals) inputs.push({ kind: 'frame', node, timeNs, frame })
      if (arrivals.length > 0 || untilNs >= boundNs || silentNs >= quietNs) return untilNs
      silentNs = Math.min(untilNs, quietNs)
      this.advanceWire(silentNs)
    }
  }

  private advanceWire(untilNs: number): void {
    const missed = this.wire.advance(untilNs)
    if (missed.length > 0) throw new Error(`a frame arrived at ${missed[0].timeNs} ns, within the window in which it was sent`)
  }

  private async run(untilNs: number, inputs: MachineInput[]): Promise<MachineOutput[]> {
    const awake = new Map<MachineRunner<Spec>, MachineInput[]>()
    for (const { runner, report } of this.placed.values()) if (report.quietUntilNs < untilNs) awake.set(runner, [])
    for (const input of inputs) {
      const runner = this.placed.get(input.node)?.runner
      if (runner === undefined) continue
      const own = awake.get(runner)
      if (own === undefined) awake.set(runner, [input])
      else own.push(input)
    }
    const results = await Promise.all([...awake].map(([runner, own]) => runner.advance(untilNs, own)))
    for (const { reports } of results)
      for (const report of reports) {
        const placed = this.placed.get(report.node)
        if (placed !== undefined) placed.report = report
      }
    return results.flatMap(({ outputs }) => outputs)
  }

  /** Frames go on the wire by time, link and machine; what one machine sent keeps its order. */
  private send(outputs: readonly MachineOutput[]): void {
    const frames = outputs.flatMap((output) => {
      const link = output.kind === 'frame' ? this.cables.get(output.node) : undefined
      return output.kind === 'frame' && link !== undefined ? [{ ...output, link }] : []
    })
    frames.sort((one, other) => one.timeNs - other.timeNs || compare(one.link, other.link) || compare(one.node, other.node))
    for (const { node, timeNs, frame } of frames) this.wire.send(node, 0, timeNs, frame)
  }

  private tell(output: MachineOutput): void {
    const { node, timeNs } = output
    switch (output.kind) {
      case 'frame':
        return
      case 'power':
        if (output.phase === 'booting') this.onBoot(node)
        this.trace.add({ kind: 'power', timeNs, node, phase: output.phase, exitStatus: output.exitStatus })
        return
      case 'console':
        output.bytes.forEach((byte, index) => this.trace.add({ kind: 'console', timeNs: output.timesNs[index], node, byte }))
        for (const check of this.checks) if (check.check.node === node) check.take(output.bytes, output.timesNs)
        this.onConsole(node, output.bytes)
        return
    }
  }
}

function compare(one: string, other: string): number {
  return one === other ? 0 : one < other ? -1 : 1
}

const FORMATS: Record<keyof Impairments, (value: number) => string> = {
  latencyNs: (value) => `latency ${formatDuration(value)}`,
  jitterNs: (value) => `jitter ${formatDuration(value)}`,
  bandwidthBps: (value) => `bandwidth ${formatRate(value)}`,
  loss: (value) => `loss ${value}`,
  duplicate: (value) => `duplicate ${value}`,
  reorder: (value) => `reorder ${value}`,
  corrupt: (value) => `corrupt ${value}`,
  queueBytes: (value) => `queue ${formatSize(value)}`,
}

function describeChange(change: Partial<Impairments>): string {
  return Object.entries(change)
    .map(([key, value]) => FORMATS[key as keyof Impairments](value))
    .join(', ')
}
