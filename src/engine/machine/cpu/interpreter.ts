import { Code, ModuleWriter } from '../wasm/code.ts'
import { Op, SimdOp, Type } from '../wasm/opcodes.ts'
import { allVariants } from './decode.ts'
import { Emit } from './emit.ts'
import type { MemoryAccess, Temporaries, Value } from './emit.ts'
import { CC_KINDS, CcKind, FlagWriter, ccOp } from './flags.ts'
import { AccessMode, BLOCK_HEADER_BYTES, RECORD_BYTES, RecordField, RecordFlag } from './record.ts'
import {
  JUMP_CACHE, JUMP_ENTRIES, JUMP_ENTRY_BYTES, ModeBit, State, TLB_ENTRIES, TLB_ENTRY_BYTES, TLB_SUPERVISOR, TLB_USER, TlbField,
  Vector, segmentBaseAt,
} from './state.ts'
import { SystemOp } from './system-op.ts'

/**
 * Tier 0: the interpreter, one Wasm function generated from the instruction table. It runs cold code, finishes what a
 * translated region left, and is the reference for tier 1.
 *
 * A jump cache entry: address u64 +0, generation u32 +8, first record u32 +12, region's table slot u32 +16 (0: none),
 * region entry u32 +20, flags to be made explicit on entry u32 +24.
 */
export const JumpField = { ADDRESS: 0, GENERATION: 8, RECORD: 12, REGION: 16, ENTRY: 20, NEEDS_FLAGS: 24 } as const

/** What tier 0 imports; all of it in TypeScript and off the fast path. */
export interface InterpreterImports {
  /** The access at State.SLOW_VA missed the TLB: host address of the bytes (or of the bounce buffer), 0 on a fault. */
  slow(mode: number, size: number): number
  /** The bounce buffer was written: carries it to where it belongs. */
  commit(): void
  /** A system instruction: 0 done, 1 fault. */
  system(op: number): number
  /** Delivers State.FAULT_VECTOR. */
  deliver(): void
  /** Finds or decodes the block at State.RIP: its first record, or 0 to look again. */
  resolve(): number
  /** The block whose first record this is became hot. */
  hot(record: number): void
  /** 128-bit division through SLOW_VA:SLOW_VALUE by SLOW_PA: 1 when the quotient does not fit. */
  divide(isSigned: number): number
}

/** Handler number of the end record. */
export const END_HANDLER = allVariants().length

const Local = { PC: 0, PTR: 1, LEFT: 2, SKIP_REGION: 3, ENTRY: 4, SCRATCH: 5, RIP: 6, EA: 7 } as const
const { PC, PTR, LEFT, SKIP_REGION, ENTRY, SCRATCH, RIP, EA } = Local
const FIRST_TEMPORARY = 8
/** POPA is the greediest. */
const TEMPORARIES: Temporaries = { i32: 32, i64: 96, v128: 24 }
/** Address space of the general registers within the state, for telling registers from memory. */
const GPR_END = State.GPR + 16 * 8
const VECTOR_END = State.BOUNCE

interface Labels {
  fault: number
  block: number
  instruction: number
  next: number
}
interface Functions {
  access: number
  flags: number
  commit: number
  system: number
  divide: number
}

class InterpreterEmit extends Emit {
  labels: Labels = { fault: 0, block: 0, instruction: 0, next: 0 }
  private readonly functions: Functions
  constructor(code: Code, functions: Functions) {
    super(code, FIRST_TEMPORARY, TEMPORARIES)
    this.functions = functions
  }
  start(...parameters: Parameters<Emit['begin']>): void {
    this.begin(...parameters)
  }

