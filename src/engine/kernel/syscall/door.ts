import type { WasmRuntime } from '../wasm/runtime.ts'
import type { Call, KernelServices, Result } from './context.ts'
import type { ArgumentType } from './table.ts'

/** The kernel as the doors have it. The runtime stands on the calls, so what they use leaves it out. */
export interface DoorServices extends KernelServices {
  readonly wasm: WasmRuntime
}

/** One system call that came in by a door. */
export interface DoorCall extends Call {
  kernel: DoorServices
}

/** Arguments come as the entry's types say: `decodeArgument` has made numbers of the registers. */
export type Handler = (call: DoorCall, ...args: number[]) => Result

/** How a door answers one number. */
export interface DoorEntry {
  arguments: readonly ArgumentType[]
  handler: Handler
}
