import type { Code } from '../../wasm/code.ts'
import { Op, Type } from '../../wasm/opcodes.ts'
import { allVariants } from '../decode.ts'
import type { Variant } from '../decode.ts'
import { AccessMode, BLOCK_HEADER_BYTES, RECORD_BYTES, RecordField, RecordFlag } from '../record.ts'
import { JUMP_CACHE, JUMP_ENTRIES, JUMP_ENTRY_BYTES, State, Vector } from '../state.ts'
import { makeFlagsExplicit } from './functions.ts'
import { Outcome, isInLoop } from './handlers.ts'
import { JumpField, NO_GENERATION, REGION_SLOTS, WRONG_CLASS } from './interface.ts'
import type { InterpreterEmit } from './interpreter-emit.ts'
import { Local } from './locals.ts'

const { PC, PTR, LEFT, SKIP_REGION, ENTRY, SCRATCH, RIP, EA } = Local

/** Indexes of the functions that the loop calls, and the type of a region's. */
export interface RunFunctions {
  access: number
  check: number
  flags: number
  deliver: number
  enter: number
  resolve: number
  hot: number
  regionType: number
  handlerType: number
}

/**
 * run(skipRegion): looks the block at RIP up, enters its region if it has one, else runs its records one by one until a block ends, the
 * count is used up or a stop is asked for.
 */