  private field32(field: number): void {
    this.code.get(PC)
    this.code.memory(Op.i32_load, field)
  }
  private loadSized(size: number): Value {
    this.code.memory(size === 1 ? Op.i32_load8_u : size === 2 ? Op.i32_load16_u : size === 4 ? Op.i32_load : Op.i64_load)
    return this.pop(size === 8)
  }
  private storeSized(size: number): void {
    this.code.memory(size === 1 ? Op.i32_store8 : size === 2 ? Op.i32_store16 : size === 4 ? Op.i32_store : Op.i64_store)
  }
  private commitIfBounced(pointer: number): void {
    const { code } = this
    code.get(pointer)
    code.i32Const(State.BOUNCE)
    code.op(Op.i32_eq)
    code.if()
    code.call(this.functions.commit)
    code.end()
  }

  protected override readRm(size: number): Value {
    this.code.get(PTR)
    return this.loadSized(size)
  }
  protected override writeRm(size: number, value: Value): void {
    const { code } = this
    if (size !== 4) {
      code.get(PTR)
      this.push(value)
      this.storeSized(size)
      this.commitIfBounced(PTR)
      return
    }
    code.get(PTR)
    code.i32Const(GPR_END)
    code.op(Op.i32_lt_u)
    code.if()
    code.get(PTR)
    this.push(value)
    code.op(Op.i64_extend_i32_u)
    code.memory(Op.i64_store)
    code.else()
    code.get(PTR)
    this.push(value)
    code.memory(Op.i32_store)
    this.commitIfBounced(PTR)
    code.end()
  }
  protected override readReg(size: number): Value {
    this.field32(RecordField.REG)
    return this.loadSized(size)
  }
  protected override writeReg(size: number, value: Value): void {
    this.field32(RecordField.REG)
    this.push(value)
    if (size === 4) {
      this.code.op(Op.i64_extend_i32_u)
      this.code.memory(Op.i64_store)
    } else this.storeSized(size)
  }
  protected override readVectorRm(size: number): Value {
    this.code.get(PTR)
    this.code.simdMemory(size === 16 ? SimdOp.v128_load : size === 8 ? SimdOp.v128_load64_zero : SimdOp.v128_load32_zero, 0)
    return this.popV128()
  }
  protected override writeVectorRm(size: number, value: Value): void {
    const { code } = this
    const full = (): void => {
      code.get(PTR)
      this.push(value)
      code.simdMemory(SimdOp.v128_store, 0)
    }
    if (size === 16) {
      full()
      this.commitIfBounced(PTR)
      return
    }
    code.get(PTR)
    code.i32Const(VECTOR_END)
    code.op(Op.i32_lt_u)
    code.if()
    full()
    code.else()
    code.get(PTR)
    this.push(value)
    code.simdLane(size === 8 ? SimdOp.i64x2_extract_lane : SimdOp.i32x4_extract_lane, 0)
    this.storeSized(size)
    this.commitIfBounced(PTR)
    code.end()
  }
  protected override readVectorReg(): Value {
    this.field32(RecordField.REG)
    this.code.simdMemory(SimdOp.v128_load, 0)
    return this.popV128()
  }
  protected override writeVectorReg(value: Value): void {
    this.field32(RecordField.REG)
    this.push(value)
    this.code.simdMemory(SimdOp.v128_store, 0)
  }
  protected override immediate(size: number): Value {
    this.code.get(PC)
    this.code.memory(
      size === 8 ? Op.i64_load : size === 4 ? Op.i32_load : size === 2 ? Op.i32_load16_u : Op.i32_load8_u,
      RecordField.IMMEDIATE,
    )
    return this.pop(size === 8)
  }
  override knownImmediate(): undefined {
    return undefined
  }
  override rmIsRegister(): Value {
    this.code.get(PTR)
    this.code.i32Const(State.BOUNCE)
    this.code.op(Op.i32_lt_u)
    return this.popI32()
  }
  override address(): Value {
    return EA
  }
  override addressAt(offset: Value): Value {
    const { code } = this
    code.get(PC)
    code.memory(Op.i32_load8_u, RecordField.FLAGS)
    const flags = this.popI32()
    this.field32(RecordField.SEGMENT)
    code.memory(Op.i64_load)
    const base = this.popI64()
    const cutIf = (flag: number, value: Value): Value =>
      this.select(this.and(flags, this.constI32(flag)), this.and(value, this.constI64(0xffffffff)), value)
    const moved = cutIf(RecordFlag.ADDRESS32, this.add(this.sub(EA, base), offset))
    return cutIf(RecordFlag.LINEAR32, this.add(moved, base))
  }
  override gpr(index: number): Value {
    this.code.i32Const(0)
    this.code.memory(Op.i64_load, State.GPR + index * 8)
    return this.popI64()
  }
  override setGpr(index: number, value: Value): void {
    this.code.i32Const(0)
    this.push(value)
    this.code.memory(Op.i64_store, State.GPR + index * 8)
  }
  private translate(address: Value, mode: number, size: number, stack: MemoryAccess['stack']): Value {
    const { code } = this
    this.push(address)
    code.i32Const(mode | (stack === true ? AccessMode.STACK : 0))
    if (stack === 'operand') {
      code.get(PC)
      code.memory(Op.i32_load8_u, RecordField.FLAGS)
      code.i32Const(Math.log2(RecordFlag.STACK_ADDRESS / AccessMode.STACK))
      code.op(Op.i32_shr_u)
      code.i32Const(AccessMode.STACK)
      code.op(Op.i32_and)
      code.op(Op.i32_or)
    }
    code.i32Const(size)
    code.call(this.functions.access)
    const pointer = this.popI32()
    this.push(this.eqz(pointer))
    code.brIf(this.labels.fault)
    return pointer
  }
  override load(address: Value, size: number, { stack, written }: MemoryAccess = {}): Value {
    this.push(this.translate(address, written ? AccessMode.MODIFY : AccessMode.READ, size, stack))
    return this.loadSized(size)
  }
  override store(address: Value, size: number, value: Value, { stack }: MemoryAccess = {}): void {
    const pointer = this.translate(address, AccessMode.WRITE, size, stack)
    this.push(pointer)
    this.push(value)
    this.storeSized(size)
    this.commitIfBounced(pointer)
  }
  override linear(segment: number, offset: Value): Value {
    const { code } = this
    if (this.long && segment >= 0) return offset
    this.push(this.long ? offset : this.and(offset, this.constI64(0xffffffff)))
    if (segment >= 0) code.i32Const(segmentBaseAt(segment))
    else this.field32(RecordField.SEGMENT)
    code.memory(Op.i64_load)
    code.op(Op.i64_add)
    const sum = this.popI64()
    return this.long ? sum : this.and(sum, this.constI64(0xffffffff))
  }

