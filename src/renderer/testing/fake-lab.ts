import type {
  CapturedFrame,
  LabAttachment,
  LabEvents,
  LabResult,
  LabService,
  LabStatus,
  LabTopology,
  LinkImpairments,
  LinkStatus,
  ProcessStatus,
} from '../../protocol/lab.ts'
import type { ProjectPath } from '../../protocol/service.ts'

/** Where a shell's labs come from, beside those that are saved into the project. */
const TEMPLATES = 'templates/'

/**
 * The lab half of a service in memory. Machines start and stop at once and compute nothing; tests put frames, processes and console
 * text in place, and `report` tells the workbench.
 */
export class FakeLab implements LabService {
  readonly calls: string[] = []
  /** While set, every call rejects with it. */
  failure: string | null = null
  /** While set, a call waits for it after being recorded. */
  gate: Promise<void> | null = null
  readonly labs = new Map<ProjectPath, LabTopology>()
  readonly labTyped: { node: string; text: string }[] = []
  readonly frames: CapturedFrame[] = []
  processes: ProcessStatus[] = []
  labEvents: LabEvents | null = null
  topology: LabTopology | null = null
  labPath: ProjectPath | null = null
  readonly consoleTexts = new Map<string, string>()
  readonly cuts = new Set<string>()
  /** While set, what a start answers. */
  startResult: LabResult | null = null
  /** While set, what an update answers. */
  updateResult: LabResult | null = null
  status: LabStatus = { phase: 'stopped', virtualNs: 0, realTimeFactor: 0, machines: [], links: [], checks: [] }

  protected async called(name: string, ...args: unknown[]): Promise<void> {
    this.calls.push([name, ...args].join(' '))
    if (this.gate) await this.gate
    if (this.failure !== null) throw new Error(this.failure)
  }

  /** The lab changes and says so. */
  reportLab(change: Partial<LabStatus> = {}): void {
    this.status = { ...this.status, ...change, links: change.links ?? this.#linkStatuses() }
    this.labEvents?.labStatus(this.status)
  }

  /** A frame crosses a link. */
  carry(frame: Omit<CapturedFrame, 'number'>): void {
    this.frames.push({ ...frame, number: this.frames.length + 1 })
    this.labEvents?.labTraffic(this.frames.length)
  }

  print(node: string, text: string): void {
    this.consoleTexts.set(node, (this.consoleTexts.get(node) ?? '') + text)
    void this.labEvents?.labConsole(node, new TextEncoder().encode(text))
  }

  async labAttach(): Promise<LabAttachment> {
    await this.called('labAttach')
    return this.#attachment()
  }

  async labList(): Promise<{ path: ProjectPath; name: string; isTemplate: boolean }[]> {
    await this.called('labList')
    return [...this.labs].map(([path, { name }]) => ({ path, name, isTemplate: path.startsWith(TEMPLATES) }))
  }

  async labOpen(path: ProjectPath, name?: string): Promise<LabAttachment> {
    await this.called('labOpen', path)
    const topology = this.labs.get(path)
    if (!topology) throw new Error(`${path}/lab.json does not exist`)
    const isTemplate = path.startsWith(TEMPLATES)
    this.#open(isTemplate ? { ...topology, name: name ?? topology.name } : topology, isTemplate ? null : path)
    return this.#attachment()
  }

  async labNew(): Promise<LabAttachment> {
    await this.called('labNew')
    this.#open({ name: '', seed: 1, nodes: [], links: [] }, null)
    return this.#attachment()
  }

  async labSave(path: ProjectPath, topology: LabTopology): Promise<void> {
    await this.called('labSave', path)
    this.labs.set(path, topology)
    this.labPath = path
  }

  async labUpdate(topology: LabTopology): Promise<LabResult> {
    await this.called('labUpdate')
    if (this.updateResult) return this.updateResult
    this.topology = topology
    return { ok: true }
  }

  async labStart({ pace, nodes }: { pace: 'live' | 'fast'; nodes?: string[] }): Promise<LabResult> {
    await this.called('labStart', pace, ...(nodes ?? []))
    if (this.startResult) return this.startResult
    const machines = this.topology?.nodes.filter(({ kind }) => kind === 'machine') ?? []
    this.reportLab({
      phase: 'running',
      realTimeFactor: 1,
      machines: machines.map(({ id }) => {
        const before = this.status.machines.find(({ node }) => node === id)
        if (nodes && !nodes.includes(id)) return before ?? { node: id, phase: 'off', virtualNs: 0, instructions: 0 }
        return { node: id, phase: 'running', virtualNs: 0, instructions: 0 }
      }),
    })
    return { ok: true }
  }

  async labStop(nodes?: string[]): Promise<void> {
    await this.called('labStop', ...(nodes ?? []))
    const machines = this.status.machines.map((machine) =>
      nodes && !nodes.includes(machine.node) ? machine : { ...machine, phase: 'off' as const },
    )
    this.reportLab({ phase: nodes ? this.status.phase : 'stopped', machines })
  }

  async labPause(): Promise<void> {
    await this.called('labPause')
    this.reportLab({ phase: 'paused' })
  }

  async labResume(): Promise<void> {
    await this.called('labResume')
    this.reportLab({ phase: 'running' })
  }

  async labType(node: string, bytes: Uint8Array): Promise<void> {
    await this.called('labType', node)
    this.labTyped.push({ node, text: new TextDecoder().decode(bytes) })
  }

  async labSetLink(link: string, change: Partial<LinkImpairments>): Promise<void> {
    await this.called('labSetLink', link, ...Object.keys(change))
  }

  async labCut(link: string): Promise<void> {
    await this.called('labCut', link)
    this.cuts.add(link)
    this.reportLab()
  }

  async labHeal(link: string): Promise<void> {
    await this.called('labHeal', link)
    this.cuts.delete(link)
    this.reportLab()
  }

  async labFrames(after: number, limit: number): Promise<CapturedFrame[]> {
    await this.called('labFrames', after)
    return this.frames.filter(({ number }) => number > after).slice(-limit)
  }

  async labCapture(): Promise<Uint8Array> {
    await this.called('labCapture')
    return new Uint8Array([0x0a, 0x0d, 0x0d, 0x0a])
  }

  async labProcesses(node: string): Promise<ProcessStatus[]> {
    await this.called('labProcesses', node)
    return this.processes
  }

  #open(topology: LabTopology, path: ProjectPath | null): void {
    this.topology = topology
    this.labPath = path
    this.frames.length = 0
    this.cuts.clear()
    this.consoleTexts.clear()
    this.status = { phase: 'stopped', virtualNs: 0, realTimeFactor: 0, machines: [], links: [], checks: [] }
  }

  #attachment(): LabAttachment {
    const consoles = [...this.consoleTexts].map(([node, text]) => ({ node, bytes: new TextEncoder().encode(text) }))
    return { topology: this.topology, path: this.labPath, status: this.status, consoles }
  }

  #linkStatuses(): LinkStatus[] {
    return (this.topology?.links ?? []).map(({ id, impairments }) => {
      const frames = this.frames.filter(({ link }) => link === id)
      const delivered = frames.filter(({ fate }) => fate === 'delivered')
      return {
        link: id,
        isCut: this.cuts.has(id),
        impairments,
        sentFrames: frames.length,
        deliveredFrames: delivered.length,
        droppedFrames: frames.length - delivered.length,
        bytes: frames.reduce((sum, { bytes }) => sum + bytes.length, 0),
      }
    })
  }
}
