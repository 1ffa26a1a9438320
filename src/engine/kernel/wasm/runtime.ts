import { Cost } from '../costs.ts'
import type { FrameAllocator } from '../memory/frames.ts'
import { PAGE_BYTES } from '../arch/layout.ts'
import type { Process } from '../process/process.ts'
import type { Wait } from '../process/wait.ts'
import { onward } from '../process/wait.ts'
import type { Call, KernelServices } from '../syscall/context.ts'
import { KernelError } from '../syscall/errno.ts'
import type { ParsedModule } from './binary/module.ts'
import type { CompiledModule } from './compile.ts'
import { FrameStack } from './instrument/frame-stack.ts'
import { WasmInstance } from './instance.ts'
import type { CallOutcome, WasmValue } from './instance.ts'
import { WASM_PAGE_BYTES, WasmLimit } from './limits.ts'
import type { LoadedModule, ProcessModules } from './process-modules.ts'
import { printable } from './text.ts'
import type { WasiContext } from './wasi/context.ts'
import { wasiFunction } from './wasi/preview1.ts'

/** Units of fuel that a call burns before interrupts are let in again: a quarter of a virtual millisecond. */
const PORTION_FUEL = 250_000
/** Bytes of a module that are paid for before interrupts are let in again. */
const PORTION_BYTES = 65_536
const FRAMES_PER_PAGE = WASM_PAGE_BYTES / PAGE_BYTES

/** What the runtime uses of the kernel. */
export interface WasmHost extends KernelServices {
  readonly frames: FrameAllocator
}

/** A module as inspectors see it. */
export interface ModuleView {
  pid: number
  id: number
  name: string
  memoryBytes: number
  /** A call is under way. */
  isBusy: boolean
  exports: string[]
}

/** What a call of a module came to; its traps are logged. */
export type CallEnd = Exclude<CallOutcome, { kind: 'suspended' } | { kind: 'waiting' }>

/** The WebAssembly runtime: modules by process, and the portions in which their code runs. */
export class WasmRuntime {
  private readonly kernel: WasmHost
  private readonly processes = new Map<number, ProcessModules>()
  /** Made with the first module. */
  private frameStack: FrameStack | null = null

  constructor(kernel: WasmHost) {
    this.kernel = kernel
  }

  /** The process's modules. */
  of(process: Process): ProcessModules {
    let own = this.processes.get(process.pid)
    if (own === undefined) {
      own = { modules: new Map(), active: null, program: null }
      this.processes.set(process.pid, own)
    }
    return own
  }

  /** All modules, by process and id. */
  views(): ModuleView[] {
    return [...this.processes].flatMap(([pid, { modules }]) =>
      [...modules.values()].map(({ id, name, instance, pages }) => ({
        pid, id, name: printable(name), memoryBytes: pages * WASM_PAGE_BYTES, isBusy: instance.isBusy,
        exports: instance.compiled.parsed.exports.map((each) => printable(each.name)),
      })),
    )
  }

  /** A process has ended, or another program takes its place: its modules are gone, whatever they were doing. */
  release(process: Process): void {
    const own = this.processes.get(process.pid)
    if (own === undefined) return
    this.processes.delete(process.pid)
    for (const module of own.modules.values()) this.giveBack(module)
  }

  /** Takes a module from its process. */
  unload(own: ProcessModules, id: number): void {
    const module = own.modules.get(id)
    if (module === undefined) throw new KernelError('EINVAL')
    own.modules.delete(id)
    this.giveBack(module)
  }

  private giveBack(module: LoadedModule): void {
    if (module.instance.isBusy) module.instance.abandon()
    this.kernel.frames.withdraw(module.pages * FRAMES_PER_PAGE)
    module.pages = 0
  }

  /** One line for whatever a module did wrong. */
  report(process: Process, name: string, text: string): void {
    this.kernel.log('wasm', `${printable(name)} (pid ${process.pid}): ${text}`)
  }

  /** Charges for compiling a module, in portions; null once all is paid. */
  payForBytes(call: Call, length: number): Wait | null {
    const { state } = call
    const portion = Math.min(PORTION_BYTES, length - state.progress)
    state.progress += portion
    this.kernel.charge(portion * Cost.WASM_BYTE)
    return state.progress < length ? onward : null
  }