  private storeState(offset: number, value: Value): void {
    this.code.i32Const(0)
    this.push(value)
    this.code.memory(this.isWide(value) ? Op.i64_store : Op.i32_store, offset)
  }
  override flags(kind: CcKind, { a, b, r }: { a?: Value; b?: Value; r: Value }, size = this.size): void {
    this.storeState(State.CC_OP, this.constI32(ccOp(kind, size)))
    if (a !== undefined) this.storeState(State.CC_A, this.wide(a))
    if (b !== undefined) this.storeState(State.CC_B, this.wide(b))
    this.storeState(State.CC_R, this.wide(r))
  }
  override flagsIf(condition: Value, kind: CcKind, operands: { a?: Value; b?: Value; r: Value }): void {
    this.if(condition, () => this.flags(kind, operands))
  }
  override setFlags(word: Value): void {
    this.storeState(State.CC_OP, this.constI32(ccOp(CcKind.EXPLICIT, 1)))
    this.storeState(State.CC_R, this.wide(word))
  }
  override flagsWord(): Value {
    this.code.call(this.functions.flags)
    return this.popI32()
  }
  override carry(): Value {
    return this.and(this.flagsWord(), this.constI32(1))
  }
  override condition(cc: number): Value {
    const word = this.flagsWord()
    const test = (mask: number): Value => this.ne(this.and(word, this.constI32(mask)), this.constI32(0))
    const signDiffers = (): Value =>
      this.and(this.xor(this.shrU(word, this.constI32(7)), this.shrU(word, this.constI32(11))), this.constI32(1))
    let value: Value
    switch (cc >> 1) {
      case 0:
        value = test(0x800)
        break
      case 1:
        value = test(1)
        break
      case 2:
        value = test(0x40)
        break
      case 3:
        value = test(0x41)
        break
      case 4:
        value = test(0x80)
        break
      case 5:
        value = test(4)
        break
      case 6:
        value = signDiffers()
        break
      default:
        value = this.or(signDiffers(), test(0x40))
    }
    return (cc & 1) === 1 ? this.eqz(value) : value
  }

