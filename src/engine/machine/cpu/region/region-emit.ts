import { Code } from '../../wasm/code.ts'
import { Op, SimdOp, Type } from '../../wasm/opcodes.ts'
import type { ValueType } from '../../wasm/opcodes.ts'
import type { Instruction } from '../decode.ts'
import { RIP_BASE } from '../decode.ts'
import { Emit } from '../emit.ts'
import type { Division, FloatInputs, FloatOperation, MemoryAccess, Value } from '../emit.ts'
import type { Group, Membership } from './groups.ts'
import type { ReciprocalDivision } from './division.ts'
import type { VectorConstants } from './vector-constants.ts'
import { SystemOp } from '../system-op.ts'
import { Cr4 } from '../system/views.ts'
import { EXPLICIT_OP, FlagWriter, ccKindOf, ccOp, ccSizeOf } from '../flags.ts'
import type { CcKind } from '../flags.ts'
import {
  DR7, DR7_ENABLES, Gpr, ModeBit, SegmentField, State, TLB_ENTRIES, TLB_ENTRY_BYTES, TLB_SUPERVISOR, TLB_USER, TLB_WINDOWS, TlbField,
  TlbWindowField, WINDOW_SLOT_BYTES, WINDOW_SLOT_COUNT, WINDOW_SLOTS, WINDOW_TAIL_BYTES, WindowSlotField, segmentBaseAt,
} from '../state.ts'

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
const LOCALS: readonly ValueType[] = Object.values(Local).map((local) => (local < Local.RIP ? Type.i32 : Type.i64))
export const REGION_PARAMETERS = 1

/** The window of accesses that are no operand's: of the stack, mostly. */
const OTHER_WINDOW = Gpr.RSP

/** Which window an access looks through, by its base register (-1 for none) and its displacement. */
const placeOf = (base: number, displacement: number): number => (base >= 0 ? base : 16 + (Math.floor(displacement / 4096) & 7))

/** What is known of the flags at a point: the operation they come from, or nothing; and whether CARRY holds CF. */
export interface FlagState {
  op: number | undefined
  carryKnown: boolean
}
export const FLAGS_UNKNOWN: FlagState = { op: undefined, carryKnown: false }

/** What ends a block, called from its last instruction's body. */
export interface ControlSink {
  jump(): void
  branch(condition: Value): void
  call(): void
  indirect(target: Value): void
}

/** What a region's module imports when it asks the machine: portIn(port, size) → value; timeStamp(), to State.SYS_VALUE. */
export const MachineFunction = { PORT_IN: 0, TIME_STAMP: 1 } as const

/** What is known of an instruction from those around it. */
interface Surroundings {
  /** The group that has found its memory operand already, and the one that has found what it pushes or pops. */
  operand?: Membership
  stack?: Membership
  /** It is the multiplication of one. */
  division?: ReciprocalDivision
  /** It is the shift of one. */
  isQuotient?: boolean
  /** It is a division whose quotient nobody reads. */
  isRemainderOnly?: boolean
}

/** Tier 1's side of the instruction language: registers in locals, operands constant, the TLB in line. */
export class RegionEmit extends Emit {
  flagState: FlagState = FLAGS_UNKNOWN
  /** Labels of the common exits: before the instruction at RIP for tier 0, and in general. */
  exitSlow = 0
  exit = 0
  sink: ControlSink
  /** Whether anything written calls a MachineFunction. */
  asksMachine = false
  /** Locals of the registers that are used, by number. */
  readonly gprs = new Map<number, number>()
  readonly xmms = new Map<number, number>()
  /** Host addresses of the groups of the block being run. */
  private readonly groups: number[] = []
  /** Since somebody cleared it. */
  readonly gprsWritten = new Set<number>()
  private instruction!: Instruction
  private address_ = 0
  private notYetRun = 0
  private readonly mode: number
  private readonly tlb: number
  private readonly windows: number
  private readonly flagWriter: FlagWriter
  private readonly vectors: VectorConstants | undefined
  /** FloatClass.EXACT: a rounded result is tier 0's. */
  private readonly exact: boolean
  private readonly counts: boolean
  /** Tame bits of XMM registers, and of this instruction's temporaries with the register they are from. */
  private readonly tameRegisters = new Map<number, number>()
  private readonly tameValues = new Map<Value, { bits: number; register?: number }>()
  /** Where the memory operand is: a local with a host address and what is added to it; -1 when there is none. */
  private pointer = -1
  private pointerOffset = 0
  /** Where a group has found what the instruction pushes or pops. */
  private onStack: Membership | undefined
  private division: ReciprocalDivision | undefined
  private isQuotient = false
  private isRemainderOnly = false
  /** Local of what a division by a reciprocal gives, from its multiplication to its shift. */
  private quotient = -1

