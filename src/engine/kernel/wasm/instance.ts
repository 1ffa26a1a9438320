import { Wait } from '../process/wait.ts'
import { ValueType } from './binary/opcodes.ts'
import { typeOfFunction } from './binary/module.ts'
import type { FunctionType } from './binary/module.ts'
import type { CompiledModule } from './compile.ts'
import type { FrameStack } from './instrument/frame-stack.ts'
import { CallState, Export, HELPERS } from './instrument/layout.ts'
import { WASM_PAGE_BYTES, WasmLimit } from './limits.ts'

export type WasmValue = number | bigint

/** What the kernel offers modules to import. Returns the result, or what it waits for: it is called again then. */
export type HostFunction = (instance: WasmInstance, ...args: WasmValue[]) => WasmValue | void | Wait

/** Thrown by a host function to end the call: nothing in a module can catch it. */
export class WasmExit extends Error {
  readonly status: number

  constructor(status: number) {
    super(`exit with status ${status}`)
    this.name = 'WasmExit'
    this.status = status
  }
}

class StackOverflow extends Error {}

export type CallOutcome =
  | { kind: 'done'; results: WasmValue[] }
  /** The fuel is used up. */
  | { kind: 'suspended' }
  | { kind: 'waiting'; wait: Wait }
  | { kind: 'trap'; reason: string }
  /** The stack limit was reached. */
  | { kind: 'overflow' }
  | { kind: 'exit'; status: number }

/** The engine's sentences for traps, recognised by a word, and ours, which are the specification's (core, A.6). */
const TRAPS: readonly [RegExp, string][] = [
  [/unreachable/i, 'unreachable'],
  [/divide by zero|division by zero|remainder by zero/i, 'integer divide by zero'],
  [/unrepresentable in integer|float.*range/i, 'invalid conversion to integer'],
  [/unrepresentable|overflow/i, 'integer overflow'],
  [/memory access|memory index/i, 'out of bounds memory access'],
  [/table index|table access|table element|element segment|out of bounds/i, 'out of bounds table access'],
  [/null function|signature|indirect call/i, 'indirect call of nothing or of another type'],
]

const trapReason = (message: string): string => TRAPS.find(([pattern]) => pattern.test(message))?.[1] ?? 'trap'

/** Negative enough that no loop head on the way to the place of resumption finds fuel. */
const FUEL_WHILE_RESUMING = -(2n ** 60n)

interface Globals {
  fuel: WebAssembly.Global<'i64'>
  refill: WebAssembly.Global<'i64'>
  state: WebAssembly.Global<'i32'>
  stack: WebAssembly.Global<'i32'>
}

/** A call that has begun and not ended. */
interface Pending {
  index: number
  args: WasmValue[]
  /** Its frames, between two runs; null before the first. */
  frames: Uint8Array | null
}

export interface InstanceOptions {
  imports: (module: string, name: string) => HostFunction | undefined
  /** Asked before the memory grows by so many pages. */
  mayGrow: (pages: number) => boolean
  /** The host had no memory for pages that it might grow by. */
  notGrown: (pages: number) => void
  /** So many units of fuel were burned. Called before each host function, so that it sees the time that has passed. */
  burned: (units: number) => void
}

/**
 * A module with its memory, and at most one call that is under way. A call is run in portions of fuel; between two portions all that
 * it needs is here: the memory, the globals and tables of the engine's instance, and the frames as bytes.
 */
export class WasmInstance {
  readonly compiled: CompiledModule
  private readonly stack: FrameStack
  private readonly options: InstanceOptions
  private readonly exports: WebAssembly.Exports
  private readonly globals: Globals
  private pending: Pending | null = null
  private wait: Wait | null = null
  /** Of the portion being run, and what of it `burned` has heard of. */
  private portionFuel = 0
  private accountedFuel = 0

  /**
   * Throws WebAssembly.LinkError when a segment does not fit, RangeError when the host has no memory for it.
   * The module's start function is not called.
   */
  constructor(compiled: CompiledModule, stack: FrameStack, options: InstanceOptions) {
    this.compiled = compiled
    this.stack = stack
    this.options = options
    const imports: WebAssembly.Imports = { [HELPERS]: { ...stack.functions, ...this.helpers() } }
    for (const { module, name, type } of compiled.parsed.imports) {
      const host = options.imports(module, name)
      if (host === undefined) throw new Error(`import "${module}" "${name}" was not checked before`)
      imports[module] = { ...imports[module], [name]: this.adapt(host, compiled.parsed.types[type]) }
    }
    this.exports = new WebAssembly.Instance(compiled.module, imports).exports
    const { [Export.FUEL]: fuel, [Export.REFILL]: refill, [Export.STATE]: state, [Export.STACK]: size } = this.exports
    this.globals = { fuel, refill, state, stack: size } as unknown as Globals
  }

