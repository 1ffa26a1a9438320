import { availableParallelism } from 'node:os'
import { diagnoseLab } from '../../engine/lab/file/diagnose.ts'
import type { Channel } from '../../protocol/rpc.ts'
import { PROTOCOL_VERSION } from '../../protocol/service.ts'
import type {
  Attachment,
  BootRequest,
  BootResult,
  MachineId,
  MachineStatus,
  ProjectPath,
} from '../../protocol/service.ts'
import type { ShellService } from '../../protocol/shell.ts'
import type { MachineSpec, Pace, Progress } from '../worker/messages.ts'
import type { Client } from './clients.ts'
import { Clients } from './clients.ts'
import { ConsoleLog } from './console-log.ts'
import { UserError } from './errors.ts'
import { guestFiles, guestProgramPath } from './guest-files.ts'
import { LabDesk } from './lab/lab-desk.ts'
import { isLabFile } from './lab/lab-folder.ts'
import { labServiceFor } from './lab/lab-service.ts'
import type { SpawnHost } from './machine-pool.ts'
import { MachinePool, spawnWorker } from './machine-pool.ts'
import { checkArgs, checkMemory, RAM_BYTES_DEFAULT, SEED_DEFAULT } from './machine-options.ts'
import type { ProgramBuilder } from './program-builder.ts'
import { displayLocation } from './project-folder.ts'
import { ProjectWatcher } from './project-watcher.ts'
import type { Project } from './project.ts'

/** Reset to Initial State (ECMA-48, ESC c): makes every terminal that shows a console forget the run before. */
const RESET_TERMINAL = new Uint8Array([0x1b, 0x63])

interface Machine {
  status: MachineStatus
  readonly log: ConsoleLog
  readonly spec: MachineSpec
  readonly pace: Pace
}

export interface WorkbenchOptions {
  project: Project
  builder: ProgramBuilder
  shell: Attachment['shell']
  spawn?: SpawnHost
}

/**
 * The service behind every window of one project: files, builds, machines, labs. Windows come and go; machines and their consoles stay.
 */
export class Workbench {
  readonly #project: Project
  readonly #builder: ProgramBuilder
  readonly #shell: Attachment['shell']
  readonly #clients = new Clients()
  readonly #pool: MachinePool
  readonly #lab: LabDesk
  readonly #watcher: ProjectWatcher
  readonly #machines = new Map<MachineId, Machine>()
  #machinesBorn = 0
  /** The check that each window waits for. */
  readonly #checks = new WeakMap<Client, AbortController>()
  /** Boots and resets happen one after the other. */
  #booting: Promise<unknown> = Promise.resolve()