  constructor(code: Code, options: { mode: number; exact: boolean; counts: boolean; constants?: VectorConstants; sink: ControlSink }) {
    super(code, LOCALS)
    this.vectors = options.constants
    this.exact = options.exact
    this.counts = options.counts
    this.mode = options.mode
    const user = (options.mode & ModeBit.USER) !== 0
    this.tlb = user ? TLB_USER : TLB_SUPERVISOR
    this.windows = WINDOW_SLOTS + (user ? 2 * WINDOW_SLOT_COUNT * WINDOW_SLOT_BYTES : 0)
    this.sink = options.sink
    const operand = (local: number) => () => code.get(local)
    this.flagWriter = new FlagWriter(code, { a: operand(Local.CC_A), b: operand(Local.CC_B), r: operand(Local.CC_R) })
  }

  /** At the start of a block nothing is known of the registers. */
  /** What is known at this point, for who writes the same instructions in two ways. */
  known(): { flags: FlagState; tame: ReadonlyMap<number, number> } {
    return { flags: this.flagState, tame: new Map(this.tameRegisters) }
  }
  goBackTo({ flags, tame }: ReturnType<RegionEmit['known']>): void {
    this.flagState = flags
    this.tameRegisters.clear()
    for (const [register, bits] of tame) this.tameRegisters.set(register, bits)
  }
  startBlock(): void {
    this.tameRegisters.clear()
  }

  /**
   * Writes one instruction.
   *
   * @param address its linear address
   * @param notYetRun instructions of its block from it on, which an exit before it gives back
   * @param around what is known of it from those around it
   */
  write(
    instruction: Instruction, address: number, notYetRun: number,
    { operand: membership, stack, division, isQuotient = false, isRemainderOnly = false }: Surroundings = {},
  ): void {
    this.begin(instruction.size, instruction.slots, instruction.long, instruction.addressBytes)
    this.instruction = instruction
    this.address_ = address
    this.notYetRun = notYetRun
    this.onStack = stack
    this.division = division
    this.isQuotient = isQuotient
    this.isRemainderOnly = isRemainderOnly
    this.tameValues.clear()
    this.pointer = -1
    this.pointerOffset = 0
    const { definition, slots } = instruction
    if (membership !== undefined) {
      this.pointer = this.groupLocal(membership.group)
      this.pointerOffset = membership.offset
    } else if (instruction.hasMemory) {
      const operand = slots.findIndex((slot) => slot.kind === 'rm')
      const access = operand < 0 ? 'address' : definition.access[operand]
      const size = operand < 0 ? 0 : slots[operand].size
      this.effectiveAddress(access === 'address' ? undefined : { size, write: access !== 'read' })
      if (access !== 'address') {
        if (definition.aligned === true && size === 16) {
          this.code.get(Local.ADDRESS)
          this.code.op(Op.i32_wrap_i64)
          this.code.i32Const(15)
          this.code.op(Op.i32_and)
          this.leaveIfTrue()
        }
        this.translate(Local.ADDRESS, access !== 'read', size, this.windowPlace())
        this.code.set(Local.POINTER)
        this.pointer = Local.POINTER
      }
    }
    definition.body(this)
  }

  protected override pushVector(bytes: readonly number[]): void {
    const offset = this.vectors?.offsetOf(bytes)
    if (offset === undefined) super.pushVector(bytes)
    else {
      this.code.i32Const(0)
      this.code.simdMemory(SimdOp.v128_load, offset)
    }
  }

  // ---- leaving

  /** Leaves to tier 0 before this instruction; writes what follows an `if` or stands alone. */
  leave(): void {
    const { code } = this
    if (this.counts) {
      code.get(Local.LEFT)
      code.i32Const(this.notYetRun)
      code.op(Op.i32_add)
      code.set(Local.LEFT)
    }
    code.i64Const(this.address_)
    code.set(Local.RIP)
    code.br(this.exitSlow)
  }
  private leaveIfTrue(): void {
    this.code.if()
    this.leave()
    this.code.end()
  }

