import type { PendingCall } from '../process/process.ts'
import type { CompiledModule } from './compile.ts'
import type { WasmInstance, WasmValue } from './instance.ts'
import type { WasiContext } from './wasi/context.ts'

/** A module with its memory, and the process that loaded it. */
export interface LoadedModule {
  id: number
  name: string
  instance: WasmInstance
  wasi: WasiContext
  /** Pages of 64 KiB promised to it. */
  pages: number
  isGrowthReported: boolean
}

/** All that a process has of the runtime. */
export interface ProcessModules {
  modules: Map<number, LoadedModule>
  /** The module whose code a system call has begun to run, and that call. */
  active: { module: LoadedModule; call: PendingCall } | null
  /** What WASM_MAIN runs. */
  program: WasmProgram | null
}

/** A `.wasm` file that runs as a program (program.ts). */
export interface WasmProgram {
  name: string
  compiled: CompiledModule
  sourceBytes: number
  args: readonly string[]
  environment: readonly string[]
  /** Once it has memory. */
  module: LoadedModule | null
  /** What is still to be called, first to last; null before it is known. */
  steps: Step[] | null
  /** Text to be written before the process ends with `status`. */
  output: { fd: number; bytes: Uint8Array; status: number } | null
}

/** A call that a program is still to make. */
export interface Step {
  name: string
  index: number
  args: WasmValue[]
  /** Its results are printed. */
  isPrinted: boolean
}
