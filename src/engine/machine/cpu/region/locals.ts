import { Code } from '../../wasm/code.ts'
import { Op, SimdOp, Type } from '../../wasm/opcodes.ts'
import type { ValueType } from '../../wasm/opcodes.ts'
import { State } from '../state.ts'

/** Locals of a region function. */
export const Local = {
  /** Parameter: the entry to go to, 0 once there. */
  ENTRY: 0,
  /** Instructions left. */
  LEFT: 1,
  /** Result: 1 when tier 0 must run the instruction at RIP before it looks for regions again. */
  SLOW: 2,
  CC_OP: 3,
  /** CF where the operation behind the flags is not known while translating. */
  CARRY: 4,
  POINTER: 5,
  ADDRESS32: 6,
  RIP: 7,
  CC_A: 8,
  CC_B: 9,
  CC_R: 10,
  ADDRESS: 11,
  OFFSET: 12,
} as const
/** Those that every region has; registers, groups and temporaries come as they are used. */
export const LOCALS: readonly ValueType[] = Object.values(Local).map((local) => (local < Local.RIP ? Type.i32 : Type.i64))
export const REGION_PARAMETERS = 1

/** By register. */
type Locals = ReadonlyMap<number, number>
/** The processor state that a region takes into locals and gives back. */
export function stateTransfer({ gprs, xmms }: { gprs: Locals; xmms: Locals }): { load: Code; store: Code } {
  const load = new Code()
  const store = new Code()
  const move = (local: number, offset: number, loadOp: number, storeOp: number): void => {
    load.i32Const(0)
    load.memory(loadOp, offset)
    load.set(local)
    store.i32Const(0)
    store.get(local)
    store.memory(storeOp, offset)
  }
  move(Local.LEFT, State.REMAINING, Op.i32_load, Op.i32_store)
  move(Local.CC_OP, State.CC_OP, Op.i32_load, Op.i32_store)
  move(Local.CC_A, State.CC_A, Op.i64_load, Op.i64_store)
  move(Local.CC_B, State.CC_B, Op.i64_load, Op.i64_store)
  move(Local.CC_R, State.CC_R, Op.i64_load, Op.i64_store)
  for (const [register, local] of gprs) move(local, State.GPR + register * 8, Op.i64_load, Op.i64_store)
  for (const [register, local] of xmms) {
    load.i32Const(0)
    load.simdMemory(SimdOp.v128_load, State.XMM + register * 16)
    load.set(local)
    store.i32Const(0)
    store.get(local)
    store.simdMemory(SimdOp.v128_store, State.XMM + register * 16)
  }
  // Tier 0 made the flags explicit where an entry asks for CF.
  load.get(Local.CC_R)
  load.op(Op.i32_wrap_i64)
  load.i32Const(1)
  load.op(Op.i32_and)
  load.set(Local.CARRY)
  store.i32Const(0)
  store.get(Local.RIP)
  store.memory(Op.i64_store, State.RIP)
  return { load, store }
}