  // ---- memory

  private effectiveAddress(access: { size: number; write: boolean } | undefined): void {
    const { code, instruction } = this
    const { base, index, displacement, scale } = instruction
    if (base === RIP_BASE) this.pushAddress(-1, index, scale, this.address_ + displacement)
    else this.pushAddress(base, index, scale, displacement)
    if (instruction.addressBytes < 8) this.wrap(instruction.addressBytes)
    if (instruction.checked && access !== undefined) {
      code.set(Local.ADDRESS)
      this.checkSegment(instruction.segment, Local.ADDRESS, access.size, access.write)
      code.get(Local.ADDRESS)
    }
    if (instruction.segment >= 0) {
      code.i32Const(0)
      code.memory(Op.i64_load, segmentBaseAt(instruction.segment))
      code.op(Op.i64_add)
      if (!instruction.long) this.wrap(4)
    }
    code.set(Local.ADDRESS)
  }
  private pushAddress(base: number, index: number, scale: number, constant: number): void {
    const { code } = this
    let pushed = false
    if (base >= 0) {
      code.get(this.gprLocal(base))
      pushed = true
    }
    if (index >= 0) {
      code.get(this.gprLocal(index))
      if (scale > 0) {
        code.i64Const(scale)
        code.op(Op.i64_shl)
      }
      if (pushed) code.op(Op.i64_add)
      pushed = true
    }
    if (!pushed) code.i64Const(constant)
    else if (constant !== 0) {
      code.i64Const(constant)
      code.op(Op.i64_add)
    }
  }
  private wrap(bytes: number): void {
    this.code.i64Const(bytes === 2 ? 0xffff : 0xffffffff)
    this.code.op(Op.i64_and)
  }
  /** Leaves unless the bytes at an offset (in a local) of a segment can be read or written without a closer look. */
  private checkSegment(segment: number, offset: number, size: number, write: boolean): void {
    const { code } = this
    code.get(offset)
    code.i64Const(size)
    code.op(Op.i64_add)
    code.i32Const(0)
    code.memory(Op.i64_load, segmentBaseAt(segment) - SegmentField.BASE + (write ? SegmentField.WRITE_END : SegmentField.READ_END))
    code.op(Op.i64_gt_u)
    this.leaveIfTrue()
  }

  /**
   * Pushes the host address of `size` bytes at the linear address in a local: through the window that was used here last, else through
   * the TLB, whose window is used from then on; leaves when that does not have the page either.
   * @param place which of the windows is looked through, from 0 to WINDOW_SLOT_COUNT - 1
   */
  private translate(address: number, write: boolean, size: number, place: number): void {
    const { code } = this
    const slot = this.windows + ((write ? WINDOW_SLOT_COUNT : 0) + place) * WINDOW_SLOT_BYTES
    this.pushDistance(address, slot)
    this.pushBytes(slot)
    code.op(Op.i64_ge_u)
    code.if()
    this.lookThroughTlb(address, write, size, slot)
    code.end()
    this.pushHost(address, slot)
  }
  /** Pushes how far the linear address in a local is from a window's beginning. */
  private pushDistance(address: number, slot: number): void {
    const { code } = this
    code.get(address)
    code.i32Const(0)
    code.memory(Op.i64_load, slot + WindowSlotField.BASE)
    code.op(Op.i64_sub)
  }
  /** Pushes which distance is too far. */
  private pushBytes(slot: number): void {
    this.code.i32Const(0)
    this.code.memory(Op.i64_load, slot + WindowSlotField.BYTES)
  }
  /** Pushes the host address of the linear address in a local, which is in the window. */
  private pushHost(address: number, slot: number): void {
    const { code } = this
    code.get(address)
    code.op(Op.i32_wrap_i64)
    code.i32Const(0)
    code.memory(Op.i32_load, slot + WindowSlotField.DELTA)
    code.op(Op.i32_add)
  }
  private lookThroughTlb(address: number, write: boolean, size: number, slot: number): void {
    const { code } = this
    code.get(address)
    code.i64Const(12 - Math.log2(TLB_ENTRY_BYTES))
    code.op(Op.i64_shr_u)
    code.op(Op.i32_wrap_i64)
    code.i32Const((TLB_ENTRIES - 1) * TLB_ENTRY_BYTES)
    code.op(Op.i32_and)
    code.set(Local.ADDRESS32)
    code.get(address)
    code.get(Local.ADDRESS32)
    code.memory(Op.i64_load, this.tlb + (write ? TlbField.WRITE : TlbField.READ))
    code.op(Op.i64_xor)
    code.i64Const(4096 - size)
    code.op(Op.i64_gt_u)
    this.leaveIfTrue()
    const window = this.tlb - TLB_SUPERVISOR + TLB_WINDOWS
    const move = (to: number, load: number, store: number, from: number): void => {
      code.i32Const(0)
      code.get(Local.ADDRESS32)
      code.memory(load, window + from)
      code.memory(store, slot + to)
    }
    move(WindowSlotField.BASE, Op.i64_load, Op.i64_store, write ? TlbWindowField.WRITE_BASE : TlbWindowField.READ_BASE)
    move(WindowSlotField.BYTES, Op.i64_load32_u, Op.i64_store, write ? TlbWindowField.WRITE_BYTES : TlbWindowField.READ_BYTES)
    move(WindowSlotField.DELTA, Op.i32_load, Op.i32_store, TlbWindowField.DELTA)
    code.i32Const(0)
    code.i32Const(0)
    code.memory(Op.i32_load, slot + WindowSlotField.BYTES)
    code.i32Const(1)
    code.op(Op.i32_shr_u)
    code.memory(Op.i32_store, slot + WindowSlotField.HALF_BYTES)
  }
  /** Accesses by one base register mostly go to one place; those by none are told apart by where their displacement leads. */
  private windowPlace(): number {
    const { base, displacement } = this.instruction
    return placeOf(base === RIP_BASE ? -1 : base, base === RIP_BASE ? this.address_ + displacement : displacement)
  }

