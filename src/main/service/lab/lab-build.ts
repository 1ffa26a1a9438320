import { lstat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Lab, Node } from '../../../engine/lab/lab.ts'
import type { BuildResult, ProjectPath } from '../../../protocol/service.ts'
import type { MachineSpec } from '../../worker/messages.ts'
import { UserError } from '../errors.ts'
import { guestFiles, guestProgramPath } from '../guest-files.ts'
import { checkArgs, RAM_BYTES_DEFAULT } from '../machine-options.ts'
import type { ProgramBuilder } from '../program-builder.ts'
import { locate } from '../project-path.ts'
import type { Project } from '../project.ts'

/** What a machine runs that is not told what to run: the shell, among the system's programs. */
const PROGRAM_DEFAULT = 'sh.c'

const FNV_OFFSET = 0x811c9dc5
const FNV_PRIME = 0x01000193
/** A unicast address that nobody assigned (IEEE 802, locally administered). */
const LOCALLY_ADMINISTERED = 0x02
const MAC_BYTES = 6

/** FNV-1a, spread by the finalizer of MurmurHash3: names that differ in one letter get numbers that differ in all bits. */
function hash(text: string): number {
  let value = FNV_OFFSET
  for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), FNV_PRIME)
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b)
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35)
  return (value ^ (value >>> 16)) >>> 0
}

/** A machine's address depends on its name alone, so that it keeps it whatever else is drawn. */
function macOf(node: string): Uint8Array {
  const [high, low] = [hash(`${node} high`), hash(`${node} low`)]
  const bytes = new Uint8Array(MAC_BYTES)
  const view = new DataView(bytes.buffer)
  view.setUint8(0, LOCALLY_ADMINISTERED)
  view.setUint8(1, high)
  view.setUint32(2, low)
  return bytes
}

/** Where the machine's own randomness comes from: the lab's seed and its name. */
const machineSeed = (seed: number, node: string): number => hash(`${seed} ${node}`)

interface BuiltProgram {
  result: BuildResult
  image?: Uint8Array
  /** The file that it was built from. */
  source: string
  system: Map<string, Uint8Array>
}

/** Where a program of the project, or of another folder, lies on the disk. */
export const sourceOf = (folder: Project, program: ProjectPath): string => join(folder.root, ...program.split('/'))

/** Builds the programs of labs, each where it is found first. */
export class LabBuilder {
  readonly #builder: ProgramBuilder
  readonly #folders: readonly Project[]

  /** @param folders the lab's, the user's project, the system's programs */
  constructor(builder: ProgramBuilder, folders: readonly Project[]) {
    this.#builder = builder
    this.#folders = folders
  }

  bootImage(): Promise<Uint8Array> {
    return this.#builder.bootImage()
  }

  async build(program: ProjectPath): Promise<BuiltProgram> {
    const folder = await this.#folderOf(program)
    if (folder === undefined) {
      const message = `there is no program ${program} in the lab, in the project, or among the system's`
      return { result: { ok: false, diagnostics: [], elapsedMs: 0, cached: false, message }, source: '', system: new Map() }
    }
    const [{ result, image }, system] = await Promise.all([
      this.#builder.build(folder, program),
      this.#builder.systemFiles(guestProgramPath(program)),
    ])
    return { result, image, source: sourceOf(folder, program), system }
  }

  async #folderOf(program: ProjectPath): Promise<Project | undefined> {
    for (const folder of this.#folders) {
      const info = await lstat(await locate(folder.root, program)).catch((error: unknown) => {
        if (error instanceof UserError) throw error
        return undefined
      })
      if (info?.isFile()) return folder
    }
    return undefined
  }
}

export interface BuiltMachine {
  spec: MachineSpec
  /** The file that its program was built from. */
  source: string
}

export interface LabBuild {
  /** By node; every machine that was asked for, unless there is a message. */
  machines: Map<string, BuiltMachine>
  /** One for each program. */
  results: BuildResult[]
  /** Why it did not succeed, in one sentence. */
  message?: string
}

/**
 * Builds every program that these machines run, each once, and says with what each machine is switched on.
 * Throws a UserError for what a machine could not be told.
 * @param folder what the machines find in their file systems: the lab's folder
 */
export async function buildMachines(
  builder: LabBuilder,
  { seed }: Pick<Lab, 'seed'>,
  machines: readonly Node[],
  folder: Project | undefined,
): Promise<LabBuild> {
  const programs = new Map<string, BuiltProgram>()
  // One after the other: the compiler uses every core by itself, and most are in the cache.
  for (const name of new Set(machines.map(programOf))) programs.set(name, await builder.build(name))
  const results = [...programs.values()].map(({ result }) => result)
  const built: LabBuild = { machines: new Map(), results }
  for (const [program, { result, image }] of programs)
    if (image === undefined) return { ...built, message: result.message ?? describeErrors(program, result) }
  const [boot, files] = await Promise.all([builder.bootImage(), folder === undefined ? new Map<string, Uint8Array>() : guestFiles(folder)])
  for (const node of machines) {
    const program = programs.get(programOf(node))
    if (program?.image === undefined) continue
    const args = node.args ?? []
    checkArgs(args)
    const spec: MachineSpec = {
      boot,
      program: { path: guestProgramPath(programOf(node)), bytes: program.image, args },
      files: new Map([...program.system, ...files]),
      ramBytes: node.memoryBytes ?? RAM_BYTES_DEFAULT,
      seed: machineSeed(seed, node.id),
      network: { mac: macOf(node.id), address: node.address, hostname: node.id },
    }
    built.machines.set(node.id, { spec, source: program.source })
  }
  return built
}

const programOf = (node: Node): ProjectPath => node.program ?? PROGRAM_DEFAULT

function describeErrors(program: ProjectPath, { diagnostics }: BuildResult): string {
  const errors = diagnostics.filter(({ severity }) => severity === 'error').length
  return errors === 1 ? `${program} has an error` : `${program} has ${errors} errors`
}
