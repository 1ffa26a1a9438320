import { availableParallelism } from 'node:os'
import type { Impairments, Lab } from '../../../engine/lab/lab.ts'
import type { LiveAction } from '../../../engine/lab/run/coordinator.ts'
import type { TraceRecord } from '../../../engine/lab/trace/record.ts'
import type { LabAttachment, LabEvents, LabResult, LabStatus, LabTopology, ProcessStatus } from '../../../protocol/lab.ts'
import type { ProjectPath } from '../../../protocol/service.ts'
import type { Pace } from '../../worker/messages.ts'
import { UserError } from '../errors.ts'
import type { ProgramBuilder } from '../program-builder.ts'
import type { Project } from '../project.ts'
import { FrameRing } from './frame-ring.ts'
import type { BuiltMachine } from './lab-build.ts'
import { buildMachines, LabBuilder, sourceOf } from './lab-build.ts'
import { LabConsoles } from './lab-consoles.ts'
import type { OpenedLab } from './lab-library.ts'
import { LabLibrary } from './lab-library.ts'
import { LabLoop } from './lab-loop.ts'
import { LabRun } from './lab-run.ts'
import type { Ended } from './lab-status.ts'
import { labStatus } from './lab-status.ts'
import { difference, EMPTY_LAB, topologyOf, withTopology } from './lab-topology.ts'
import { systemProject } from './open-lab.ts'
import type { SpawnLabWorker } from './worker-runner.ts'

export interface LabDeskOptions {
  project: Project
  builder: ProgramBuilder
  /** Whoever watches the lab. */
  audience: LabAudience
  spawn?: SpawnLabWorker
  library?: LabLibrary
  /** Threads for a lab's machines; 0 for this one. */
  workers?: number
}

/** What changes the lab is told by whoever changed it. */
type LabAudience = Omit<LabEvents, 'labChanged'>

interface Running {
  run: LabRun
  loop: LabLoop
  /** What each machine was switched on with. */
  machines: Map<string, BuiltMachine>
}

/** The one lab that is open: what is drawn, what runs, and what it printed. Windows come and go. */
export class LabDesk {
  readonly #project: Project
  readonly #audience: LabAudience
  readonly #library: LabLibrary
  readonly #builder: ProgramBuilder
  readonly #spawn: SpawnLabWorker | undefined
  readonly #workers: number
  readonly #consoles: LabConsoles
  readonly #cuts = new Set<string>()
  #opened: OpenedLab | null = null
  #opening = 0
  #running: Running | null = null
  #last: Ended | undefined
  /** While programs are built: a stop makes it forget to start. */
  #building: symbol | null = null
  #failure: string | undefined
  #frames = new FrameRing()
  #toldFrames = 0

  constructor({ project, builder, audience, spawn, library = new LabLibrary(project), workers = availableParallelism() }: LabDeskOptions) {
    this.#project = project
    this.#audience = audience
    this.#library = library
    this.#builder = builder
    this.#spawn = spawn
    this.#workers = workers
    this.#consoles = new LabConsoles((node, bytes) => this.#audience.labConsole(node, bytes))
  }

  /** Which of the labs that were opened this is: one more with each. */
  get opening(): number {
    return this.#opening
  }

  attachment(): LabAttachment {
    return {
      topology: this.#opened === null ? null : topologyOf(this.#opened.lab),
      path: this.#opened?.path ?? null,
      status: this.status(),
      consoles: this.#consoles.all(),
    }
  }

  list(): ReturnType<LabLibrary['list']> {
    return this.#library.list()
  }

  async open(path: ProjectPath, name?: string): Promise<void> {
    this.#replace(await this.#library.open(path, name))
  }

  create(): void {
    this.#replace({ lab: EMPTY_LAB, path: null })
  }