  /** Looks for a block's groups; pushes 1 when every one of them is where its members may be found without another look. */
  openGroups(groups: readonly Group[]): void {
    const { code } = this
    groups.forEach(({ base, index, scale, segment, lowest, span, writes, alignment }, number) => {
      this.pushAddress(base, index, scale, lowest)
      if (segment >= 0) {
        code.i32Const(0)
        code.memory(Op.i64_load, segmentBaseAt(segment))
        code.op(Op.i64_add)
      }
      code.set(Local.ADDRESS)
      const slot = this.windows + ((writes ? WINDOW_SLOT_COUNT : 0) + placeOf(base, lowest)) * WINDOW_SLOT_BYTES
      this.pushHost(Local.ADDRESS, slot)
      code.set(this.groupLocal(number))
      this.pushDistance(Local.ADDRESS, slot)
      if (span <= WINDOW_TAIL_BYTES + 1) {
        this.pushBytes(slot)
        code.op(Op.i64_lt_u)
      } else {
        // In halves, so that the difference may be negative and the distance is not.
        code.i64Const(1)
        code.op(Op.i64_shr_u)
        code.i32Const(0)
        code.memory(Op.i64_load32_u, slot + WindowSlotField.HALF_BYTES)
        code.i64Const((span - WINDOW_TAIL_BYTES) >> 1)
        code.op(Op.i64_sub)
        code.op(Op.i64_lt_s)
      }
      if (alignment !== undefined) {
        code.get(this.groupLocal(number))
        code.i32Const(alignment)
        code.op(Op.i32_add)
        code.i32Const(15)
        code.op(Op.i32_and)
        code.op(Op.i32_eqz)
        code.op(Op.i32_and)
      }
      if (number > 0) code.op(Op.i32_and)
    })
  }

