import { ValueType } from '../binary/opcodes.ts'
import type { FunctionType, ParsedModule } from '../binary/module.ts'

const { I32, I64, F32, F64, V128 } = ValueType

/** Functions that an instrumented module imports beside its own imports, from module `HELPERS`. */
export const HELPERS = 'atoll'

/** Values a module saves and restores, in the order of the helpers. */
const STORED = [I32, I64, F32, F64, V128] as const

export const helperFunctions: readonly { name: string; type: FunctionType }[] = [
  ...STORED.map((type) => ({ name: `push_${type}`, type: { params: [type], results: [] } })),
  ...STORED.map((type) => ({ name: `pop_${type}`, type: { params: [], results: [type] } })),
  /** The function whose frame is restored next. */
  { name: 'peek', type: { params: [], results: [I32] } },
  /** Throws: the stack limit was reached. */
  { name: 'overflow', type: { params: [], results: [] } },
  /** memory.grow. */
  { name: 'grow', type: { params: [I32], results: [I32] } },
]

/** What `state` holds. */
export const CallState = { RUNNING: 0, SUSPENDING: 1, RESUMING: 2 } as const

/** Exports of an instrumented module: globals, its memory, and functions as `f` and their index. */
export const Export = { FUEL: 'fuel', REFILL: 'refill', STATE: 'state', STACK: 'stack', MEMORY: 'memory' } as const

/** Where everything stands in an instrumented module: what was there keeps its number wherever that is possible. */
export class Layout {
  readonly module: ParsedModule
  /** Globals: units of fuel left, what it is set to when a call goes on, CallState, bytes of stack left. */
  readonly fuel: number
  readonly refill: number
  readonly state: number
  readonly stack: number
  /** A table of all functions by their old index, to call again what was suspended. */
  readonly ownTable: number
  /** Index of the first type that was added, and which helper has which. */
  readonly helperTypes: readonly FunctionType[]

  constructor(module: ParsedModule) {
    this.module = module
    this.fuel = module.globals.length
    this.refill = this.fuel + 1
    this.state = this.fuel + 2
    this.stack = this.fuel + 3
    this.ownTable = module.tables.length
    this.helperTypes = helperFunctions.map(({ type }) => type)
  }

  private helper(name: string): number {
    return this.module.imports.length + helperFunctions.findIndex((helper) => helper.name === name)
  }

  push(type: number): number {
    return this.helper(`push_${type}`)
  }
  pop(type: number): number {
    return this.helper(`pop_${type}`)
  }
  get peek(): number {
    return this.helper('peek')
  }
  get overflow(): number {
    return this.helper('overflow')
  }
  get grow(): number {
    return this.helper('grow')
  }

  /** The new index of a function. Whoever calls an imported function calls a wrapper that can be suspended; those come last. */
  renumber(index: number): number {
    const { imports, functions } = this.module
    return index < imports.length ? imports.length + helperFunctions.length + functions.length + index : index + helperFunctions.length
  }
}
