import { ByteWriter } from '../binary/bytes.ts'
import { Op, VOID, ValueType } from '../binary/opcodes.ts'

/** Writes code and counts the labels that are open in it. */
export class Emitter {
  readonly out = new ByteWriter()
  /** Labels open in the output. */
  depth: number

  constructor(depth: number) {
    this.depth = depth
  }

  op(...opcodes: number[]): this {
    this.out.u8(...opcodes)
    return this
  }
  raw(bytes: Uint8Array): this {
    this.out.raw(bytes)
    return this
  }
  get(variable: number): this {
    this.out.u8(Op.LOCAL_GET).u32(variable)
    return this
  }
  set(variable: number): this {
    this.out.u8(Op.LOCAL_SET).u32(variable)
    return this
  }
  tee(variable: number): this {
    this.out.u8(Op.LOCAL_TEE).u32(variable)
    return this
  }
  getGlobal(global: number): this {
    this.out.u8(Op.GLOBAL_GET).u32(global)
    return this
  }
  setGlobal(global: number): this {
    this.out.u8(Op.GLOBAL_SET).u32(global)
    return this
  }
  i32(value: number): this {
    this.out.u8(Op.I32_CONST).s32(value)
    return this
  }
  i64(value: number): this {
    this.out.u8(Op.I64_CONST).s64(BigInt(value))
    return this
  }
  call(index: number): this {
    this.out.u8(Op.CALL).u32(index)
    return this
  }

  /** Opens `count` blocks. */
  blocks(count: number): this {
    for (let index = 0; index < count; index++) this.out.u8(Op.BLOCK, VOID)
    this.depth += count
    return this
  }
  loop(): this {
    this.out.u8(Op.LOOP, VOID)
    this.depth++
    return this
  }
  if(): this {
    this.out.u8(Op.IF, VOID)
    this.depth++
    return this
  }
  end(): this {
    this.out.u8(Op.END)
    this.depth--
    return this
  }

  /** With BR, BR_IF: to the label that was the `index`th to be opened, from 1. */
  branch(opcode: number, index: number): this {
    this.out.u8(opcode).u32(this.depth - index)
    return this
  }

  /** Pushes a zero, or null, of that type. */
  zero(type: number): this {
    switch (type) {
      case ValueType.I32:
        return this.op(Op.I32_CONST, 0)
      case ValueType.I64:
        return this.op(Op.I64_CONST, 0)
      case ValueType.F32:
        return this.op(Op.F32_CONST, 0, 0, 0, 0)
      case ValueType.F64:
        return this.op(Op.F64_CONST, 0, 0, 0, 0, 0, 0, 0, 0)
      case ValueType.V128:
        return this.op(Op.SIMD, 12).raw(new Uint8Array(16))
      default:
        return this.op(Op.REF_NULL, type)
    }
  }
}

/** A signed LEB128 number in five bytes, for a value from 0 to 2^31 that is filled in later. */
export const padded = (value: number): number[] =>
  [0, 7, 14, 21, 28].map((shift) => ((value >>> shift) & 0x7f) | (shift === 28 ? 0 : 0x80))
