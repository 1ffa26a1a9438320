import { MiscOp, Op, Type } from './opcodes.ts'
import type { ValueType } from './opcodes.ts'

/** How many bits each natural load or store leaves for the alignment hint: none; V8 ignores it. */
const NO_ALIGNMENT = 0

/**
 * The body of one WebAssembly function while it is being written.
 *
 * Instructions are appended as bytes; `set` directly followed by `get` of the same local becomes a `tee`, so that code
 * written in terms of named values costs no more than code written for the stack.
 */
export class Code {
  bytes = new Uint8Array(1024)
  length = 0
  /** Position of a `local.set` that is the newest instruction, or -1. */
  private lastSet = -1
  private lastSetLocal = -1
  /** Number of structured blocks open. */
  depth = 0

  private reserve(count: number): void {
    if (this.length + count <= this.bytes.length) return
    const grown = new Uint8Array(Math.max(this.bytes.length * 2, this.length + count))
    grown.set(this.bytes.subarray(0, this.length))
    this.bytes = grown
  }

  clear(): void {
    this.length = 0
    this.lastSet = -1
    this.depth = 0
  }

  byte(value: number): void {
    if (this.length === this.bytes.length) this.reserve(1)
    this.bytes[this.length++] = value
  }

  /** Unsigned LEB128 of a number below 2^32. */
  u32(value: number): void {
    this.reserve(5)
    while (value > 0x7f) {
      this.bytes[this.length++] = (value & 0x7f) | 0x80
      value >>>= 7
    }
    this.bytes[this.length++] = value
  }

  /** Signed LEB128 of an integer that a double holds exactly. */
  private signed(value: number): void {
    this.reserve(10)
    for (;;) {
      const low = value - Math.floor(value / 128) * 128
      value = Math.floor(value / 128)
      if ((value === 0 && low < 0x40) || (value === -1 && low >= 0x40)) {
        this.bytes[this.length++] = low
        return
      }
      this.bytes[this.length++] = low | 0x80
    }
  }

  op(opcode: number): void {
    this.lastSet = -1
    this.byte(opcode)
  }

  misc(opcode: number): void {
    this.op(0xfc)
    this.u32(opcode)
    if (opcode === MiscOp.memory_copy) {
      this.byte(0)
      this.byte(0)
    } else if (opcode === MiscOp.memory_fill) this.byte(0)
  }

  simd(opcode: number): void {
    this.op(0xfd)
    this.u32(opcode)
  }

  simdLane(opcode: number, lane: number): void {
    this.simd(opcode)
    this.byte(lane)
  }

  simdMemory(opcode: number, offset: number): void {
    this.simd(opcode)
    this.byte(NO_ALIGNMENT)
    this.u32(offset)
  }

  /** i8x16.shuffle with sixteen lane numbers, 0–15 from the first operand, 16–31 from the second. */
  shuffle(lanes: readonly number[]): void {
    this.simd(13)
    for (const lane of lanes) this.byte(lane)
  }

  v128Const(bytes: readonly number[]): void {
    this.simd(12)
    for (const byte of bytes) this.byte(byte)
  }

  i32Const(value: number): void {
    this.op(Op.i32_const)
    this.signed(value | 0)
  }

  /** @param value an integer between -2^53 and 2^53. */
  i64Const(value: number): void {
    this.op(Op.i64_const)
    this.signed(value)
  }

  /** An i64 constant from its halves. */
  i64ConstHalves(low: number, high: number): void {
    const value = (high | 0) * 0x100000000 + (low >>> 0)
    if (Number.isSafeInteger(value)) {
      this.i64Const(value)
      return
    }
    this.op(Op.i64_const)
    this.reserve(10)
    let lo = low >>> 0
    let hi = high | 0
    for (let index = 0; index < 9; index++) {
      this.bytes[this.length++] = (lo & 0x7f) | 0x80
      lo = ((lo >>> 7) | (hi << 25)) >>> 0
      hi >>= 7
    }
    this.bytes[this.length++] = lo & 0x7f
  }

  get(local: number): void {
    if (this.lastSet >= 0 && this.lastSetLocal === local) {
      this.bytes[this.lastSet] = Op.local_tee
      this.lastSet = -1
      return
    }
    this.op(Op.local_get)
    this.u32(local)
  }

  set(local: number): void {
    const at = this.length
    this.op(Op.local_set)
    this.u32(local)
    this.lastSet = at
    this.lastSetLocal = local
  }

  tee(local: number): void {
    this.op(Op.local_tee)
    this.u32(local)
  }

  /** Load or store with a constant offset; the address is on the stack. */
  memory(opcode: number, offset = 0): void {
    this.op(opcode)
    this.byte(NO_ALIGNMENT)
    this.u32(offset)
  }

  block(type: number = Type.void): void {
    this.op(Op.block)
    this.byte(type)
    this.depth++
  }
  loop(): void {
    this.op(Op.loop)
    this.byte(Type.void)
    this.depth++
  }
  if(type: number = Type.void): void {
    this.op(Op.if)
    this.byte(type)
    this.depth++
  }
  else(): void {
    this.op(Op.else)
  }
  end(): void {
    this.op(Op.end)
    this.depth--
  }