  private loadSized(size: number, offset = 0): Value {
    this.code.memory(size === 1 ? Op.i32_load8_u : size === 2 ? Op.i32_load16_u : size === 4 ? Op.i32_load : Op.i64_load, offset)
    return this.pop(size === 8)
  }
  private storeSized(size: number, offset = 0): void {
    this.code.memory(size === 1 ? Op.i32_store8 : size === 2 ? Op.i32_store16 : size === 4 ? Op.i32_store : Op.i64_store, offset)
  }
  override load(address: Value, size: number, { written = false, stack }: MemoryAccess = {}): Value {
    if (stack === true && this.onStack !== undefined) {
      this.code.get(this.groupLocal(this.onStack.group))
      return this.loadSized(size, this.onStack.offset)
    }
    const at = this.variable(address)
    this.translate(at, written, size, OTHER_WINDOW)
    return this.loadSized(size)
  }
  override store(address: Value, size: number, value: Value, { stack }: MemoryAccess = {}): void {
    if (stack === true && this.onStack !== undefined) {
      this.code.get(this.groupLocal(this.onStack.group))
      this.push(value)
      this.storeSized(size, this.onStack.offset)
      return
    }
    const at = this.variable(address)
    this.translate(at, true, size, OTHER_WINDOW)
    this.push(value)
    this.storeSized(size)
  }
  override address(): Value {
    this.code.get(Local.ADDRESS)
    return this.popI64()
  }
  override addressAt(offset: Value, size: number, write: boolean): Value {
    const { addressBytes, segment, checked } = this.instruction
    const plain = this.add(this.address(), offset)
    if (addressBytes === 8) return plain
    const mask = this.constI64(addressBytes === 2 ? 0xffff : 0xffffffff)
    if (segment < 0) return this.and(plain, mask)
    this.code.i32Const(0)
    this.code.memory(Op.i64_load, segmentBaseAt(segment))
    const base = this.popI64()
    const cut = this.variable(this.and(this.sub(plain, base), mask))
    if (checked) this.checkSegment(segment, cut, size, write)
    const sum = this.add(cut, base)
    return this.long ? sum : this.and(sum, this.constI64(0xffffffff))
  }
  override linear(segment: number, offset: Value, size: number, write: boolean): Value {
    const { code, instruction } = this
    const index = segment >= 0 ? segment : instruction.segment
    if (this.long && (segment >= 0 || index < 0)) return offset
    const cut = this.long ? offset : this.variable(this.and(offset, this.constI64(0xffffffff)))
    if (segment >= 0 ? (this.mode & ModeBit.CHECKED) !== 0 : instruction.checked) this.checkSegment(index, cut, size, write)
    if (index < 0 || (segment >= 0 && (this.mode & (ModeBit.BASED | ModeBit.CHECKED)) === 0)) return cut
    this.push(cut)
    code.i32Const(0)
    code.memory(Op.i64_load, segmentBaseAt(index))
    code.op(Op.i64_add)
    const sum = this.popI64()
    return this.long ? sum : this.and(sum, this.constI64(0xffffffff))
  }

  // ---- registers and operands

