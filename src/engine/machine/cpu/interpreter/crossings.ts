import { Code } from '../../wasm/code.ts'
import { Op, Type } from '../../wasm/opcodes.ts'
import { EXPLICIT_OP } from '../flags.ts'
import { STATUS_OFFSET, Status } from '../fpu/registers.ts'
import {
  ARITHMETIC_FLAGS, Activity, DR7, DR7_ENABLES, LAST_WINDOWS, ModeBit, Rflag, SEGMENT_BYTES, SegmentAttribute, SegmentField, SegmentIndex,
  State, TLB_SUPERVISOR, TLB_USER, TlbField, WINDOW_SLOT_BYTES, WindowSlotField,
} from '../state.ts'
import { tlbOffset } from './functions.ts'
import { KEPT_FLAGS } from '../system/rflags.ts'
import { Descriptor, NULL_STACK_ATTRIBUTES } from '../system/segments.ts'

/**
 * The ways into a handler and back out of it that kernels take all the time, in 64-bit mode: INT n, a page fault and IRETQ where every
 * table is in the TLB, every descriptor is plain and nothing is at odds. All else, and every fault, is for system/exceptions.ts and
 * system/transfers.ts, which say what these instructions are: here nothing has changed when the answer is 0.
 */

const RSP = State.GPR + 4 * 8
const GATE_BYTES = 16
const FRAME_BYTES = 40
/** What a gate must and must not have: present, no task switch, a 64-bit interrupt or trap gate, no stack of its own (IST). */
const GATE_MASK = Descriptor.P | 0x1e00 | 7
const GATE = Descriptor.P | 0x0e00
const GATE_IS_TRAP = 0x100
const CODE_MASK =
  Descriptor.S | Descriptor.CODE | Descriptor.CONFORMING | Descriptor.P | Descriptor.L | Descriptor.DB | Descriptor.ACCESSED
const CODE64 = Descriptor.S | Descriptor.CODE | Descriptor.P | Descriptor.L | Descriptor.ACCESSED
/** Of a data segment. */
const EXPANDS_DOWN = Descriptor.CONFORMING
const DATA_MASK = Descriptor.S | Descriptor.CODE | EXPANDS_DOWN | Descriptor.P | Descriptor.WRITABLE | Descriptor.ACCESSED
const DATA = Descriptor.S | Descriptor.P | Descriptor.WRITABLE | Descriptor.ACCESSED
const DPL_SHIFT = 13
/** Flags that make the next instruction special. */
const SINGULAR = Rflag.TF | Rflag.RF | Rflag.VM

const segment = (index: number, field: number): number => State.SEGMENTS + index * SEGMENT_BYTES + field

/** find(va i64, table i32, bytes i32) → where it is in this memory, 0 when neither the TLB (`table`) nor its last window does. */
export function findBody(tag: number): Code {
  const code = new Code()
  const [va, table, bytes, entry, offset] = [0, 1, 2, 3, 4]
  tlbOffset(code, va)
  code.get(table)
  code.op(Op.i32_add)
  code.tee(entry)
  code.memory(Op.i64_load, tag)
  code.get(va)
  code.op(Op.i64_xor)
  code.tee(offset)
  code.i32Const(4096)
  code.get(bytes)
  code.op(Op.i32_sub)
  code.op(Op.i64_extend_i32_u)
  code.op(Op.i64_le_u)
  code.if()
  code.get(offset)
  code.op(Op.i32_wrap_i64)
  code.get(entry)
  code.memory(Op.i32_load, TlbField.HOST)
  code.op(Op.i32_add)
  code.op(Op.return)
  code.end()
  code.get(table)
  code.i32Const(TLB_USER)
  code.op(Op.i32_eq)
  code.i32Const(2 * WINDOW_SLOT_BYTES)
  code.op(Op.i32_mul)
  code.i32Const(LAST_WINDOWS + (tag === TlbField.WRITE ? WINDOW_SLOT_BYTES : 0))
  code.op(Op.i32_add)
  code.set(entry)
  code.get(va)
  code.get(entry)
  code.memory(Op.i64_load, WindowSlotField.BASE)
  code.op(Op.i64_sub)
  // In halves, so that the difference may be negative and the distance is not.
  code.i64Const(1)
  code.op(Op.i64_shr_u)
  code.get(entry)
  code.memory(Op.i64_load, WindowSlotField.BYTES)
  code.get(bytes)
  code.op(Op.i64_extend_i32_u)
  code.op(Op.i64_sub)
  code.i64Const(1)
  code.op(Op.i64_shr_s)
  code.op(Op.i64_lt_s)
  code.if(Type.i32)
  code.get(va)
  code.op(Op.i32_wrap_i64)
  code.get(entry)
  code.memory(Op.i32_load, WindowSlotField.DELTA)
  code.op(Op.i32_add)
  code.else()
  code.i32Const(0)
  code.end()
  return code
}