  /** Branch to the block that was opened when `depth` was `label` (its depth just inside). */
  br(label: number): void {
    this.op(Op.br)
    this.u32(this.depth - label)
  }
  brIf(label: number): void {
    this.op(Op.br_if)
    this.u32(this.depth - label)
  }
  /** @param labels depths as for `br`, the last one the default. */
  brTable(labels: readonly number[]): void {
    this.op(Op.br_table)
    this.u32(labels.length - 1)
    for (const label of labels) this.u32(this.depth - label)
  }
  call(functionIndex: number): void {
    this.op(Op.call)
    this.u32(functionIndex)
  }
  /** Appends finished code. */
  append(part: Code): void {
    this.appendBytes(part.bytes.subarray(0, part.length))
  }
  appendBytes(bytes: Uint8Array): void {
    this.lastSet = -1
    this.reserve(bytes.length)
    this.bytes.set(bytes, this.length)
    this.length += bytes.length
  }
  callIndirect(typeIndex: number): void {
    this.op(Op.call_indirect)
    this.u32(typeIndex)
    this.byte(0)
  }
}

/** As many of one type, in a row. */
export interface LocalGroup {
  count: number
  type: ValueType
}

/** Locals as a function declares them. */
export function groupLocals(types: readonly ValueType[]): LocalGroup[] {
  const groups: LocalGroup[] = []
  for (const type of types) {
    const last = groups.at(-1)
    if (last?.type === type) last.count++
    else groups.push({ count: 1, type })
  }
  return groups
}

interface FunctionType {
  parameters: readonly ValueType[]
  results: readonly ValueType[]
}

/** Writes a WebAssembly binary module (core specification §5.5): imports, functions, an optional table, exports. */
export class ModuleWriter {
  private readonly types: FunctionType[] = []
  private readonly imports: { name: string; type: number }[] = []
  private readonly functions: { type: number; locals: readonly LocalGroup[]; body: Uint8Array }[] = []
  private readonly exports: { name: string; kind: number; index: number }[] = []
  private tableSize = -1
  private elements: { offset: number; functions: readonly number[] } | undefined

  type(parameters: readonly ValueType[], results: readonly ValueType[]): number {
    const key = JSON.stringify([parameters, results])
    const found = this.types.findIndex((type) => JSON.stringify([type.parameters, type.results]) === key)
    return found >= 0 ? found : this.types.push({ parameters, results }) - 1
  }

  /** Imports come before functions; returns the function index. */
  importFunction(name: string, parameters: readonly ValueType[], results: readonly ValueType[]): number {
    return this.imports.push({ name, type: this.type(parameters, results) }) - 1
  }

  /** Reserves an index; the body may be written later. */
  declare(parameters: readonly ValueType[], results: readonly ValueType[]): number {
    this.functions.push({ type: this.type(parameters, results), locals: [], body: new Uint8Array(0) })
    return this.imports.length + this.functions.length - 1
  }

  /** @param locals beyond the parameters, in order. The body's final `end` is added here. */
  define(index: number, locals: readonly LocalGroup[], code: Code): void {
    if (code.depth !== 0) throw new Error(`function ${index}: ${code.depth} blocks left open`)
    const entry = this.functions[index - this.imports.length]
    entry.locals = locals.filter((group) => group.count > 0)
    entry.body = code.bytes.slice(0, code.length)
  }

  exportFunction(name: string, index: number): void {
    this.exports.push({ name, kind: 0, index })
  }

  exportTable(name: string, size: number): void {
    this.tableSize = size
    this.exports.push({ name, kind: 1, index: 0 })
  }

  /** Puts functions into the table, from `offset` on. */
  fillTable(offset: number, functions: readonly number[]): void {
    this.elements = { offset, functions }
  }

  /** @param memoryPages the imported memory's minimum and maximum, in 64 KiB pages. */
  finish(memoryPages: number): Uint8Array<ArrayBuffer> {
    const out = new Code()
    for (const byte of [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]) out.byte(byte)
    const section = (id: number, write: (code: Code) => void): void => {
      const content = new Code()
      write(content)
      out.byte(id)
      out.u32(content.length)
      out.append(content)
    }
    const name = (code: Code, text: string): void => {
      code.u32(text.length)
      for (let index = 0; index < text.length; index++) code.byte(text.charCodeAt(index))
    }
    section(1, (code) => {
      code.u32(this.types.length)
      for (const type of this.types) {
        code.byte(0x60)
        code.u32(type.parameters.length)
        for (const parameter of type.parameters) code.byte(parameter)
        code.u32(type.results.length)
        for (const result of type.results) code.byte(result)
      }
    })
    section(2, (code) => {
      code.u32(this.imports.length + 1)
      for (const entry of this.imports) {
        name(code, 'e')
        name(code, entry.name)
        code.byte(0)
        code.u32(entry.type)
      }
      name(code, 'e')
      name(code, 'memory')
      code.byte(2)
      code.byte(0)
      code.u32(memoryPages)
    })
    section(3, (code) => {
      code.u32(this.functions.length)
      for (const entry of this.functions) code.u32(entry.type)
    })
    if (this.tableSize >= 0)
      section(4, (code) => {
        code.u32(1)
        code.byte(0x70)
        code.byte(0)
        code.u32(this.tableSize)
      })
    section(7, (code) => {
      code.u32(this.exports.length)
      for (const entry of this.exports) {
        name(code, entry.name)
        code.byte(entry.kind)
        code.u32(entry.index)
      }
    })
    const { elements } = this
    if (elements !== undefined)
      section(9, (code) => {
        code.u32(1)
        code.u32(0)
        code.i32Const(elements.offset)
        code.op(Op.end)
        code.u32(elements.functions.length)
        for (const index of elements.functions) code.u32(index)
      })
    section(10, (code) => {
      code.u32(this.functions.length)
      for (const entry of this.functions) {
        const head = new Code()
        head.u32(entry.locals.length)
        for (const group of entry.locals) {
          head.u32(group.count)
          head.byte(group.type)
        }
        code.u32(head.length + entry.body.length + 1)
        code.append(head)
        code.appendBytes(entry.body)
        code.byte(Op.end)
      }
    })
    return out.bytes.slice(0, out.length) as Uint8Array<ArrayBuffer>
  }
}