  override raiseIf(condition: Value, vector: number): void {
    this.push(condition)
    this.code.if()
    this.storeState(State.FAULT_VECTOR, this.constI32(vector))
    this.storeState(State.FAULT_ERROR, this.constI32(0))
    this.code.br(this.labels.fault)
    this.code.end()
  }
  override nextRip(): Value {
    const { code } = this
    code.get(RIP)
    code.get(PC)
    code.memory(Op.i64_load8_u, RecordField.LENGTH)
    code.op(Op.i64_add)
    const next = this.popI64()
    return this.long ? next : this.and(next, this.constI64(0xffffffff))
  }
  private goTo(target: Value): void {
    this.push(this.long ? target : this.and(target, this.constI64(0xffffffff)))
    this.code.set(RIP)
    this.code.br(this.labels.block)
  }
  private relativeTarget(): Value {
    return this.add(this.nextRip(), this.immediate(8))
  }
  override jumpRelative(): void {
    this.goTo(this.relativeTarget())
  }
  override branchRelative(condition: Value): void {
    this.goTo(this.select(condition, this.relativeTarget(), this.nextRip()))
  }
  override jumpTo(target: Value): void {
    this.goTo(target)
  }
  override callRelative(): void {
    this.pushStack(this.resize(this.nextRip()), this.size)
    this.goTo(this.relativeTarget())
  }

  override system(op: SystemOp): void {
    const { code } = this
    const byte = (field: number): Value => {
      code.get(PC)
      code.memory(Op.i32_load8_u, field)
      return this.popI32()
    }
    const slot = this.slots[0]
    if (slot?.kind === 'imm' || slot?.kind === 'dx') this.storeState(State.SYS_IMM, this.wide(this.get(0)))
    else if (slot?.kind === 'rm') {
      // Its size says whether it is a value; an operand that is only an address is never read.
      if (this.operandIsAddress) {
        this.storeState(State.SYS_EA, EA)
        if (op === SystemOp.JMP_FAR || op === SystemOp.CALL_FAR) {
          this.storeState(State.SYS_IMM, this.wide(this.load(EA, this.size)))
          this.storeState(State.SYS_VALUE, this.wide(this.load(this.add(EA, this.constI64(this.size)), 2)))
        }
      } else this.storeState(State.SYS_VALUE, this.wide(this.get(0)))
    } else if (op === SystemOp.RET_FAR) this.storeState(State.SYS_IMM, this.constI64(0))
    if (slot?.kind === 'imm' && (op === SystemOp.JMP_FAR || op === SystemOp.CALL_FAR)) {
      this.field32(RecordField.EXTRA)
      this.storeState(State.SYS_VALUE, this.wide(this.popI32()))
    }
    this.storeState(State.SYS_REG, byte(RecordField.REG_NUMBER))
    const rm = byte(RecordField.RM_NUMBER)
    this.storeState(State.SYS_RM, this.select(this.eq(rm, this.constI32(0xff)), this.constI32(-1), rm))
    this.storeState(State.SYS_SIZE, this.constI32(this.size))
    this.storeState(State.SYS_NEXT_RIP, this.nextRipAnyMode())
    code.i32Const(op)
    code.call(this.functions.system)
    code.brIf(this.labels.fault)
    code.i32Const(0)
    code.memory(Op.i64_load, State.RIP)
    code.set(RIP)
    code.br(this.labels.block)
  }
  operandIsAddress = false
  /** System handlers serve both modes: RIP wraps at 32 bits by the record's own mode, which State.MODE tells. */
  private nextRipAnyMode(): Value {
    const { code } = this
    code.get(RIP)
    code.get(PC)
    code.memory(Op.i64_load8_u, RecordField.LENGTH)
    code.op(Op.i64_add)
    const next = this.popI64()
    const isLong = this.and(this.stateI32(State.MODE), this.constI32(ModeBit.LONG))
    return this.select(isLong, next, this.and(next, this.constI64(0xffffffff)))
  }

