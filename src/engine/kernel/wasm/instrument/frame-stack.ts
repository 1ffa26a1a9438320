import { ByteWriter } from '../binary/bytes.ts'
import { ExternalKind, SectionId } from '../binary/module.ts'
import { Op, ValueType } from '../binary/opcodes.ts'
import { WASM_PAGE_BYTES, WasmLimit } from '../limits.ts'
import { WORD_BYTES, storedBytes } from './frame.ts'
import { helperFunctions } from './layout.ts'

/** Load and store of each type that frames hold, and the alignment they are told. */
const access: Record<number, { load: number[]; store: number[]; alignment: number }> = {
  [ValueType.I32]: { load: [0x28], store: [0x36], alignment: 2 },
  [ValueType.I64]: { load: [0x29], store: [0x37], alignment: 3 },
  [ValueType.F32]: { load: [0x2a], store: [0x38], alignment: 2 },
  [ValueType.F64]: { load: [0x2b], store: [0x39], alignment: 3 },
  [ValueType.V128]: { load: [Op.SIMD, 0], store: [Op.SIMD, 11], alignment: 3 },
}
/** One page beyond the stack limit: the frame of the kernel's call on top is not counted in it. */
const PAGES = WasmLimit.STACK_BYTES / WASM_PAGE_BYTES + 1
const POINTER = 0

/** A small module of our own that holds frames: its memory is the stack, its one global the bytes in use. */
function frameStackModule(): Uint8Array {
  const out = new ByteWriter().u8(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0)
  const section = (id: number, count: number, write: (contents: ByteWriter) => void): void => {
    const contents = new ByteWriter().u32(count)
    write(contents)
    out.section(id, contents)
  }
  const functions = helperFunctions.filter(({ name }) => /^(push|pop|peek)/.test(name))
  section(SectionId.TYPE, functions.length, (types) => {
    for (const { type } of functions) types.u8(0x60).u32(type.params.length).u8(...type.params).u32(type.results.length).u8(...type.results)
  })
  section(SectionId.FUNCTION, functions.length, (indices) => functions.forEach((_, index) => indices.u32(index)))
  section(SectionId.MEMORY, 1, (memory) => memory.u8(1).u32(PAGES).u32(PAGES))
  section(SectionId.GLOBAL, 1, (globals) => globals.u8(ValueType.I32, 1, Op.I32_CONST, 0, Op.END))
  section(SectionId.EXPORT, functions.length + 2, (exports) => {
    functions.forEach(({ name }, index) => exports.name(name).u8(ExternalKind.FUNCTION).u32(index))
    exports.name('memory').u8(ExternalKind.MEMORY).u32(0).name('used').u8(ExternalKind.GLOBAL).u32(POINTER)
  })
  section(SectionId.CODE, functions.length, (bodies) => {
    for (const { name, type } of functions) {
      const body = new ByteWriter().u32(0)
      const move = (opcode: number, bytes: number): ByteWriter =>
        body.u8(Op.GLOBAL_GET, POINTER, Op.I32_CONST).s32(bytes).u8(opcode, Op.GLOBAL_SET, POINTER)
      const [pushed] = type.params
      const [popped] = type.results
      if (name === 'peek') body.u8(Op.GLOBAL_GET, POINTER, Op.I32_CONST).s32(WORD_BYTES).u8(Op.I32_SUB, ...access[popped].load, 2, 0)
      else if (pushed !== undefined) {
        const { store, alignment } = access[pushed]
        body.u8(Op.GLOBAL_GET, POINTER, Op.LOCAL_GET, 0, ...store, alignment, 0)
        move(Op.I32_ADD, storedBytes(pushed))
      } else {
        const { load, alignment } = access[popped]
        move(Op.I32_SUB, storedBytes(popped)).u8(Op.GLOBAL_GET, POINTER, ...load, alignment, 0)
      }
      body.u8(Op.END)
      bodies.u32(body.length).raw(body.bytes)
    }
  })
  return out.bytes
}

/** Where instrumented modules put their frames when they are suspended, and get them from when they are resumed. */
export class FrameStack {
  /** Imports of an instrumented module. */
  readonly functions: WebAssembly.ModuleImports
  private readonly memory: WebAssembly.Memory
  private readonly used: WebAssembly.Global

  constructor() {
    const { memory, used, ...functions } = new WebAssembly.Instance(new WebAssembly.Module(frameStackModule() as BufferSource)).exports
    this.memory = memory as WebAssembly.Memory
    this.used = used as WebAssembly.Global
    this.functions = functions as WebAssembly.ModuleImports
  }

  /** Takes out what a suspended call has left. */
  take(): Uint8Array {
    const frames = new Uint8Array(this.memory.buffer, 0, this.used.value as number).slice()
    this.used.value = 0
    return frames
  }

  /** Puts a suspended call's frames back for it to be resumed. */
  put(frames: Uint8Array): void {
    new Uint8Array(this.memory.buffer).set(frames)
    this.used.value = frames.length
  }

  /** Whether every frame was restored. */
  get isEmpty(): boolean {
    return this.used.value === 0
  }

  clear(): void {
    this.used.value = 0
  }
}