  private localIn(locals: Map<number, number>, index: number, type: ValueType): number {
    let local = locals.get(index)
    if (local === undefined) locals.set(index, (local = this.newLocal(type)))
    return local
  }
  private gprLocal(index: number): number {
    return this.localIn(this.gprs, index, Type.i64)
  }
  private xmmLocal(index: number): number {
    return this.localIn(this.xmms, index, Type.v128)
  }
  private groupLocal(number: number): number {
    this.groups[number] ??= this.newLocal(Type.i32)
    return this.groups[number]
  }
  override gpr(index: number): Value {
    this.code.get(this.gprLocal(index))
    return this.popI64()
  }
  override setGpr(index: number, value: Value): void {
    this.gprsWritten.add(index)
    this.push(value)
    this.code.set(this.gprLocal(index))
  }
  private readRegister(index: number, high: boolean, size: number): Value {
    if (!high) return this.register(index, size)
    this.code.get(this.gprLocal(index))
    this.code.op(Op.i32_wrap_i64)
    this.code.i32Const(8)
    this.code.op(Op.i32_shr_u)
    this.code.i32Const(0xff)
    this.code.op(Op.i32_and)
    return this.popI32()
  }
  private writeRegister(index: number, high: boolean, size: number, value: Value): void {
    if (!high) {
      this.setRegister(index, value, size)
      return
    }
    const rest = this.and(this.gpr(index), this.constI64(-0xff01))
    this.setGpr(index, this.or(rest, this.shl(this.wide(value), this.constI64(8))))
  }
  protected override readRm(size: number): Value {
    if (this.pointer < 0) return this.readRegister(this.instruction.rm, this.instruction.rmHigh, size)
    this.code.get(this.pointer)
    return this.loadSized(size, this.pointerOffset)
  }
  protected override writeRm(size: number, value: Value): void {
    if (this.pointer < 0) {
      this.writeRegister(this.instruction.rm, this.instruction.rmHigh, size, value)
      return
    }
    this.code.get(this.pointer)
    this.push(value)
    this.storeSized(size, this.pointerOffset)
  }
  protected override readReg(size: number): Value {
    return this.readRegister(this.instruction.reg, this.instruction.regHigh, size)
  }
  protected override writeReg(size: number, value: Value): void {
    this.writeRegister(this.instruction.reg, this.instruction.regHigh, size, value)
  }
  protected override readVectorRm(size: number): Value {
    const { code } = this
    if (this.pointer >= 0) {
      code.get(this.pointer)
      if (size === 2) return this.wordVector(this.pointerOffset)
      code.simdMemory(size === 16 ? SimdOp.v128_load : size === 8 ? SimdOp.v128_load64_zero : SimdOp.v128_load32_zero, this.pointerOffset)
      return this.popV128()
    }
    return this.readXmm(this.instruction.rm)
  }
  override xmm(index: number): Value {
    return this.readXmm(index)
  }
  override setXmm(index: number, value: Value): void {
    this.writeXmm(index, value)
  }
  private readXmm(register: number): Value {
    this.code.get(this.xmmLocal(register))
    const value = this.popV128()
    this.tameValues.set(value, { bits: this.tameRegisters.get(register) ?? 0, register })
    return value
  }
  private writeXmm(register: number, value: Value): void {
    this.push(value)
    this.code.set(this.xmmLocal(register))
    this.tameRegisters.set(register, this.tameness(value))
  }
  override tameness(value: Value): number {
    return this.tameValues.get(value)?.bits ?? 0
  }
  override float(operation: FloatOperation, inputs: FloatInputs): Value {
    const inline = operation.inline(this, inputs)
    const { result, inexact, tame = 0, tameInputs = 0 } = inline
    this.whenInDoubt(inline, () => this.leave())
    if (this.exact && inexact) {
      this.push(inexact())
      this.leaveIfTrue()
    }
    for (const input of [inputs.a, inputs.b]) {
      const known = input === undefined ? undefined : this.tameValues.get(input)
      if (known === undefined || known.register === undefined) continue
      known.bits |= tameInputs
      this.tameRegisters.set(known.register, known.bits)
    }
    this.tameValues.set(result, { bits: tame })
    return result
  }
  protected override writeVectorRm(size: number, value: Value): void {
    const { code } = this
    if (this.pointer < 0) {
      this.writeXmm(this.instruction.rm, value)
      return
    }
    code.get(this.pointer)
    this.push(value)
    if (size === 16) {
      code.simdMemory(SimdOp.v128_store, this.pointerOffset)
      return
    }
    code.simdLane(size === 8 ? SimdOp.i64x2_extract_lane : SimdOp.i32x4_extract_lane, 0)
    this.storeSized(size, this.pointerOffset)
  }
  protected override readVectorReg(): Value {
    return this.readXmm(this.instruction.reg)
  }
  protected override writeVectorReg(value: Value): void {
    this.writeXmm(this.instruction.reg, value)
  }
  protected override immediate(size: number): Value {
    const { immediateLow, immediateHigh } = this.instruction
    if (size === 8) return this.constI64Halves(immediateLow, immediateHigh)
    return this.constI32(size === 4 ? immediateLow : immediateLow & (size === 2 ? 0xffff : 0xff))
  }
  override knownImmediate(): number {
    return this.instruction.immediateLow
  }
  override rmIsRegister(): boolean {
    return !this.instruction.hasMemory
  }

  // ---- flags