  /** Gives a compiled module memory and a number. Throws EMFILE, ENOMEM, and ENOEXEC when its segments do not fit. */
  load(process: Process, name: string, compiled: CompiledModule, wasi: WasiContext): LoadedModule {
    const own = this.of(process)
    const all = [...this.processes.values()].reduce((sum, { modules }) => sum + modules.size, 0)
    if (own.modules.size >= WasmLimit.MODULES_PER_PROCESS || all >= WasmLimit.MODULES) {
      this.report(process, name, `not loaded: ${own.modules.size} modules are loaded in the process, ${all} in the machine`)
      throw new KernelError('EMFILE')
    }
    const pages = compiled.parsed.memory?.min ?? 0
    this.promise(process, name, pages)
    try {
      const module = this.instantiate(process, name, compiled, wasi)
      module.pages = pages
      own.modules.set(module.id, module)
      return module
    } catch (error) {
      this.kernel.frames.withdraw(pages * FRAMES_PER_PAGE)
      throw error
    }
  }

  private promise(process: Process, name: string, pages: number): void {
    try {
      this.kernel.frames.promise(pages * FRAMES_PER_PAGE)
    } catch (error) {
      this.report(process, name, `not loaded: the machine has no ${pages} pages of 64 KiB for its memory`)
      throw error
    }
  }

  private instantiate(process: Process, name: string, compiled: CompiledModule, wasi: WasiContext): LoadedModule {
    const own = this.of(process)
    let id = 1
    while (own.modules.has(id)) id++
    this.frameStack ??= new FrameStack()
    try {
      const module: LoadedModule = {
        id, name, wasi, pages: 0, isGrowthReported: false,
        instance: new WasmInstance(compiled, this.frameStack, {
          imports: (_module, wanted) => wasiFunction(wasi, wanted),
          mayGrow: (pages) => this.grow(process, module, pages),
          notGrown: (pages) => this.shrink(process, module, pages),
          burned: (units) => this.kernel.charge(units * Cost.WASM_FUEL),
        }),
      }
      return module
    } catch (error) {
      if (error instanceof RangeError) {
        this.report(process, name, `not loaded: the host has no memory for it (${error.message})`)
        throw new KernelError('ENOMEM')
      }
      if (!(error instanceof WebAssembly.RuntimeError || error instanceof WebAssembly.LinkError)) throw error
      this.report(process, name, 'not loaded: one of its segments does not fit into its memory or table')
      throw new KernelError('ENOEXEC')
    }
  }

  /** memory.grow: whether there are frames for so many more pages; Infinity for more than any module may have. */
  private grow(process: Process, module: LoadedModule, pages: number): boolean {
    try {
      if (pages === Infinity) throw new KernelError('ENOMEM')
      this.kernel.frames.promise(pages * FRAMES_PER_PAGE)
      module.pages += pages
      return true
    } catch (error) {
      if (!(error instanceof KernelError)) throw error
      if (!module.isGrowthReported) {
        const limit = module.instance.compiled.parsed.memory?.max ?? WasmLimit.MEMORY_PAGES
        this.report(process, module.name, `its memory of ${module.pages} pages may not grow: at most ${limit}, and what the machine has`)
      }
      module.isGrowthReported = true
      return false
    }
  }

  /** The host had no memory for pages that were promised. */
  private shrink(process: Process, module: LoadedModule, pages: number): void {
    this.kernel.frames.withdraw(pages * FRAMES_PER_PAGE)
    module.pages -= pages
    if (!module.isGrowthReported) this.report(process, module.name, `its memory may not grow: the host has none for ${pages} pages more`)
    module.isGrowthReported = true
  }

  /** The module that this very system call has begun to run, or null. */
  resuming(call: Call, own: ProcessModules): LoadedModule | null {
    const { active } = own
    if (active === null) return null
    if (active.call === call.state) return active.module
    // Another call was made since: that one was given up.
    active.module.instance.abandon()
    own.active = null
    return null
  }

  begin(call: Call, own: ProcessModules, module: LoadedModule, index: number, args: WasmValue[]): void {
    module.instance.begin(index, args)
    own.active = { module, call: call.state }
  }

  /** Runs a portion of what was begun. A trap is logged. */
  continue(call: Call, own: ProcessModules, module: LoadedModule): CallEnd | Wait {
    module.wasi.enter(call)
    const outcome = module.instance.run(PORTION_FUEL)
    if (outcome.kind === 'suspended') return onward
    if (outcome.kind === 'waiting') return outcome.wait
    own.active = null
    return outcome
  }
}

/** The function that a module exports under that name, as its index; undefined when there is none. */
export const exportedFunction = (parsed: ParsedModule, name: string): number | undefined =>
  parsed.exports.find((each) => each.kind === 0 && each.name === name)?.index