export interface CrossingFunctions {
  findRead: number
  findWrite: number
  /** IF has become 1. */
  interruptible: number
}

type Push = () => void

/** A function that gives up (answers 0) or answers 1, and the pieces that both crossings are made of. */
class Crossing {
  readonly code = new Code()
  private readonly functions: CrossingFunctions
  private readonly slow: number

  constructor(functions: CrossingFunctions) {
    this.functions = functions
    this.code.block()
    this.slow = this.code.depth
  }

  finish(): Code {
    this.code.i32Const(1)
    this.code.op(Op.return)
    this.code.end()
    this.code.i32Const(0)
    return this.code
  }

  load(op: number, offset: number): void {
    this.code.i32Const(0)
    this.code.memory(op, offset)
  }
  store(op: number, offset: number, value: Push): void {
    this.code.i32Const(0)
    value()
    this.code.memory(op, offset)
  }
  /** Gives up when the i32 on the stack is not 0. */
  unless(): void {
    this.code.brIf(this.slow)
  }
  /** Gives up unless all of `mask` in the i32 on the stack is `value`. */
  expect(mask: number, value: number): void {
    this.code.i32Const(mask)
    this.code.op(Op.i32_and)
    this.code.i32Const(value)
    this.code.op(Op.i32_ne)
    this.unless()
  }
  /** Gives up outside 64-bit mode, and while a breakpoint is on: then RF matters, and traps may wait. */
  expectPlain(): void {
    this.load(Op.i32_load, State.MODE)
    this.expect(ModeBit.LONG, ModeBit.LONG)
    this.load(Op.i32_load, DR7)
    this.expect(DR7_ENABLES, 0)
  }
  /** Gives up when the address in a local is not canonical. */
  expectCanonical(address: number): void {
    const { code } = this
    code.get(address)
    code.i64Const(16)
    code.op(Op.i64_shl)
    code.i64Const(16)
    code.op(Op.i64_shr_s)
    code.get(address)
    code.op(Op.i64_ne)
    this.unless()
  }
  /** `host` = where the address on the stack is, for the table that `table` pushes. */
  find(host: number, table: Push, bytes: number | Push, write = false): void {
    const { code, functions } = this
    table()
    if (typeof bytes === 'number') code.i32Const(bytes)
    else bytes()
    code.call(write ? functions.findWrite : functions.findRead)
    code.tee(host)
    code.op(Op.i32_eqz)
    this.unless()
  }
  readonly supervisor: Push = () => this.code.i32Const(TLB_SUPERVISOR)
  /** The TLB of the level in a local. */
  tableOf(level: number): Push {
    const { code } = this
    return () => {
      code.i32Const(TLB_USER)
      code.i32Const(TLB_SUPERVISOR)
      code.get(level)
      code.i32Const(3)
      code.op(Op.i32_eq)
      code.op(Op.select)
    }
  }

  /** `lo` and `hi` = the descriptor of the selector in a local, which must be in the GDT and of which all of `mask` must be `value`. */
  loadDescriptor(selector: number, lo: number, hi: number, mask: number, value: number): void {
    const { code } = this
    code.get(selector)
    this.expect(4, 0)
    code.get(selector)
    code.i32Const(7)
    code.op(Op.i32_or)
    this.load(Op.i32_load, State.GDTR_LIMIT)
    code.op(Op.i32_gt_u)
    this.unless()
    this.load(Op.i64_load, State.GDTR_BASE)
    code.get(selector)
    code.i32Const(0xfff8)
    code.op(Op.i32_and)
    code.op(Op.i64_extend_i32_u)
    code.op(Op.i64_add)
    this.find(lo, this.supervisor, 8)
    code.get(lo)
    code.memory(Op.i32_load, 4)
    code.tee(hi)
    this.expect(mask, value)
    code.get(lo)
    code.memory(Op.i32_load)
    code.set(lo)
  }

  /** Gives up unless the descriptor whose upper half is in a local is for the level in another. */
  expectLevel(hi: number, level: number): void {
    this.dplOf(hi)
    this.code.get(level)
    this.code.op(Op.i32_ne)
    this.unless()
  }