  constructor({ project, builder, shell, spawn = spawnWorker }: WorkbenchOptions) {
    this.#project = project
    this.#builder = builder
    this.#shell = shell
    this.#pool = new MachinePool({
      sizeMax: availableParallelism(),
      spawn,
      events: {
        onConsole: (id, bytes) => this.#receiveConsole(id, bytes),
        onProgress: (id, progress) => this.#receiveProgress(id, progress),
        onEnded: (id, progress) => this.#receiveProgress(id, progress),
      },
    })
    this.#lab = new LabDesk({ project, builder, audience: this.#clients })
    this.#watcher = new ProjectWatcher(project, (paths) => this.#clients.filesChanged(paths))
  }

  /** Starts what makes the first boot fast, and watching the project. */
  async start(): Promise<void> {
    this.#pool.warm()
    await this.#watcher.start()
  }

  /** A window has connected; it leaves by closing the channel. */
  connect(channel: Channel): void {
    const client = this.#clients.add(channel, (self) => this.#serviceFor(self))
    channel.onClose(() => this.#checks.get(client)?.abort())
  }

  dispose(): void {
    this.#watcher.close()
    this.#clients.close()
    this.#pool.dispose()
    this.#lab.dispose()
  }

  #serviceFor(client: Client): ShellService {
    const project = this.#project
    /** Changes files and tells the other windows. */
    const change = async <T>(paths: ProjectPath[], work: () => Promise<T>): Promise<T> => {
      const result = await work()
      await this.#watcher.settle()
      this.#clients.filesChanged(paths, client)
      return result
    }
    return {
      attach: async () => {
        const attachment = this.#attachment()
        client.attach()
        return attachment
      },
      listFiles: () => project.list(),
      readFile: (path) => project.read(path),
      writeFile: (path, text, baseVersion) => change([path], () => project.write(path, text, baseVersion)),
      createFile: (path, text) => change([path], () => project.create(path, text)),
      renameFile: (from, to) => change([from, to], () => project.rename(from, to)),
      deleteFile: (path) => change([path], () => project.delete(path)),
      check: (path, text) => this.#check(client, path, text),
      build: async (path) => (await this.#build(path)).result,
      boot: (request) => this.#inTurn(() => this.#boot(request)),
      stop: (id) => this.#stop(id),
      reset: (id) => this.#inTurn(() => this.#reset(id)),
      type: async (id, bytes) => {
        this.#machine(id)
        this.#pool.type(id, bytes)
      },
      ...labServiceFor(this.#lab, {
        attach: () => client.attachLab(),
        tellOthers: (labChange) => this.#clients.labChanged(labChange, client),
      }),
    }
  }

  #attachment(): Attachment {
    return {
      protocolVersion: PROTOCOL_VERSION,
      projectName: this.#project.name,
      projectLocation: displayLocation(this.#project.root),
      shell: this.#shell,
      machines: [...this.#machines.values()].map(({ status, log }) => ({ status, console: log.bytes() })),
    }
  }

  async #check(client: Client, path: ProjectPath, text: string): ReturnType<ShellService['check']> {
    if (isLabFile(path)) return diagnoseLab(text).map((mistake) => ({ path, severity: 'error', ...mistake }))
    this.#checks.get(client)?.abort()
    const controller = new AbortController()
    this.#checks.set(client, controller)
    try {
      return await this.#builder.check(this.#project, path, text, controller.signal)
    } catch (error) {
      if (controller.signal.aborted) throw new UserError('check: a newer check began')
      throw error
    }
  }

  /** Machines of the lab that run an older build are started again with this one. */
  async #build(path: ProjectPath): Promise<Awaited<ReturnType<ProgramBuilder['build']>>> {
    const build = await this.#builder.build(this.#project, path)
    if (build.image !== undefined) this.#lab.built(path, build.image)
    return build
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#booting.then(work)
    this.#booting = result.catch(() => undefined)
    return result
  }

  async #boot(request: BootRequest): Promise<BootResult> {
    checkArgs(request.args ?? [])
    const path = guestProgramPath(request.program)
    const [{ result, image }, boot, files, system] = await Promise.all([
      this.#build(request.program),
      this.#builder.bootImage(),
      guestFiles(this.#project),
      this.#builder.systemFiles(path),
    ])
    if (image === undefined)
      return { ok: false, build: result, message: result.message ?? describeErrors(request.program, result.diagnostics) }
    const spec: MachineSpec = {
      boot,
      program: { path, bytes: image, args: request.args ?? [] },
      files: new Map([...system, ...files]),
      ramBytes: checkMemory(request.memoryBytes ?? RAM_BYTES_DEFAULT),
      seed: request.seed ?? SEED_DEFAULT,
    }
    for (const id of this.#machines.keys()) {
      await this.#pool.stop(id)
      this.#machines.delete(id)
    }
    this.#machinesBorn += 1
    const id = `m${this.#machinesBorn}`
    const machine: Machine = { status: born(id, request.program), log: new ConsoleLog(), spec, pace: request.pace ?? 'live' }
    this.#machines.set(id, machine)
    this.#pool.boot(id, spec, machine.pace)
    this.#clients.status(machine.status)
    return { ok: true, machine: machine.status, build: result }
  }

  async #stop(id: MachineId): Promise<void> {
    this.#machine(id)
    await this.#pool.stop(id)
  }

  async #reset(id: MachineId): Promise<void> {
    const machine = this.#machine(id)
    await this.#pool.stop(id)
    machine.log.clear()
    void this.#show(id, RESET_TERMINAL)
    machine.status = born(id, machine.status.program)
    this.#pool.boot(id, machine.spec, machine.pace)
    this.#clients.status(machine.status)
  }

  #machine(id: MachineId): Machine {
    const machine = this.#machines.get(id)
    if (machine === undefined) throw new UserError('that machine is gone; another one was booted since')
    return machine
  }

  #receiveConsole(id: MachineId, bytes: Uint8Array): void {
    void this.#show(id, bytes).then(() => this.#pool.ack(id, bytes.byteLength))
  }

  #show(id: MachineId, bytes: Uint8Array): Promise<void> {
    this.#machines.get(id)?.log.append(bytes)
    return this.#clients.console(id, bytes)
  }

  #receiveProgress(id: MachineId, progress: Progress): void {
    const machine = this.#machines.get(id)
    if (machine === undefined) return
    machine.status = { id, program: machine.status.program, ...progress }
    this.#clients.status(machine.status)
  }
}

function born(id: MachineId, program: ProjectPath): MachineStatus {
  return { id, program, phase: 'booting', virtualNs: 0, wallMs: 0, instructions: 0 }
}

function describeErrors(program: ProjectPath, diagnostics: { severity: string }[]): string {
  const errors = diagnostics.filter(({ severity }) => severity === 'error').length
  return errors === 1 ? `${program} has an error` : `${program} has ${errors} errors`
}