export function runBody(code: Code, emit: InterpreterEmit, functions: RunFunctions): void {
  const loadState32 = (offset: number): void => {
    code.i32Const(0)
    code.memory(Op.i32_load, offset)
  }
  const reload = (): void => {
    code.i32Const(0)
    code.memory(Op.i64_load, State.RIP)
    code.set(RIP)
  }
  const spill = (): void => {
    code.i32Const(0)
    code.get(RIP)
    code.memory(Op.i64_store, State.RIP)
    code.i32Const(0)
    code.get(LEFT)
    code.memory(Op.i32_store, State.REMAINING)
  }
  // Parameter 0: non-zero keeps out of translated code for the first block. It becomes PC afterwards.
  code.get(0)
  code.set(SKIP_REGION)
  reload()
  loadState32(State.REMAINING)
  code.set(LEFT)
  code.block()
  const exit = code.depth
  code.loop()
  const block = code.depth

  loadState32(State.STOP)
  code.brIf(exit)
  code.get(LEFT)
  code.op(Op.i32_eqz)
  code.brIf(exit)
  code.get(RIP)
  code.op(Op.i32_wrap_i64)
  code.get(RIP)
  code.i64Const(12)
  code.op(Op.i64_shr_u)
  code.op(Op.i32_wrap_i64)
  code.op(Op.i32_xor)
  code.i32Const(JUMP_ENTRIES - 1)
  code.op(Op.i32_and)
  code.i32Const(Math.log2(JUMP_ENTRY_BYTES))
  code.op(Op.i32_shl)
  code.i32Const(JUMP_CACHE)
  code.op(Op.i32_add)
  code.tee(ENTRY)
  code.memory(Op.i64_load, JumpField.ADDRESS)
  code.get(RIP)
  code.op(Op.i64_eq)
  code.get(ENTRY)
  code.memory(Op.i32_load, JumpField.GENERATION)
  loadState32(State.JUMP_GENERATION)
  code.op(Op.i32_eq)
  code.op(Op.i32_and)
  code.if()
  code.get(SKIP_REGION)
  code.op(Op.i32_eqz)
  code.get(ENTRY)
  code.memory(Op.i32_load, JumpField.REGION)
  code.tee(SCRATCH)
  code.i32Const(0)
  code.op(Op.i32_ne)
  code.op(Op.i32_and)
  code.if()
  spill()
  code.get(ENTRY)
  code.memory(Op.i32_load, JumpField.NEEDS_FLAGS)
  code.if()
  makeFlagsExplicit(code, functions.flags)
  code.end()
  code.get(ENTRY)
  code.memory(Op.i32_load, JumpField.ENTRY)
  code.get(SCRATCH)
  code.callIndirect(functions.regionType)
  code.tee(SKIP_REGION)
  code.i32Const(WRONG_CLASS)
  code.op(Op.i32_eq)
  code.if()
  code.get(ENTRY)
  code.i32Const(NO_GENERATION)
  code.memory(Op.i32_store, JumpField.GENERATION)
  code.i32Const(0)
  code.set(SKIP_REGION)
  code.end()
  reload()
  loadState32(State.REMAINING)
  code.set(LEFT)
  code.br(block)
  code.end()
  code.get(ENTRY)
  code.memory(Op.i32_load, JumpField.RECORD)
  code.set(PC)
  code.else()
  spill()
  code.call(functions.resolve)
  code.tee(PC)
  code.op(Op.i32_eqz)
  code.if()
  reload()
  loadState32(State.REMAINING)
  code.set(LEFT)
  code.br(block)
  code.end()
  code.end()
  code.i32Const(0)
  code.set(SKIP_REGION)
  // Count executions of the block.
  code.get(PC)
  code.i32Const(BLOCK_HEADER_BYTES)
  code.op(Op.i32_sub)
  code.tee(SCRATCH)
  code.get(SCRATCH)
  code.memory(Op.i32_load)
  code.i32Const(1)
  code.op(Op.i32_sub)
  code.tee(ENTRY)
  code.memory(Op.i32_store)
  code.get(ENTRY)
  code.op(Op.i32_eqz)
  code.if()
  spill()
  code.get(PC)
  code.call(functions.hot)
  code.end()

  code.block()
  const fault = code.depth
  code.loop()
  const instruction = code.depth
  code.block()
  const next = code.depth
  emit.labels = { fault, block, instruction, next }

  const variants = allVariants()
  const here = variants.filter(isInLoop)
  for (let index = 0; index < here.length + 2; index++) code.block()
  const innermost = code.depth
  const elsewhere = innermost - here.length
  code.get(LEFT)
  code.op(Op.i32_eqz)
  code.brIf(exit)
  code.get(LEFT)
  code.i32Const(1)
  code.op(Op.i32_sub)
  code.set(LEFT)
  spill()
  resolveOperand(code, functions, fault)
  code.get(PC)
  code.memory(Op.i32_load16_u, RecordField.HANDLER)
  const positions = new Map(here.map((variant, index) => [variant, index]))
  const label = (variant: Variant): number => {
    const position = positions.get(variant)
    return position === undefined ? elsewhere : innermost - position
  }
  code.brTable([...variants.map(label), elsewhere - 1])
  for (const variant of here) {
    code.end()
    emit.write(variant)
    // Handlers that always leave have made what follows unreachable.
    code.br(next)
  }
  code.end()
  for (const local of [PC, PTR, LEFT, RIP, EA]) code.get(local)
  code.get(PC)
  code.memory(Op.i32_load16_u, RecordField.HANDLER)
  code.i32Const(REGION_SLOTS)
  code.op(Op.i32_add)
  code.callIndirect(functions.handlerType)
  code.set(SCRATCH)
  loadState32(State.REMAINING)
  code.set(LEFT)
  code.get(SCRATCH)
  code.op(Op.i32_eqz)
  code.brIf(next)
  reload()
  for (const [outcome, to] of [[Outcome.BLOCK, block], [Outcome.INSTRUCTION, instruction]] as const) {
    code.get(SCRATCH)
    code.i32Const(outcome)
    code.op(Op.i32_eq)
    code.brIf(to)
  }
  code.br(fault)
  code.end()
  // The end record is no instruction.
  code.get(LEFT)
  code.i32Const(1)
  code.op(Op.i32_add)
  code.set(LEFT)
  code.br(block)

  code.end() // next
  code.get(RIP)
  code.get(PC)
  code.memory(Op.i64_load8_u, RecordField.LENGTH)
  code.op(Op.i64_add)
  code.set(RIP)
  code.get(PC)
  code.i32Const(RECORD_BYTES)
  code.op(Op.i32_add)
  code.set(PC)
  code.br(instruction)
  code.end() // instruction
  code.end() // fault
  // Delivery pushes them: TypeScript takes them from the state, which costs less than asking tier 0.
  makeFlagsExplicit(code, functions.flags)
  loadState32(State.FAULT_VECTOR)
  code.i32Const(Vector.PF)
  code.op(Op.i32_eq)
  code.if(Type.i32)
  code.i32Const(Vector.PF)
  code.get(RIP)
  code.i32Const(0)
  code.memory(Op.i64_load32_u, State.FAULT_ERROR)
  code.call(functions.enter)
  code.else()
  code.i32Const(0)
  code.end()
  code.if()
  code.i32Const(0)
  code.i32Const(-1)
  code.memory(Op.i32_store, State.FAULT_VECTOR)
  code.else()
  code.call(functions.deliver)
  code.end()
  reload()
  loadState32(State.REMAINING)
  code.set(LEFT)
  code.br(block)
  code.end() // block
  code.end() // exit
  spill()
}