  dplOf(hi: number): void {
    const { code } = this
    code.get(hi)
    code.i32Const(DPL_SHIFT)
    code.op(Op.i32_shr_u)
    code.i32Const(3)
    code.op(Op.i32_and)
  }

  /** Puts a descriptor, whose halves are in locals, into a segment register. */
  install(index: number, selector: Push, lo: number, hi: number): void {
    const { code } = this
    this.store(Op.i32_store, segment(index, SegmentField.SELECTOR), selector)
    this.store(Op.i32_store, segment(index, SegmentField.ATTRIBUTES), () => {
      code.get(hi)
      code.i32Const(8)
      code.op(Op.i32_shr_u)
      code.i32Const(0xf0ff)
      code.op(Op.i32_and)
    })
    this.store(Op.i64_store, segment(index, SegmentField.BASE), () => {
      code.get(lo)
      code.i32Const(16)
      code.op(Op.i32_shr_u)
      code.get(hi)
      code.i32Const(0xff)
      code.op(Op.i32_and)
      code.i32Const(16)
      code.op(Op.i32_shl)
      code.op(Op.i32_or)
      code.get(hi)
      code.i32Const(0xff000000)
      code.op(Op.i32_and)
      code.op(Op.i32_or)
      code.op(Op.i64_extend_i32_u)
    })
    const rawLimit = (): void => {
      code.get(lo)
      code.i32Const(0xffff)
      code.op(Op.i32_and)
      code.get(hi)
      code.i32Const(0xf0000)
      code.op(Op.i32_and)
      code.op(Op.i32_or)
    }
    this.store(Op.i32_store, segment(index, SegmentField.LIMIT), () => {
      rawLimit()
      code.i32Const(12)
      code.op(Op.i32_shl)
      code.i32Const(0xfff)
      code.op(Op.i32_or)
      rawLimit()
      code.get(hi)
      code.i32Const(Descriptor.G)
      code.op(Op.i32_and)
      code.op(Op.select)
    })
    this.store(Op.i64_store, segment(index, SegmentField.READ_END), () => {
      this.load(Op.i64_load32_u, segment(index, SegmentField.LIMIT))
      code.i64Const(1)
      code.op(Op.i64_add)
      code.i64Const(0)
      code.get(hi)
      code.i32Const(Descriptor.READABLE)
      code.op(Op.i32_and)
      code.op(Op.select)
    })
    this.store(Op.i64_store, segment(index, SegmentField.WRITE_END), () => {
      if (index === SegmentIndex.CS) code.i64Const(0)
      else this.load(Op.i64_load, segment(index, SegmentField.READ_END))
    })
  }

  /** SS without a segment, for the level in a local. */
  installNullStack(selector: number, level: number): void {
    const { code } = this
    this.store(Op.i32_store, segment(SegmentIndex.SS, SegmentField.SELECTOR), () => code.get(selector))
    this.store(Op.i32_store, segment(SegmentIndex.SS, SegmentField.ATTRIBUTES), () => {
      code.get(level)
      code.i32Const(SegmentAttribute.DPL_SHIFT)
      code.op(Op.i32_shl)
      code.i32Const(NULL_STACK_ATTRIBUTES)
      code.op(Op.i32_or)
    })
    this.store(Op.i64_store, segment(SegmentIndex.SS, SegmentField.BASE), () => code.i64Const(0))
    this.store(Op.i32_store, segment(SegmentIndex.SS, SegmentField.LIMIT), () => code.i32Const(0))
    this.store(Op.i64_store, segment(SegmentIndex.SS, SegmentField.READ_END), () => code.i64Const(0))
    this.store(Op.i64_store, segment(SegmentIndex.SS, SegmentField.WRITE_END), () => code.i64Const(0))
  }

  /** The privilege level in a local is the current one from now on; 64-bit mode stays. */
  setLevel(level: number): void {
    const { code } = this
    const isUser = (): void => {
      code.get(level)
      code.i32Const(3)
      code.op(Op.i32_eq)
    }
    this.store(Op.i32_store, State.CPL, () => code.get(level))
    this.store(Op.i32_store, State.MODE, () => {
      this.load(Op.i32_load, State.MODE)
      code.i32Const(~ModeBit.USER)
      code.op(Op.i32_and)
      isUser()
      code.i32Const(Math.log2(ModeBit.USER))
      code.op(Op.i32_shl)
      code.op(Op.i32_or)
    })
    this.store(Op.i32_store, State.JUMP_GENERATION, () => {
      this.load(Op.i32_load, State.GENERATION_USER)
      this.load(Op.i32_load, State.GENERATION_SUPERVISOR)
      isUser()
      code.op(Op.select)
      this.load(Op.i32_load, State.MODE)
      code.op(Op.i32_or)
    })
  }
}

