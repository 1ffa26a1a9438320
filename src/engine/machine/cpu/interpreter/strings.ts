import { Code } from '../../wasm/code.ts'
import { MiscOp, Op } from '../../wasm/opcodes.ts'
import { Gpr, State, TlbField } from '../state.ts'
import { tlbEntry } from './functions.ts'

/**
 * REP MOVS and REP STOS forwards in 64-bit mode, many elements at once: as many as the counts allow and the pages hold, all but the last,
 * which is left for the ordinary way. Both answer how many elements, each of which counts as an instruction; 0 whenever there is
 * anything in the way. They change RCX, RSI and RDI.
 */

const gpr = (register: number): number => State.GPR + register * 8

/** `n` = min(`n`, RCX - 1); RCX is not 0. */
function limitByCounter(code: Code, n: number, scratch: number): void {
  code.i32Const(0)
  code.memory(Op.i64_load, gpr(Gpr.RCX))
  code.i64Const(1)
  code.op(Op.i64_sub)
  code.tee(scratch)
  code.get(n)
  code.op(Op.i64_extend_i32_u)
  code.op(Op.i64_lt_u)
  code.if()
  code.get(scratch)
  code.op(Op.i32_wrap_i64)
  code.set(n)
  code.end()
}

/** `n` = min(`n`, whole elements from `address` to the end of its page). */
function limitByPage(code: Code, n: number, address: number, shift: number, scratch: number): void {
  code.i32Const(4096)
  code.get(address)
  code.op(Op.i32_wrap_i64)
  code.i32Const(4095)
  code.op(Op.i32_and)
  code.op(Op.i32_sub)
  code.get(shift)
  code.op(Op.i32_shr_u)
  code.tee(scratch)
  code.get(n)
  code.op(Op.i32_lt_u)
  code.if()
  code.get(scratch)
  code.set(n)
  code.end()
}

/** Answers 0 when the i32 on the stack is not. */
function giveUpIf(code: Code): void {
  code.if()
  code.i32Const(0)
  code.op(Op.return)
  code.end()
}

/** `host` = where `address` is; gives up when the TLB does not have it. */
function lookUp(code: Code, { address, host, entry, tag }: { address: number; host: number; entry: number; tag: number }): void {
  tlbEntry(code, address)
  code.set(entry)
  code.get(address)
  code.get(entry)
  code.memory(Op.i64_load, tag)
  code.op(Op.i64_xor)
  code.i64Const(4095)
  code.op(Op.i64_gt_u)
  giveUpIf(code)
  code.get(address)
  code.op(Op.i32_wrap_i64)
  code.i32Const(4095)
  code.op(Op.i32_and)
  code.get(entry)
  code.memory(Op.i32_load, TlbField.HOST)
  code.op(Op.i32_add)
  code.set(host)
}

function addTo(code: Code, register: number, push: () => void): void {
  code.i32Const(0)
  code.i32Const(0)
  code.memory(Op.i64_load, gpr(register))
  push()
  code.op(Op.i64_add)
  code.memory(Op.i64_store, gpr(register))
}

function finish(code: Code, n: number, bytes: number, pointers: readonly number[]): void {
  for (const register of pointers)
    addTo(code, register, () => {
      code.get(bytes)
      code.op(Op.i64_extend_i32_u)
    })
  addTo(code, Gpr.RCX, () => {
    code.i64Const(0)
    code.get(n)
    code.op(Op.i64_extend_i32_u)
    code.op(Op.i64_sub)
  })
  code.get(n)
}

interface Locals {
  n: number
  shift: number
  bytes: number
  scratch: number
  wide: number
}

/** `n` and `bytes` = what can be done at once; gives up when that is nothing. */
function limits(code: Code, addresses: readonly number[], { n, shift, bytes, scratch, wide }: Locals): void {
  limitByCounter(code, n, wide)
  for (const address of addresses) limitByPage(code, n, address, shift, scratch)
  code.get(n)
  code.op(Op.i32_eqz)
  giveUpIf(code)
  code.get(n)
  code.get(shift)
  code.op(Op.i32_shl)
  code.set(bytes)
}