  override divide128(isSigned: boolean, high: Value, low: Value, divisor: Value): { quotient: Value; remainder: Value } {
    const { code } = this
    const quotient = this.newI64()
    const remainder = this.newI64()
    const simple = isSigned
      ? this.and(this.eq(high, this.shrS(low, this.constI64(63))), this.ne(divisor, this.constI64(-1)))
      : this.eqz(high)
    this.if(
      simple,
      () => {
        this.assign(quotient, isSigned ? this.divS(low, divisor) : this.divU(low, divisor))
        this.assign(remainder, isSigned ? this.remS(low, divisor) : this.remU(low, divisor))
      },
      () => {
        this.storeState(State.SLOW_VA, high)
        this.storeState(State.SLOW_VALUE, low)
        this.storeState(State.SLOW_PA, divisor)
        code.i32Const(isSigned ? 1 : 0)
        code.call(this.functions.divide)
        const overflow = this.popI32()
        this.raiseIf(overflow, Vector.DE)
        for (const [variable, offset] of [[quotient, State.SLOW_VA], [remainder, State.SLOW_VALUE]] as const) {
          code.i32Const(0)
          code.memory(Op.i64_load, offset)
          code.set(variable)
        }
      },
    )
    return { quotient, remainder }
  }

  override repeat(step: () => Value | undefined): void {
    const { code } = this
    this.push(this.eqz(this.counter()))
    code.brIf(this.labels.next)
    const goOn = step()
    const left = this.sub(this.counter(), this.constI64(1))
    this.setCounter(left)
    const more = this.ne(left, this.constI64(0))
    this.push(goOn === undefined ? more : this.and(more, goOn))
    code.brIf(this.labels.instruction)
  }
}

/** Builds tier 0's module; the same bytes for every machine. */
export function buildInterpreter(memoryPages: number): Uint8Array<ArrayBuffer> {
  const writer = new ModuleWriter()
  const { i32, i64 } = Type
  const slow = writer.importFunction('slow', [i32, i32], [i32])
  const commit = writer.importFunction('commit', [], [])
  const system = writer.importFunction('system', [i32], [i32])
  const deliver = writer.importFunction('deliver', [], [])
  const resolve = writer.importFunction('resolve', [], [i32])
  const hot = writer.importFunction('hot', [i32], [])
  const divide = writer.importFunction('divide', [i32], [i32])
  const regionType = writer.type([i32], [i32])
  const access = writer.declare([i64, i32, i32], [i32])
  const flags = writer.declare([], [i32])
  const run = writer.declare([i32], [])
  writer.define(access, [{ count: 1, type: i32 }, { count: 1, type: i64 }], accessBody(slow))
  writer.define(flags, [], flagsBody())
  const code = new Code()
  const emit = new InterpreterEmit(code, { access, flags, commit, system, divide })
  runBody(code, emit, { access, flags, deliver, resolve, hot, regionType })
  writer.define(run, [
    { count: 5, type: i32 },
    { count: 2, type: i64 },
    { count: TEMPORARIES.i32, type: i32 },
    { count: TEMPORARIES.i64, type: i64 },
    { count: TEMPORARIES.v128, type: Type.v128 },
  ], code)
  writer.exportFunction('run', run)
  writer.exportFunction('flags', flags)
  writer.exportTable('regions', REGION_SLOTS)
  return writer.finish(memoryPages)
}