  async save(path: ProjectPath, topology: LabTopology): Promise<void> {
    const opening = this.#opening
    const saved = await this.#library.save(path, withTopology(this.#lab(), topology), this.#opened?.folder)
    if (this.#opening !== opening) return
    this.#apply(saved.lab)
    this.#opened = saved
    this.#tell()
  }

  update(topology: LabTopology): LabResult {
    try {
      const lab = withTopology(this.#lab(), topology)
      this.#apply(lab)
      this.#opened = { path: null, ...this.#opened, lab }
    } catch (error) {
      return refusal(error)
    }
    this.#tell()
    return { ok: true }
  }

  async start({ pace, nodes }: { pace: Pace; nodes?: string[] }): Promise<LabResult> {
    const { lab, folder } = this.#need()
    const wanted = lab.nodes.filter(({ id, kind }) => kind === 'machine' && (nodes === undefined || nodes.includes(id)))
    if (wanted.length === 0) return { ok: false, message: nodes === undefined ? 'the lab has no machines yet' : 'there is no such machine' }
    const building = Symbol('building')
    this.#building = building
    this.#failure = undefined
    this.#tell()
    try {
      const folders = [...(folder === undefined ? [] : [folder]), this.#project, systemProject()]
      const { machines, results, message } = await buildMachines(new LabBuilder(this.#builder, folders), lab, wanted, folder)
      if (this.#building !== building) return { ok: false, message: 'it was stopped before it had started' }
      if (message !== undefined) return { ok: false, message, builds: results.filter(({ ok }) => !ok) }
      this.#boot(machines, pace, nodes === undefined)
      return { ok: true }
    } catch (error) {
      return refusal(error)
    } finally {
      if (this.#building === building) this.#building = null
      this.#tell()
    }
  }

  /** Switches machines off: those named, or all, which ends the run. */
  stop(nodes?: string[]): void {
    this.#building = null
    if (nodes === undefined) this.#end()
    else if (this.#running !== null) for (const node of nodes) this.#act({ do: 'kill', node: this.#machine(node) })
    this.#tell()
  }

  pause(): void {
    this.#need()
    this.#running?.loop.pause()
    this.#tell()
  }

  resume(): void {
    this.#need()
    this.#running?.loop.resume()
    this.#tell()
  }

  type(node: string, bytes: Uint8Array): void {
    this.#act({ do: 'type', node: this.#machine(node), bytes })
  }

  /** Changes a link as it is drawn, and as it is. */
  setLink(id: string, change: Partial<Impairments>): void {
    const opened = this.#need()
    this.#link(id)
    const links = opened.lab.links.map((link) => (link.id === id ? { ...link, impairments: { ...link.impairments, ...change } } : link))
    const lab = withTopology(opened.lab, { ...topologyOf(opened.lab), links })
    this.#opened = { ...opened, lab }
    // What is asked for may be what is drawn already, and yet not what the timeline has made of it.
    if (this.#running !== null) this.#act({ do: 'change', link: id, change })
    this.#tell()
  }

  cut(link: string): void {
    this.#act({ do: 'cut', link: this.#link(link) })
    this.#cuts.add(link)
    this.#tell()
  }

  heal(link: string): void {
    this.#act({ do: 'heal', link: this.#link(link) })
    this.#cuts.delete(link)
    this.#tell()
  }

  frames(after: number, limit: number): ReturnType<FrameRing['after']> {
    return this.#frames.after(after, limit)
  }

  capture(): Uint8Array {
    return this.#frames.capture()
  }

  async processes(node: string): Promise<ProcessStatus[]> {
    this.#machine(node)
    return (await this.#running?.run.coordinator.processes(node)) ?? []
  }

  /** A program of the project was built: machines that run an older build of it are started again with this one. */
  built(program: ProjectPath, image: Uint8Array): void {
    const running = this.#running
    if (running === null) return
    const source = sourceOf(this.#project, program)
    const restarted: string[] = []
    for (const [node, machine] of running.machines) {
      if (machine.source !== source || Buffer.compare(machine.spec.program.bytes, image) === 0) continue
      const spec = { ...machine.spec, program: { ...machine.spec.program, bytes: image } }
      running.machines.set(node, { ...machine, spec })
      running.run.coordinator.define(node, spec)
      this.#act({ do: 'boot', node })
      restarted.push(node)
    }
    if (restarted.length > 0) this.#audience.labRestarted(restarted)
  }

  dispose(): void {
    this.#building = null
    this.#end()
  }

  status(): LabStatus {
    return labStatus({
      lab: this.#lab(),
      run: this.#running?.run,
      loop: this.#running?.loop,
      last: this.#last,
      switchedOn: new Set(this.#running?.machines.keys()),
      isBuilding: this.#building !== null,
      cuts: this.#cuts,
      failure: this.#failure,
    })
  }

  #boot(machines: Map<string, BuiltMachine>, pace: Pace, isNewRun: boolean): void {
    if (isNewRun) this.#end()
    const running = this.#running ?? this.#begin(pace)
    running.loop.setPace(pace)
    for (const [node, machine] of machines) {
      // It may have been taken away while its program was built.
      if (!this.#lab().nodes.some(({ id, kind }) => id === node && kind === 'machine')) continue
      running.machines.set(node, machine)
      running.run.coordinator.define(node, machine.spec)
      running.run.coordinator.act({ do: 'boot', node })
    }
    running.loop.wake()
  }

  #begin(pace: Pace): Running {
    this.#frames = new FrameRing()
    this.#toldFrames = 0
    this.#cuts.clear()
    const run = new LabRun({
      lab: this.#lab(),
      workers: this.#workers,
      spawn: this.#spawn,
      // A run that was ended may finish a window that was under way; nobody listens any more.
      onBoot: (node) => this.#running?.run === run && this.#consoles.reset(node),
      onConsole: (node, bytes) => this.#running?.run === run && this.#consoles.print(node, bytes),
      listeners: [(record) => this.#running?.run === run && this.#take(record)],
    })
    const loop = new LabLoop(run.coordinator, pace, {
      onReport: () => this.#report(),
      onFailure: (error) => this.#fail(error),
    })
    this.#running = { run, loop, machines: new Map() }
    return this.#running
  }

  #take(record: TraceRecord): void {
    if (record.kind === 'frame') this.#frames.take(record.event)
    else if (record.kind === 'event' && record.text === 'cut') this.#cuts.add(record.target)
    else if (record.kind === 'event' && record.text === 'heal') this.#cuts.delete(record.target)
  }

  /** A lab that had to end by itself: a mistake of ours, not of a guest's. */
  #fail(error: unknown): void {
    this.#failure = `Atoll failed while it ran this lab: ${error instanceof Error ? error.message : String(error)}`
    this.#end()
    this.#tell()
  }

  #end(): void {
    const running = this.#running
    if (running === null) return
    const { nowNs } = running.run.coordinator
    this.#last = { virtualNs: nowNs, checks: running.run.coordinator.checkStatuses() }
    this.#running = null
    running.loop.end()
    running.run.dispose()
  }

  #replace(opened: OpenedLab): void {
    this.#building = null
    this.#end()
    this.#opened = opened
    this.#opening += 1
    this.#failure = undefined
    this.#last = undefined
    this.#consoles.clear()
    this.#cuts.clear()
    this.#frames = new FrameRing()
    this.#toldFrames = 0
    this.#tell()
  }

  /** Makes a running lab what is drawn now. */
  #apply(lab: Lab): void {
    const running = this.#running
    for (const action of difference(this.#lab(), lab)) {
      if (action.do === 'remove-node') {
        running?.machines.delete(action.node)
        this.#consoles.remove(action.node)
      }
      if (action.do === 'remove-link') this.#cuts.delete(action.link)
      if (running !== null) this.#act(action)
    }
  }

  #act(action: LiveAction): void {
    const running = this.#running
    if (running === null) throw new UserError('the lab does not run')
    running.run.coordinator.act(action)
    running.loop.wake()
  }

  #report(): void {
    this.#tell()
    if (this.#frames.newest === this.#toldFrames) return
    this.#toldFrames = this.#frames.newest
    this.#audience.labTraffic(this.#frames.newest)
  }

  #tell(): void {
    this.#audience.labStatus(this.status())
  }

  #lab(): Lab {
    return this.#opened?.lab ?? EMPTY_LAB
  }

  #need(): OpenedLab {
    if (this.#opened === null) throw new UserError('no lab is open')
    return this.#opened
  }

  #link(id: string): string {
    if (!this.#lab().links.some((link) => link.id === id)) throw new UserError(`there is no link ${id}`)
    return id
  }

  #machine(id: string): string {
    if (!this.#lab().nodes.some((node) => node.id === id && node.kind === 'machine')) throw new UserError(`there is no machine ${id}`)
    return id
  }
}

/** What a user can mend is an answer; everything else is a mistake of ours. */
function refusal(error: unknown): LabResult {
  if (error instanceof UserError) return { ok: false, message: error.message }
  throw error
}