  override flags(kind: CcKind, { a, b, r }: { a?: Value; b?: Value; r: Value }, size = this.size): void {
    const { code } = this
    if (a !== undefined) {
      this.push(this.wide(a))
      code.set(Local.CC_A)
    }
    if (b !== undefined) {
      this.push(this.wide(b))
      code.set(Local.CC_B)
    }
    this.push(this.wide(r))
    code.set(Local.CC_R)
    this.setOp(ccOp(kind, size))
  }
  private setOp(op: number): void {
    this.code.i32Const(op)
    this.code.set(Local.CC_OP)
    this.flagState = { op, carryKnown: false }
  }
  override flagsIf(condition: Value, kind: CcKind, { a, b, r }: { a?: Value; b?: Value; r: Value }): void {
    const { code } = this
    const keepCarry = this.flagState.op !== undefined || this.flagState.carryKnown
    const before = keepCarry ? this.carry() : undefined
    const operation = ccOp(kind, this.size)
    const choose = (local: number, value: Value): void => {
      this.push(value)
      code.get(local)
      this.push(condition)
      code.op(Op.select)
      code.set(local)
    }
    if (a !== undefined) choose(Local.CC_A, this.wide(a))
    if (b !== undefined) choose(Local.CC_B, this.wide(b))
    choose(Local.CC_R, this.wide(r))
    choose(Local.CC_OP, this.constI32(operation))
    if (before !== undefined) {
      // Where the condition holds the operands above are this operation's own.
      this.flagWriter.cf(kind, this.size)
      this.push(before)
      this.push(condition)
      code.op(Op.select)
      code.set(Local.CARRY)
    }
    this.flagState = { op: undefined, carryKnown: before !== undefined }
  }
  override setFlags(word: Value): void {
    this.push(this.wide(word))
    this.code.set(Local.CC_R)
    this.setOp(EXPLICIT_OP)
  }
  override flagsWord(): Value {
    const { op } = this.flagState
    if (op === undefined) return this.unknownFlags()
    this.flagWriter.word(ccKindOf(op), ccSizeOf(op))
    return this.popI32()
  }
  override carry(): Value {
    const { op, carryKnown } = this.flagState
    if (op !== undefined) {
      this.flagWriter.cf(ccKindOf(op), ccSizeOf(op))
      return this.popI32()
    }
    if (!carryKnown) return this.unknownFlags()
    this.code.get(Local.CARRY)
    return this.popI32()
  }
  override condition(cc: number): Value {
    const { op, carryKnown } = this.flagState
    if (op !== undefined) {
      this.flagWriter.condition(cc, ccKindOf(op), ccSizeOf(op))
      return this.popI32()
    }
    if (carryKnown && (cc & 14) === 2) {
      const cf = this.carry()
      return (cc & 1) === 1 ? this.eqz(cf) : cf
    }
    return this.unknownFlags()
  }
  /** Flags that only tier 0 can tell: it runs this instruction. The value is never used. */
  private unknownFlags(): Value {
    this.leave()
    return this.constI32(0)
  }
  /** Makes the flags explicit on the way to a block that asks for them; false when only tier 0 can. */
  makeExplicit(): boolean {
    const { op } = this.flagState
    if (op === undefined) return false
    if (op === EXPLICIT_OP) return true
    this.flagWriter.word(ccKindOf(op), ccSizeOf(op))
    this.code.op(Op.i64_extend_i32_u)
    this.code.set(Local.CC_R)
    this.code.i32Const(EXPLICIT_OP)
    this.code.set(Local.CC_OP)
    return true
  }
  /** Puts CF where a block that asks for it finds it; false when only tier 0 can. */
  makeCarry(): boolean {
    const { op, carryKnown } = this.flagState
    if (op === undefined) return carryKnown
    this.flagWriter.cf(ccKindOf(op), ccSizeOf(op))
    this.code.set(Local.CARRY)
    return true
  }

  // ---- faults and control