/** Regions alive at once; slot 0 means none. */
export const REGION_SLOTS = 4096

/** access(va, mode, size): host address, through the TLB of the current privilege, else `slow`. */
function accessBody(slow: number): Code {
  const code = new Code()
  const [va, mode, size, entry, offset] = [0, 1, 2, 3, 4]
  code.get(va)
  code.i64Const(12)
  code.op(Op.i64_shr_u)
  code.op(Op.i32_wrap_i64)
  code.i32Const(TLB_ENTRIES - 1)
  code.op(Op.i32_and)
  code.i32Const(Math.log2(TLB_ENTRY_BYTES))
  code.op(Op.i32_shl)
  code.i32Const(TLB_USER)
  code.i32Const(TLB_SUPERVISOR)
  code.i32Const(0)
  code.memory(Op.i32_load, State.MODE)
  code.i32Const(ModeBit.USER)
  code.op(Op.i32_and)
  code.op(Op.select)
  code.op(Op.i32_add)
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

/** flags(): the six arithmetic flags of the lazy state at their RFLAGS positions. */
function flagsBody(): Code {
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

interface RunFunctions {
  access: number
  flags: number
  deliver: number
  resolve: number
  hot: number
  regionType: number
}

function runBody(code: Code, emit: InterpreterEmit, functions: RunFunctions): void {
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
  code.i32Const(0)
  code.call(functions.flags)
  code.op(Op.i64_extend_i32_u)
  code.memory(Op.i64_store, State.CC_R)
  code.i32Const(0)
  code.i32Const(ccOp(CcKind.EXPLICIT, 1))
  code.memory(Op.i32_store, State.CC_OP)
  code.end()
  code.get(ENTRY)
  code.memory(Op.i32_load, JumpField.ENTRY)
  code.get(SCRATCH)
  code.callIndirect(functions.regionType)
  code.set(SKIP_REGION)
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
  for (let index = 0; index <= variants.length; index++) code.block()
  const innermost = code.depth
  code.get(LEFT)
  code.op(Op.i32_eqz)
  code.brIf(exit)
  code.get(LEFT)
  code.i32Const(1)
  code.op(Op.i32_sub)
  code.set(LEFT)
  spill()
  resolveOperand(code, functions.access, fault)
  code.get(PC)
  code.memory(Op.i32_load16_u, RecordField.HANDLER)
  code.brTable([...variants.map((_, index) => innermost - index), innermost - variants.length])
  for (const variant of variants) {
    code.end()
    const { definition } = variant
    emit.start(variant.size, variant.slots, variant.long)
    emit.operandIsAddress = definition.access[0] === 'address'
    definition.body(emit)
    // Handlers that always leave have made what follows unreachable.
    code.br(next)
  }
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
  code.call(functions.deliver)
  reload()
  code.br(block)
  code.end() // block
  code.end() // exit
  spill()
}

/** Leaves in PTR where the r/m operand is: the register, or the memory operand after translation. */
function resolveOperand(code: Code, access: number, fault: number): void {
  const flag = (bit: number): void => {
    code.get(SCRATCH)
    code.i32Const(bit)
    code.op(Op.i32_and)
  }
  const wrap32 = (): void => {
    code.get(EA)
    code.i64Const(0xffffffff)
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
  wrap32()
  code.end()
  code.get(EA)
  code.get(PC)
  code.memory(Op.i32_load, RecordField.SEGMENT)
  code.memory(Op.i64_load)
  code.op(Op.i64_add)
  code.set(EA)
  flag(RecordFlag.LINEAR32)
  code.if()
  wrap32()
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