export const ENTER_LOCALS = { i32: 9, i64: 3 } as const
/**
 * enter(vector i32, rip i64, error i64) → 1 when done. `rip` is what the handler returns to; `error` is -1 for INT n, which compares the
 * gate's DPL, or a fault's error code. The flags are explicit already.
 */
export function enterBody(functions: CrossingFunctions): Code {
  const crossing = new Crossing(functions)
  const { code } = crossing
  const [vector, rip, error, gate, gateHi, cpl, level, selector, lo, hi, host, flags, target, stack] = [
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13,
  ]
  const frame = 14
  const isSoftware = (): void => {
    code.get(error)
    code.i64Const(0)
    code.op(Op.i64_lt_s)
  }
  crossing.expectPlain()
  crossing.load(Op.i32_load, State.SYSFLAGS)
  code.tee(flags)
  crossing.expect(SINGULAR, 0)
  // An x87 exception that waits may come first.
  crossing.load(Op.i32_load16_u, State.FPU + STATUS_OFFSET)
  crossing.expect(Status.ES, 0)

  // The gate.
  code.get(vector)
  code.i32Const(Math.log2(GATE_BYTES))
  code.op(Op.i32_shl)
  code.tee(gate)
  code.i32Const(GATE_BYTES - 1)
  code.op(Op.i32_or)
  crossing.load(Op.i32_load, State.IDTR_LIMIT)
  code.op(Op.i32_gt_u)
  crossing.unless()
  crossing.load(Op.i64_load, State.IDTR_BASE)
  code.get(gate)
  code.op(Op.i64_extend_i32_u)
  code.op(Op.i64_add)
  crossing.find(host, crossing.supervisor, GATE_BYTES)
  code.get(host)
  code.memory(Op.i32_load)
  code.set(gate)
  code.get(host)
  code.memory(Op.i32_load, 4)
  code.tee(gateHi)
  crossing.expect(GATE_MASK, GATE)
  crossing.load(Op.i32_load, State.CPL)
  code.set(cpl)
  isSoftware()
  crossing.dplOf(gateHi)
  code.get(cpl)
  code.op(Op.i32_lt_u)
  code.op(Op.i32_and)
  crossing.unless()
  code.get(host)
  code.memory(Op.i64_load32_u, 8)
  code.i64Const(32)
  code.op(Op.i64_shl)
  code.get(gate)
  code.i32Const(0xffff)
  code.op(Op.i32_and)
  code.get(gateHi)
  code.i32Const(0xffff0000)
  code.op(Op.i32_and)
  code.op(Op.i32_or)
  code.op(Op.i64_extend_i32_u)
  code.op(Op.i64_or)
  code.set(target)
  crossing.expectCanonical(target)

  // The handler's code segment.
  code.get(gate)
  code.i32Const(16)
  code.op(Op.i32_shr_u)
  code.i32Const(0xfffc)
  code.op(Op.i32_and)
  code.tee(selector)
  code.op(Op.i32_eqz)
  crossing.unless()
  crossing.loadDescriptor(selector, lo, hi, CODE_MASK, CODE64)
  crossing.dplOf(hi)
  code.tee(level)
  code.get(cpl)
  code.op(Op.i32_gt_u)
  crossing.unless()

  // Its stack.
  code.get(level)
  code.get(cpl)
  code.op(Op.i32_lt_u)
  code.if()
  code.get(level)
  code.i32Const(3)
  code.op(Op.i32_shl)
  code.i32Const(4 + 7)
  code.op(Op.i32_add)
  crossing.load(Op.i32_load, segment(SegmentIndex.TR, SegmentField.LIMIT))
  code.op(Op.i32_gt_u)
  crossing.unless()
  crossing.load(Op.i64_load, segment(SegmentIndex.TR, SegmentField.BASE))
  code.get(level)
  code.i32Const(3)
  code.op(Op.i32_shl)
  code.i32Const(4)
  code.op(Op.i32_add)
  code.op(Op.i64_extend_i32_u)
  code.op(Op.i64_add)
  crossing.find(host, crossing.supervisor, 8)
  code.get(host)
  code.memory(Op.i64_load)
  code.set(stack)
  crossing.expectCanonical(stack)
  code.else()
  crossing.load(Op.i64_load, RSP)
  code.set(stack)
  code.end()

  // The frame.
  const frameBytes = (): void => {
    code.i32Const(FRAME_BYTES)
    code.i32Const(FRAME_BYTES + 8)
    isSoftware()
    code.op(Op.select)
  }
  code.get(stack)
  code.i64Const(-16)
  code.op(Op.i64_and)
  frameBytes()
  code.op(Op.i64_extend_i32_u)
  code.op(Op.i64_sub)
  code.tee(frame)
  crossing.find(host, crossing.tableOf(level), frameBytes, true)
  isSoftware()
  code.op(Op.i32_eqz)
  code.if()
  code.get(host)
  code.get(error)
  code.memory(Op.i64_store)
  code.get(host)
  code.i32Const(8)
  code.op(Op.i32_add)
  code.set(host)
  code.end()
  code.get(host)
  code.get(rip)
  code.memory(Op.i64_store)
  for (const [offset, index] of [[8, SegmentIndex.CS], [32, SegmentIndex.SS]] as const) {
    code.get(host)
    crossing.load(Op.i64_load32_u, segment(index, SegmentField.SELECTOR))
    code.memory(Op.i64_store, offset)
  }
  code.get(host)
  code.get(flags)
  code.i32Const(KEPT_FLAGS)
  code.op(Op.i32_and)
  crossing.load(Op.i32_load, State.CC_R)
  code.i32Const(ARITHMETIC_FLAGS)
  code.op(Op.i32_and)
  code.op(Op.i32_or)
  code.i32Const(Rflag.FIXED)
  code.op(Op.i32_or)
  code.i32Const(0)
  code.i32Const(Rflag.RF)
  isSoftware()
  code.op(Op.select)
  code.op(Op.i32_or)
  code.op(Op.i64_extend_i32_u)
  code.memory(Op.i64_store, 16)
  code.get(host)
  crossing.load(Op.i64_load, RSP)
  code.memory(Op.i64_store, 24)

  // From here on it is the handler's.
  crossing.install(SegmentIndex.CS, () => {
    code.get(selector)
    code.get(level)
    code.op(Op.i32_or)
  }, lo, hi)
  code.get(level)
  code.get(cpl)
  code.op(Op.i32_lt_u)
  code.if()
  crossing.installNullStack(level, level)
  code.end()
  crossing.store(Op.i64_store, RSP, () => code.get(frame))
  crossing.store(Op.i64_store, State.RIP, () => code.get(target))
  crossing.store(Op.i32_store, State.SYSFLAGS, () => {
    code.get(flags)
    code.i32Const(~Rflag.NT)
    code.i32Const(~(Rflag.NT | Rflag.IF))
    code.get(gateHi)
    code.i32Const(GATE_IS_TRAP)
    code.op(Op.i32_and)
    code.op(Op.select)
    code.op(Op.i32_and)
  })
  crossing.setLevel(level)
  return crossing.finish()
}

