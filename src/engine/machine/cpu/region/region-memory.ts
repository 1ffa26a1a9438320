import type { Code } from '../../wasm/code.ts'
import { Op, Type } from '../../wasm/opcodes.ts'
import type { ValueType } from '../../wasm/opcodes.ts'
import type { Instruction } from '../decode.ts'
import { RIP_BASE } from '../decode.ts'
import { Emit } from '../emit.ts'
import type { MemoryAccess, Value } from '../emit.ts'
import type { Group, Membership } from './groups.ts'
import { LOCALS, Local } from './locals.ts'
import {
  Gpr, ModeBit, SegmentField, TLB_ENTRIES, TLB_ENTRY_BYTES, TLB_SUPERVISOR, TLB_USER, TLB_WINDOWS, TlbField, TlbWindowField,
  WINDOW_SLOT_BYTES, WINDOW_SLOT_COUNT, WINDOW_SLOTS, WINDOW_TAIL_BYTES, WindowSlotField, segmentBaseAt,
} from '../state.ts'

/** The window of accesses that are no operand's: of the stack, mostly. */
const OTHER_WINDOW = Gpr.RSP

/** Which window an access looks through, by its base register (-1 for none) and its displacement. */
const placeOf = (base: number, displacement: number): number => (base >= 0 ? base : 16 + (Math.floor(displacement / 4096) & 7))

export interface MemoryOptions {
  /** ModeBit flags. */
  mode: number
  /** False: instructions are not counted. */
  counts: boolean
}

/** What is known of an instruction's memory from those around it: the groups that have found its operand, and what it pushes or pops. */
export interface FoundMemory {
  operand?: Membership
  stack?: Membership
}

/** How translated code gets at memory: through windows and the TLB, in line, leaving to tier 0 where neither has the page. */
export abstract class RegionMemory extends Emit {
  /** Label of the exit before the instruction at RIP for tier 0. */
  exitSlow = 0
  /** Locals of the general registers that are used, by number. */
  readonly gprs = new Map<number, number>()
  /** Host addresses of the groups of the block being run. */
  private readonly groups: number[] = []
  protected instruction!: Instruction
  protected linearAddress = 0
  protected notYetRun = 0
  protected readonly mode: number
  private readonly tlb: number
  private readonly windows: number
  private readonly counts: boolean
  /** Where the memory operand is: a local with a host address and what is added to it; -1 when there is none. */
  protected pointer = -1
  protected pointerOffset = 0
  /** Where a group has found what the instruction pushes or pops. */
  private onStack: Membership | undefined

  constructor(code: Code, { mode, counts }: MemoryOptions) {
    super(code, LOCALS)
    this.counts = counts
    this.mode = mode
    const user = (mode & ModeBit.USER) !== 0
    this.tlb = user ? TLB_USER : TLB_SUPERVISOR
    this.windows = WINDOW_SLOTS + (user ? 2 * WINDOW_SLOT_COUNT * WINDOW_SLOT_BYTES : 0)
  }

  /** Begins an instruction: looks for its memory operand, unless a group has found it. */
  protected beginAt(instruction: Instruction, address: number, notYetRun: number, { operand: membership, stack }: FoundMemory): void {
    const { code } = this
    this.begin(instruction.size, instruction.slots, instruction.long, instruction.addressBytes)
    this.instruction = instruction
    this.linearAddress = address
    this.notYetRun = notYetRun
    this.onStack = stack
    this.pointer = -1
    this.pointerOffset = 0
    if (membership !== undefined) {
      this.pointer = this.groupLocal(membership.group)
      this.pointerOffset = membership.offset
      return
    }
    if (!instruction.hasMemory) return
    const { definition, slots } = instruction
    const operand = slots.findIndex((slot) => slot.kind === 'rm')
    const access = operand < 0 ? 'address' : definition.access[operand]
    const size = operand < 0 ? 0 : slots[operand].size
    this.effectiveAddress(access === 'address' ? undefined : { size, write: access !== 'read' })
    if (access === 'address') return
    if (definition.aligned === true && size === 16) {
      code.get(Local.ADDRESS)
      code.op(Op.i32_wrap_i64)
      code.i32Const(15)
      code.op(Op.i32_and)
      this.leaveIfTrue()
    }
    this.translate(Local.ADDRESS, access !== 'read', size, this.windowPlace())
    code.set(Local.POINTER)
    this.pointer = Local.POINTER
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
    code.i64Const(this.linearAddress)
    code.set(Local.RIP)
    code.br(this.exitSlow)
  }
  protected leaveIfTrue(): void {
    this.code.if()
    this.leave()
    this.code.end()
  }

  protected localIn(locals: Map<number, number>, index: number, type: ValueType): number {
    let local = locals.get(index)
    if (local === undefined) locals.set(index, (local = this.newLocal(type)))
    return local
  }
  protected gprLocal(index: number): number {
    return this.localIn(this.gprs, index, Type.i64)
  }
  private groupLocal(number: number): number {
    this.groups[number] ??= this.newLocal(Type.i32)
    return this.groups[number]
  }

  // ---- memory

  private effectiveAddress(access: { size: number; write: boolean } | undefined): void {
    const { code, instruction } = this
    const { base, index, displacement, scale } = instruction
    if (base === RIP_BASE) this.pushAddress(-1, index, scale, this.linearAddress + displacement)
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
    return placeOf(base === RIP_BASE ? -1 : base, base === RIP_BASE ? this.linearAddress + displacement : displacement)
  }

  /** Looks for a block's groups; goes to a label when one of them is not where its members may be found without another look. */
  openGroups(groups: readonly Group[], otherwise: number): void {
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
        code.op(Op.i64_ge_u)
      } else {
        // In halves, so that the difference may be negative and the distance is not.
        code.i64Const(1)
        code.op(Op.i64_shr_u)
        code.i32Const(0)
        code.memory(Op.i64_load32_u, slot + WindowSlotField.HALF_BYTES)
        code.i64Const((span - WINDOW_TAIL_BYTES) >> 1)
        code.op(Op.i64_sub)
        code.op(Op.i64_ge_s)
      }
      code.brIf(otherwise)
      if (alignment !== undefined) {
        code.get(this.groupLocal(number))
        code.i32Const(alignment)
        code.op(Op.i32_add)
        code.i32Const(15)
        code.op(Op.i32_and)
        code.brIf(otherwise)
      }
    })
  }

  protected loadSized(size: number, offset = 0): Value {
    this.code.memory(size === 1 ? Op.i32_load8_u : size === 2 ? Op.i32_load16_u : size === 4 ? Op.i32_load : Op.i64_load, offset)
    return this.pop(size === 8)
  }
  protected storeSized(size: number, offset = 0): void {
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
}