  override raiseIf(condition: Value): void {
    this.push(condition)
    this.leaveIfTrue()
  }
  override nextRip(): Value {
    const next = this.address_ + this.instruction.length
    return this.constI64(this.long ? next : next >>> 0)
  }
  protected override beyondCode(target: () => Value): Value | undefined {
    if ((this.mode & ModeBit.LIMITED) === 0) return undefined
    this.code.i32Const(0)
    this.code.memory(Op.i64_load, State.CODE_END)
    const end = this.popI64()
    return this.geU(target(), end)
  }
  protected override stackMask(): Value | undefined {
    return (this.mode & ModeBit.STACK32) !== 0 ? undefined : this.constI64(0xffff)
  }
  override jumpRelative(): void {
    this.requireNear()
    this.sink.jump()
  }
  protected override branchIf(condition: Value): void {
    this.sink.branch(condition)
  }
  override jumpTo(target: Value): void {
    this.sink.indirect(this.long ? target : this.and(target, this.constI64(0xffffffff)))
  }
  override callRelative(): void {
    this.requireNear()
    this.pushStack(this.resize(this.nextRip()), this.size)
    this.sink.call()
  }
  /** IN and RDTSC. The machine is asked, and may ask for a stop behind the instruction. */
  override system(op: SystemOp): void {
    const { code } = this
    if (op !== SystemOp.IN && op !== SystemOp.RDTSC) throw new Error('a system instruction in a region')
    // Where only tier 0 can tell whether it is allowed, and what breakpoints make of it.
    this.loadState32(op === SystemOp.IN ? State.CPL : State.CR4)
    if (op === SystemOp.RDTSC) {
      code.i32Const(Cr4.TSD)
      code.op(Op.i32_and)
    } else {
      this.loadState32(DR7)
      code.i32Const(DR7_ENABLES)
      code.op(Op.i32_and)
      code.op(Op.i32_or)
    }
    this.leaveIfTrue()
    this.asksMachine = true
    code.i32Const(0)
    this.pushLeftBehind()
    code.memory(Op.i32_store, State.REMAINING)
    if (op === SystemOp.IN) {
      this.push(this.slots[0].kind === 'dx' ? this.and(this.get(0), this.constI32(0xffff)) : this.and(this.get(0), this.constI32(0xff)))
      code.i32Const(this.size)
      code.call(MachineFunction.PORT_IN)
      const value = this.popI32()
      this.setRegister(Gpr.RAX, this.size === 4 ? value : this.and(value, this.constI32(this.size === 1 ? 0xff : 0xffff)))
    } else {
      code.call(MachineFunction.TIME_STAMP)
      for (const [register, offset] of [[Gpr.RAX, State.SYS_VALUE], [Gpr.RDX, State.SYS_VALUE + 4]] as const) {
        this.loadState32(offset)
        this.setRegister(register, this.popI32(), 4)
      }
    }
    this.loadState32(State.STOP)
    code.if()
    this.pushLeftBehind()
    code.set(Local.LEFT)
    this.push(this.nextRip())
    code.set(Local.RIP)
    code.br(this.exit)
    code.end()
  }
  private loadState32(offset: number): void {
    this.code.i32Const(0)
    this.code.memory(Op.i32_load, offset)
  }
  /** Pushes how many instructions are left behind this one. */
  private pushLeftBehind(): void {
    this.code.get(Local.LEFT)
    this.code.i32Const(this.notYetRun - 1)
    this.code.op(Op.i32_add)
  }
  override divide128(isSigned: boolean, high: Value, low: Value, divisor: Value): Division {
    const simple = isSigned
      ? this.and(this.eq(high, this.shrS(low, this.constI64(63))), this.ne(divisor, this.constI64(-1)))
      : this.eqz(high)
    this.push(this.eqz(simple))
    this.leaveIfTrue()
    return this.quotientAndRemainder(isSigned, low, divisor)
  }
  override quotientAndRemainder(isSigned: boolean, dividend: Value, divisor: Value): Division {
    const result = super.quotientAndRemainder(isSigned, dividend, divisor)
    // V8 drops the quotient that nobody reads.
    return this.isRemainderOnly && !isSigned ? { ...result, remainder: this.remU(dividend, divisor) } : result
  }
  override mulHigh(isSigned: boolean, a: Value, b: Value): Value {
    const high = super.mulHigh(isSigned, a, b)
    if (this.division !== undefined) this.divide(this.division, { accumulator: a, operand: b, high })
    return high
  }
  /** Finds the quotient that the shift of the upper half will give: by a division, if the multiplier is what it was taken for. */
  private divide({ reciprocal, isAccumulator }: ReciprocalDivision, of: { accumulator: Value; operand: Value; high: Value }): void {
    const { code } = this
    const { multiplier, shift, divisor, below } = reciprocal
    const half = (value: bigint): number => Number(BigInt.asIntN(32, value))
    const constant = (value: bigint): Value => this.constI64Halves(half(value), half(value >> 32n))
    const [dividend, factor] = isAccumulator ? [of.operand, of.accumulator] : [of.accumulator, of.operand]
    const isReciprocal = this.eq(factor, constant(multiplier))
    if (this.quotient < 0) this.quotient = this.newLocal(Type.i64)
    this.push(below === undefined ? isReciprocal : this.and(isReciprocal, this.ltU(dividend, constant(below))))
    code.if()
    this.assign(this.quotient, this.divU(dividend, constant(divisor)))
    code.else()
    this.assign(this.quotient, this.shrU(of.high, this.constI64(shift)))
    code.end()
  }
  override shrU(a: Value, b: Value): Value {
    return this.isQuotient ? this.variable(this.quotient) : super.shrU(a, b)
  }
  override repeat(): void {
    throw new Error('a repeated string instruction in a region')
  }
}

/** The processor state that a region takes into locals and gives back. */
export function stateTransfer(emit: RegionEmit): { load: Code; store: Code } {
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
  for (const [register, local] of emit.gprs) move(local, State.GPR + register * 8, Op.i64_load, Op.i64_store)
  for (const [register, local] of emit.xmms) {
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