export const RETURN_LOCALS = { i32: 12, i64: 2 } as const
/** leave() → 1 when an IRETQ was done, to the same level or an outer one. */
export function returnBody(functions: CrossingFunctions): Code {
  const crossing = new Crossing(functions)
  const { code } = crossing
  const [frame, cpl, level, selector, lo, hi, stackSelector, stackLo, stackHi, flags, mask, before, target, stack] = [
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13,
  ]
  crossing.expectPlain()
  crossing.load(Op.i32_load, State.SYSFLAGS)
  code.tee(before)
  crossing.expect(SINGULAR | Rflag.NT, 0)
  crossing.load(Op.i32_load, State.ACTIVITY)
  crossing.expect(Activity.NMI_PENDING | Activity.IN_NMI, 0)
  crossing.load(Op.i32_load, State.CPL)
  code.set(cpl)
  crossing.load(Op.i64_load, RSP)
  crossing.find(frame, crossing.tableOf(cpl), FRAME_BYTES)
  code.get(frame)
  code.memory(Op.i64_load)
  code.set(target)
  crossing.expectCanonical(target)
  code.get(frame)
  code.memory(Op.i32_load, 16)
  code.tee(flags)
  crossing.expect(Rflag.TF | Rflag.VM | Rflag.NT, 0)
  code.get(frame)
  code.memory(Op.i64_load, 24)
  code.set(stack)

  // The code segment.
  code.get(frame)
  code.memory(Op.i32_load16_u, 8)
  code.tee(selector)
  code.i32Const(3)
  code.op(Op.i32_and)
  code.tee(level)
  code.get(cpl)
  code.op(Op.i32_lt_u)
  crossing.unless()
  code.get(selector)
  code.i32Const(4)
  code.op(Op.i32_lt_u)
  crossing.unless()
  crossing.loadDescriptor(selector, lo, hi, CODE_MASK, CODE64)
  crossing.expectLevel(hi, level)

  // The stack segment, which a kernel may do without.
  const hasStackSegment = (): void => {
    code.get(stackSelector)
    code.i32Const(0xfffc)
    code.op(Op.i32_and)
  }
  code.get(frame)
  code.memory(Op.i32_load16_u, 32)
  code.tee(stackSelector)
  code.i32Const(3)
  code.op(Op.i32_and)
  code.get(level)
  code.op(Op.i32_ne)
  crossing.unless()
  hasStackSegment()
  code.if()
  crossing.loadDescriptor(stackSelector, stackLo, stackHi, DATA_MASK, DATA)
  crossing.expectLevel(stackHi, level)
  code.else()
  code.get(level)
  code.i32Const(3)
  code.op(Op.i32_eq)
  crossing.unless()
  code.end()

  // Data segments that the outer level must not keep.
  code.get(level)
  code.get(cpl)
  code.op(Op.i32_ne)
  code.if()
  for (const index of [SegmentIndex.ES, SegmentIndex.DS, SegmentIndex.FS, SegmentIndex.GS]) {
    crossing.load(Op.i32_load16_u, segment(index, SegmentField.SELECTOR))
    code.i32Const(0xfffc)
    code.op(Op.i32_and)
    code.i32Const(0)
    code.op(Op.i32_ne)
    crossing.load(Op.i32_load, segment(index, SegmentField.ATTRIBUTES))
    code.i32Const(SegmentAttribute.DPL_SHIFT)
    code.op(Op.i32_shr_u)
    code.i32Const(3)
    code.op(Op.i32_and)
    code.get(level)
    code.op(Op.i32_lt_u)
    code.op(Op.i32_and)
    crossing.unless()
  }
  code.end()

  crossing.install(SegmentIndex.CS, () => code.get(selector), lo, hi)
  hasStackSegment()
  code.if()
  crossing.install(SegmentIndex.SS, () => code.get(stackSelector), stackLo, stackHi)
  code.else()
  crossing.installNullStack(stackSelector, level)
  code.end()
  crossing.store(Op.i64_store, RSP, () => code.get(stack))
  crossing.store(Op.i64_store, State.RIP, () => code.get(target))

  // SDM vol. 2, POPF, table 4-16: which flags may change.
  code.i32Const(Rflag.TF | Rflag.DF | Rflag.NT | Rflag.AC | Rflag.ID)
  code.i32Const(Rflag.IF)
  code.i32Const(0)
  code.get(cpl)
  code.get(before)
  code.i32Const(12)
  code.op(Op.i32_shr_u)
  code.i32Const(3)
  code.op(Op.i32_and)
  code.op(Op.i32_le_u)
  code.op(Op.select)
  code.op(Op.i32_or)
  code.i32Const(0)
  code.i32Const(Rflag.IOPL)
  code.get(cpl)
  code.op(Op.select)
  code.op(Op.i32_or)
  code.set(mask)
  crossing.store(Op.i32_store, State.SYSFLAGS, () => {
    code.get(before)
    code.get(before)
    code.get(flags)
    code.op(Op.i32_xor)
    code.get(mask)
    code.op(Op.i32_and)
    code.op(Op.i32_xor)
  })
  crossing.store(Op.i64_store, State.CC_R, () => {
    code.get(flags)
    code.i32Const(ARITHMETIC_FLAGS)
    code.op(Op.i32_and)
    code.op(Op.i64_extend_i32_u)
  })
  crossing.store(Op.i32_store, State.CC_OP, () => code.i32Const(EXPLICIT_OP))
  crossing.setLevel(level)
  crossing.load(Op.i32_load, State.SYSFLAGS)
  code.get(before)
  code.i32Const(-1)
  code.op(Op.i32_xor)
  code.op(Op.i32_and)
  code.i32Const(Rflag.IF)
  code.op(Op.i32_and)
  code.if()
  code.call(functions.interruptible)
  code.end()
  return crossing.finish()
}
