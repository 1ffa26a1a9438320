import { Code } from '../../wasm/code.ts'
import { Op, Type } from '../../wasm/opcodes.ts'
import { CC_KINDS, EXPLICIT_OP, FlagWriter } from '../flags.ts'
import type { CcKind } from '../flags.ts'
import { ModeBit, SegmentField, State, TLB_ENTRIES, TLB_ENTRY_BYTES, TLB_SUPERVISOR, TLB_USER, TlbField } from '../state.ts'

/** Pushes where the entry for a linear address (a local) is in either TLB. */
export function tlbOffset(code: Code, address: number): void {
  code.get(address)
  code.i64Const(12)
  code.op(Op.i64_shr_u)
  code.op(Op.i32_wrap_i64)
  code.i32Const(TLB_ENTRIES - 1)
  code.op(Op.i32_and)
  code.i32Const(Math.log2(TLB_ENTRY_BYTES))
  code.op(Op.i32_shl)
}

/** Pushes where the TLB entry for a linear address (a local) and the current privilege is. */
export function tlbEntry(code: Code, address: number): void {
  tlbOffset(code, address)
  code.i32Const(TLB_USER)
  code.i32Const(TLB_SUPERVISOR)
  code.i32Const(0)
  code.memory(Op.i32_load, State.MODE)
  code.i32Const(ModeBit.USER)
  code.op(Op.i32_and)
  code.op(Op.select)
  code.op(Op.i32_add)
}

/** access(va, mode, size): host address, through the TLB of the current privilege, else `slow`. */
export function accessBody(slow: number): Code {
  const code = new Code()
  const [va, mode, size, entry, offset] = [0, 1, 2, 3, 4]
  tlbEntry(code, va)
  code.set(entry)
  code.get(va)
  code.get(entry)
  code.memory(Op.i64_load, TlbField.READ)
  code.get(entry)
  code.memory(Op.i64_load, TlbField.WRITE)
  code.get(mode)
  code.i32Const(3)
  code.op(Op.i32_and)
  code.op(Op.i32_eqz)
  code.op(Op.select)
  code.op(Op.i64_xor)
  code.tee(offset)
  code.i32Const(4096)
  code.get(size)
  code.op(Op.i32_sub)
  code.op(Op.i64_extend_i32_u)
  code.op(Op.i64_le_u)
  code.if(Type.i32)
  code.get(offset)
  code.op(Op.i32_wrap_i64)
  code.get(entry)
  code.memory(Op.i32_load, TlbField.HOST)
  code.op(Op.i32_add)
  code.else()
  code.i32Const(0)
  code.get(va)
  code.memory(Op.i64_store, State.SLOW_VA)
  code.get(mode)
  code.get(size)
  code.call(slow)
  code.end()
  return code
}

/** Makes the lazy flags of the state explicit, by a call of `flags`. */
export function makeFlagsExplicit(code: Code, flags: number): void {
  code.i32Const(0)
  code.call(flags)
  code.op(Op.i64_extend_i32_u)
  code.memory(Op.i64_store, State.CC_R)
  code.i32Const(0)
  code.i32Const(EXPLICIT_OP)
  code.memory(Op.i32_store, State.CC_OP)
}

/**
 * check(offset, segment, mode, size): whether a segment, by where its base is, allows an access outside 64-bit mode; else its fault waits.
 */
export function checkBody(segmentFault: number): Code {
  const code = new Code()
  const [offset, segment, mode, size] = [0, 1, 2, 3]
  code.get(offset)
  code.get(size)
  code.op(Op.i64_extend_i32_u)
  code.op(Op.i64_add)
  code.get(segment)
  code.memory(Op.i64_load, SegmentField.WRITE_END - SegmentField.BASE)
  code.get(segment)
  code.memory(Op.i64_load, SegmentField.READ_END - SegmentField.BASE)
  code.get(mode)
  code.i32Const(3)
  code.op(Op.i32_and)
  code.op(Op.select)
  code.op(Op.i64_le_u)
  code.if(Type.i32)
  code.i32Const(1)
  code.else()
  code.i32Const(0)
  code.get(offset)
  code.memory(Op.i64_store, State.SLOW_VA)
  code.get(segment)
  code.get(mode)
  code.get(size)
  code.call(segmentFault)
  code.end()
  return code
}

/** flags(): the six arithmetic flags of the lazy state at their RFLAGS positions. */
export function flagsBody(): Code {
  const code = new Code()
  const load = (offset: number): void => {
    code.i32Const(0)
    code.memory(Op.i64_load, offset)
  }
  const writer = new FlagWriter(code, { a: () => load(State.CC_A), b: () => load(State.CC_B), r: () => load(State.CC_R) })
  const count = CC_KINDS * 4
  for (let index = 0; index <= count; index++) code.block()
  code.i32Const(0)
  code.memory(Op.i32_load, State.CC_OP)
  code.brTable([...Array.from({ length: count }, (_, index) => code.depth - index), code.depth - count])
  for (let op = 0; op < count; op++) {
    code.end()
    writer.word((op >> 2) as CcKind, 1 << (op & 3))
    code.op(Op.return)
  }
  code.end()
  code.op(Op.unreachable)
  return code
}