  private helpers(): WebAssembly.ModuleImports {
    return {
      overflow: () => {
        throw new StackOverflow()
      },
      grow: (pages: number) => this.grow(pages >>> 0),
    }
  }

  private adapt(host: HostFunction, { results }: FunctionType): (...args: WasmValue[]) => WasmValue | undefined {
    const nothing = results.length === 0 ? undefined : results[0] === ValueType.I64 ? 0n : 0
    return (...args) => {
      this.account()
      const result = host(this, ...args)
      if (!(result instanceof Wait)) return result ?? nothing
      this.wait = result
      this.globals.state.value = CallState.SUSPENDING
      return nothing
    }
  }

  /** Null for a module without. Every call of `grow` may replace the buffer behind it. */
  get memory(): Uint8Array | null {
    const memory = this.exports[Export.MEMORY] as WebAssembly.Memory | undefined
    return memory === undefined ? null : new Uint8Array(memory.buffer)
  }

  get pages(): number {
    return (this.memory?.length ?? 0) / WASM_PAGE_BYTES
  }

  private grow(pages: number): number {
    const before = this.pages
    const max = Math.min(this.compiled.parsed.memory?.max ?? WasmLimit.MEMORY_PAGES, WasmLimit.MEMORY_PAGES)
    if (pages === 0) return before
    if (!this.options.mayGrow(before + pages > max ? Infinity : pages)) return -1
    try {
      ;(this.exports[Export.MEMORY] as WebAssembly.Memory).grow(pages)
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      this.options.notGrown(pages)
      return -1
    }
    return before
  }

  /** A call is under way. */
  get isBusy(): boolean {
    return this.pending !== null
  }

  /** Begins to call a function by its index in the module. Nothing runs before `run`. */
  begin(index: number, args: WasmValue[]): void {
    if (this.pending !== null) throw new Error('a module runs one call at a time')
    this.pending = { index, args, frames: null }
    this.globals.stack.value = WasmLimit.STACK_BYTES
  }

  /** Gives up the call that is under way. */
  abandon(): void {
    this.pending = null
    this.stack.clear()
    this.globals.state.value = CallState.RUNNING
  }

  private account(): void {
    const used = this.portionFuel - Number(this.globals.fuel.value)
    this.options.burned(used - this.accountedFuel)
    this.accountedFuel = used
  }

  /** Runs the call that has begun with at most `fuel` units, or a few more up to the next check. */
  run(fuel: number): CallOutcome {
    const { pending, globals, stack } = this
    if (pending === null) throw new Error('no call has begun')
    globals.refill.value = BigInt(fuel)
    globals.fuel.value = pending.frames === null ? BigInt(fuel) : FUEL_WHILE_RESUMING
    globals.state.value = pending.frames === null ? CallState.RUNNING : CallState.RESUMING
    this.wait = null
    this.portionFuel = fuel
    this.accountedFuel = 0
    if (pending.frames !== null) stack.put(pending.frames)
    const outcome = this.invoke(pending)
    this.account()
    if (outcome.kind !== 'suspended' && outcome.kind !== 'waiting') this.abandon()
    return outcome
  }

  private invoke(pending: Pending): CallOutcome {
    const { index, args } = pending
    let returned: unknown
    try {
      returned = (this.exports[`f${index}`] as (...values: WasmValue[]) => unknown)(...args)
    } catch (error) {
      if (error instanceof WasmExit) return { kind: 'exit', status: error.status }
      if (error instanceof StackOverflow || isHostStackOverflow(error)) return { kind: 'overflow' }
      if (error instanceof WebAssembly.RuntimeError) return { kind: 'trap', reason: trapReason(error.message) }
      throw error
    }
    const isSuspended = this.globals.state.value === CallState.SUSPENDING
    if (isSuspended) {
      pending.frames = this.stack.take()
      return this.wait === null ? { kind: 'suspended' } : { kind: 'waiting', wait: this.wait }
    }
    if (!this.stack.isEmpty) throw new Error('frames are left on the stack of a call that has ended')
    const { results } = typeOfFunction(this.compiled.parsed, index)
    if (results.length === 0) return { kind: 'done', results: [] }
    return { kind: 'done', results: (results.length === 1 ? [returned] : returned) as WasmValue[] }
  }
}

/** The stack limit keeps calls far away from the engine's own; should a host have a smaller stack, it is the same to the module. */
const isHostStackOverflow = (error: unknown): boolean => error instanceof RangeError && /call stack/i.test(error.message)