/** Leaves in PTR where the r/m operand is: the register, or the memory operand after translation. */
function resolveOperand(code: Code, { access, check }: Pick<RunFunctions, 'access' | 'check'>, fault: number): void {
  const flag = (bit: number): void => {
    code.get(SCRATCH)
    code.i32Const(bit)
    code.op(Op.i32_and)
  }
  const wrap = (mask: number): void => {
    code.get(EA)
    code.i64Const(mask)
    code.op(Op.i64_and)
    code.set(EA)
  }
  code.get(PC)
  code.memory(Op.i32_load8_u, RecordField.FLAGS)
  code.tee(SCRATCH)
  code.if()
  for (const field of [RecordField.BASE, RecordField.INDEX]) {
    code.get(PC)
    code.memory(Op.i32_load, field)
    code.memory(Op.i64_load)
  }
  code.get(PC)
  code.memory(Op.i64_load8_u, RecordField.SCALE)
  code.op(Op.i64_shl)
  code.op(Op.i64_add)
  code.get(PC)
  code.memory(Op.i64_load, RecordField.DISPLACEMENT)
  code.op(Op.i64_add)
  code.set(EA)
  flag(RecordFlag.ADDRESS32)
  code.if()
  wrap(0xffffffff)
  code.end()
  flag(RecordFlag.LINEAR32)
  code.if()
  flag(RecordFlag.ADDRESS32)
  code.op(Op.i32_eqz)
  code.if()
  wrap(0xffff)
  code.end()
  flag(RecordFlag.CHECKED)
  code.if()
  code.get(EA)
  code.get(PC)
  code.memory(Op.i32_load, RecordField.SEGMENT)
  code.get(SCRATCH)
  code.i32Const(RecordFlag.ACCESS_SHIFT)
  code.op(Op.i32_shr_u)
  code.get(PC)
  code.memory(Op.i32_load8_u, RecordField.MEMORY_SIZE)
  code.call(check)
  code.op(Op.i32_eqz)
  code.brIf(fault)
  code.end()
  code.end()
  code.get(EA)
  code.get(PC)
  code.memory(Op.i32_load, RecordField.SEGMENT)
  code.memory(Op.i64_load)
  code.op(Op.i64_add)
  code.set(EA)
  flag(RecordFlag.LINEAR32)
  code.if()
  wrap(0xffffffff)
  code.end()
  flag(RecordFlag.ALIGNED)
  code.if()
  code.get(EA)
  code.op(Op.i32_wrap_i64)
  code.i32Const(15)
  code.op(Op.i32_and)
  code.if()
  for (const [offset, value] of [[State.FAULT_VECTOR, Vector.GP], [State.FAULT_ERROR, 0]] as const) {
    code.i32Const(0)
    code.i32Const(value)
    code.memory(Op.i32_store, offset)
  }
  code.br(fault)
  code.end()
  code.end()
  code.get(SCRATCH)
  code.i32Const(RecordFlag.ACCESS_SHIFT)
  code.op(Op.i32_shr_u)
  code.i32Const(3 | AccessMode.STACK)
  code.op(Op.i32_and)
  code.tee(SCRATCH)
  code.i32Const(AccessMode.ADDRESS)
  code.op(Op.i32_ne)
  code.if()
  code.get(EA)
  code.get(SCRATCH)
  code.get(PC)
  code.memory(Op.i32_load8_u, RecordField.MEMORY_SIZE)
  code.call(access)
  code.tee(PTR)
  code.op(Op.i32_eqz)
  code.brIf(fault)
  code.end()
  code.else()
  code.get(PC)
  code.memory(Op.i32_load, RecordField.RM)
  code.set(PTR)
  code.end()
}