/** Locals of `copy` and `fill` behind their parameters: how many of i32 and i64. */
export const STRING_LOCALS = { i32: 4, i64: 1 } as const

/** copy(source i64, destination i64, log2 of the element's bytes, most elements) → elements. */
export function copyBody(): Code {
  const code = new Code()
  const [source, destination, shift, n, from, to, scratch, bytes, wide] = [0, 1, 2, 3, 4, 5, 6, 7, 8]
  limits(code, [source, destination], { n, shift, scratch, wide, bytes })
  lookUp(code, { address: source, host: from, entry: scratch, tag: TlbField.READ })
  lookUp(code, { address: destination, host: to, entry: scratch, tag: TlbField.WRITE })
  // A destination that begins within the source repeats what it has just written.
  code.get(to)
  code.get(from)
  code.op(Op.i32_sub)
  code.get(bytes)
  code.op(Op.i32_lt_u)
  giveUpIf(code)
  code.get(to)
  code.get(from)
  code.get(bytes)
  code.misc(MiscOp.memory_copy)
  finish(code, n, bytes, [Gpr.RSI, Gpr.RDI])
  return code
}

/** fill(destination i64, log2 of the element's bytes, most elements) → elements, each the low bytes of RAX. */
export function fillBody(): Code {
  const code = new Code()
  const [destination, shift, n, to, end, scratch, bytes, wide] = [0, 1, 2, 3, 4, 5, 6, 7]
  limits(code, [destination], { n, shift, scratch, wide, bytes })
  lookUp(code, { address: destination, host: to, entry: scratch, tag: TlbField.WRITE })
  repeatedElement(code, shift, wide)
  code.get(to)
  code.get(bytes)
  code.op(Op.i32_add)
  code.set(end)
  code.get(wide)
  code.get(wide)
  code.i64Const(8)
  code.op(Op.i64_rotl)
  code.op(Op.i64_eq)
  code.if()
  code.get(to)
  code.get(wide)
  code.op(Op.i32_wrap_i64)
  code.get(bytes)
  code.misc(MiscOp.memory_fill)
  code.else()
  storeWhile(code, { to, end, wide }, 8)
  storeWhile(code, { to, end, wide }, 4)
  storeWhile(code, { to, end, wide }, 2)
  code.end()
  finish(code, n, bytes, [Gpr.RDI])
  return code
}

/** `wide` = eight bytes of RAX's lowest element again and again. */
function repeatedElement(code: Code, shift: number, wide: number): void {
  code.i32Const(0)
  code.memory(Op.i64_load, gpr(Gpr.RAX))
  code.set(wide)
  for (const [log2, mask, half] of [[0, 0xff, 0x01010101], [1, 0xffff, 0x00010001], [2, 0xffffffff, 1]] as const) {
    code.get(shift)
    code.i32Const(log2)
    code.op(Op.i32_eq)
    code.if()
    code.get(wide)
    code.i64Const(mask)
    code.op(Op.i64_and)
    code.i64ConstHalves(half, half)
    code.op(Op.i64_mul)
    code.set(wide)
    code.end()
  }
}

/** Stores `size` bytes of `wide` at `to` and goes on behind them while as many are left. */
function storeWhile(code: Code, { to, end, wide }: { to: number; end: number; wide: number }, size: 8 | 4 | 2): void {
  code.block()
  const done = code.depth
  code.loop()
  const again = code.depth
  code.get(end)
  code.get(to)
  code.op(Op.i32_sub)
  code.i32Const(size)
  code.op(Op.i32_lt_u)
  code.brIf(done)
  code.get(to)
  code.get(wide)
  code.memory(size === 8 ? Op.i64_store : size === 4 ? Op.i64_store32 : Op.i64_store16)
  code.get(to)
  code.i32Const(size)
  code.op(Op.i32_add)
  code.set(to)
  code.br(again)
  code.end()
  code.end()
}
