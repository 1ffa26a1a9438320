import type {
  Attachment,
  BootRequest,
  BootResult,
  BuildResult,
  Diagnostic,
  FileContent,
  FileEntry,
  MachineId,
  MachineStatus,
  ProjectPath,
  WorkbenchEvents,
  WorkbenchService,
  WriteResult,
} from '../../protocol/service.ts'
import { PROTOCOL_VERSION } from '../../protocol/service.ts'
import { FakeLab } from './fake-lab.ts'

/** A service in memory for the tests of what talks to one. A diagnostic is any line that contains `error!`; nothing runs. */
export class FakeService extends FakeLab implements WorkbenchService {
  readonly files = new Map<ProjectPath, FileContent>()
  readonly typed: { id: MachineId; text: string }[] = []
  events: WorkbenchEvents | null = null
  machine: MachineStatus | null = null
  consoleText = ''
  #versions = 0
  #machines = 0

  constructor(files: Record<ProjectPath, string> = {}) {
    super()
    for (const [path, text] of Object.entries(files)) this.put(path, text)
  }

  /** As somebody else would write the file. */
  put(path: ProjectPath, text: string): FileContent {
    const content = { text, version: `v${++this.#versions}` }
    this.files.set(path, content)
    return content
  }

  text(path: ProjectPath): string | undefined {
    return this.files.get(path)?.text
  }

  /** The machine changes and says so. */
  report(change: Partial<MachineStatus>): void {
    if (!this.machine) throw new Error('no machine to report about')
    this.machine = { ...this.machine, ...change }
    this.events?.status(this.machine)
  }

  async attach(): Promise<Attachment> {
    await this.called('attach')
    return {
      protocolVersion: PROTOCOL_VERSION,
      projectName: 'lagoon',
      projectLocation: '~/lagoon',
      shell: 'browser',
      machines: this.machine ? [{ status: this.machine, console: new TextEncoder().encode(this.consoleText) }] : [],
    }
  }

  async listFiles(): Promise<FileEntry[]> {
    await this.called('listFiles')
    return [...this.files].map(([path, { text }]) => ({ path, kind: 'file', size: text.length }))
  }

  async readFile(path: ProjectPath): Promise<FileContent> {
    await this.called('readFile', path)
    const content = this.files.get(path)
    if (!content) throw new Error(`${path} does not exist`)
    return content
  }

  async writeFile(path: ProjectPath, text: string, baseVersion?: string): Promise<WriteResult> {
    await this.called('writeFile', path)
    const current = this.files.get(path)
    if (current && baseVersion !== undefined && current.version !== baseVersion) return { ok: false, reason: 'changed-on-disk', current }
    return { ok: true, version: this.put(path, text).version }
  }

  async createFile(path: ProjectPath, text: string): Promise<void> {
    await this.called('createFile', path)
    if (this.files.has(path)) throw new Error(`${path} already exists`)
    this.put(path, text)
  }

  async renameFile(from: ProjectPath, to: ProjectPath): Promise<void> {
    await this.called('renameFile', from, to)
    for (const [path, content] of [...this.files]) {
      if (path !== from && !path.startsWith(`${from}/`)) continue
      this.files.delete(path)
      this.files.set(to + path.slice(from.length), content)
    }
  }

  async deleteFile(path: ProjectPath): Promise<void> {
    await this.called('deleteFile', path)
    for (const candidate of [...this.files.keys()]) if (candidate === path || candidate.startsWith(`${path}/`)) this.files.delete(candidate)
  }

  async check(path: ProjectPath, text: string): Promise<Diagnostic[]> {
    await this.called('check', path)
    return diagnose(path, text)
  }

  async build(path: ProjectPath): Promise<BuildResult> {
    await this.called('build', path)
    const diagnostics = diagnose(path, this.text(path) ?? '')
    return { ok: diagnostics.length === 0, diagnostics, elapsedMs: 80, cached: false }
  }

  async boot({ program }: BootRequest): Promise<BootResult> {
    const build = await this.build(program)
    if (!build.ok) return { ok: false, build, message: `${program} has errors` }
    this.machine = { id: `m${++this.#machines}`, program, phase: 'booting', virtualNs: 0, wallMs: 0, instructions: 0 }
    this.events?.status(this.machine)
    return { ok: true, machine: this.machine, build }
  }

  async stop(id: MachineId): Promise<void> {
    await this.called('stop', id)
    this.report({ phase: 'stopped' })
  }

  async reset(id: MachineId): Promise<void> {
    await this.called('reset', id)
    this.report({ phase: 'booting', virtualNs: 0, wallMs: 0, instructions: 0 })
  }

  async type(id: MachineId, bytes: Uint8Array): Promise<void> {
    await this.called('type', id)
    this.typed.push({ id, text: new TextDecoder().decode(bytes) })
  }
}

function diagnose(path: ProjectPath, text: string): Diagnostic[] {
  return text.split('\n').flatMap((line, index) => {
    const column = line.indexOf('error!') + 1
    if (column === 0) return []
    return [
      {
        path,
        line: index + 1,
        column,
        endLine: index + 1,
        endColumn: column + 6,
        severity: 'error' as const,
        message: 'this line says it is wrong',
      },
    ]
  })
}
