import { State } from '../state.ts'
import type { CpuState } from '../system/views.ts'
import { EXPONENT_MAX, INTEGER_BIT } from './float80.ts'
import type { Float80, Sign } from './float80.ts'

/**
 * The x87's state in the machine's memory, from State.FPU: as FXSAVE lays it out (SDM vol. 1, table 10-2), but with the registers in
 * their physical order. Control and status word u16 +0 +2, registers in use u8 +4 (a bit each), last opcode u16 +6, last instruction
 * and data pointer u64 +8 +16, and from +32 eight registers 16 bytes apart: significand u64, sign and exponent u16.
 */
const Offset = { CONTROL: 0, STATUS: 2, USED: 4, OPCODE: 6, INSTRUCTION: 8, DATA: 16, REGISTERS: 32 } as const
const REGISTER_STEP = 16
const BYTES = Offset.REGISTERS + 8 * REGISTER_STEP
/** Where the status word is from State.FPU. */
export const STATUS_OFFSET = Offset.STATUS
/** Bytes of a register's contents. */
export const REGISTER_BYTES = 10

/** Status word, SDM vol. 1, 8.1.3: bits 0–6 as `Exception` has them, then these. */
export const Status = { ES: 0x80, C0: 0x100, C1: 0x200, C2: 0x400, TOP: 0x3800, C3: 0x4000, BUSY: 0x8000 } as const
const TOP_SHIFT = 11
/** The six exceptions, in the status word as in the control word, where they are masks. */
export const EXCEPTIONS = 0x3f
export const CONTROL_INIT = 0x37f
/** Bits of the control word that can be changed, and one that always reads 1. */
const CONTROL_MASK = 0x1f3f
const CONTROL_FIXED = 0x40
/** The last opcode: the low three bits of the first byte, then ModRM. */
const OPCODE_MASK = 0x7ff

/** A register's tag, SDM vol. 1, 8.1.7. */
const Tag = { VALID: 0, ZERO: 1, SPECIAL: 2, EMPTY: 3 } as const

function tagOf({ exponent, significand }: Float80): number {
  if (exponent === 0 && significand === 0n) return Tag.ZERO
  return exponent === 0 || exponent === EXPONENT_MAX || significand < INTEGER_BIT ? Tag.SPECIAL : Tag.VALID
}

/** The stack of eight registers with control and status. */
export class FpuRegisters {
  private readonly view: DataView
  private readonly bytes: Uint8Array

  constructor(state: CpuState) {
    this.view = new DataView(state.view.buffer, State.FPU, BYTES)
    this.bytes = new Uint8Array(state.view.buffer, State.FPU, BYTES)
  }

  /** FNINIT. What is in the registers stays. */
  initialise(): void {
    this.bytes.fill(0, 0, Offset.REGISTERS)
    this.control = CONTROL_INIT
  }

  /** As firmware leaves it after a reset: initialised, and +0 in the registers. */
  reset(): void {
    this.bytes.fill(0)
    this.control = CONTROL_INIT
  }

  get control(): number {
    return this.view.getUint16(Offset.CONTROL, true)
  }
  /** Changes what is masked, and ES and B with it. */
  set control(value: number) {
    this.view.setUint16(Offset.CONTROL, (value & CONTROL_MASK) | CONTROL_FIXED, true)
    this.status = this.view.getUint16(Offset.STATUS, true)
  }
  get status(): number {
    return this.view.getUint16(Offset.STATUS, true)
  }
  /** ES and B follow from the exceptions and their masks. */
  set status(value: number) {
    const pending = (value & ~this.control & EXCEPTIONS) !== 0
    const summary = Status.ES | Status.BUSY
    this.view.setUint16(Offset.STATUS, pending ? value | summary : value & ~summary, true)
  }
  get top(): number {
    return (this.status & Status.TOP) >> TOP_SHIFT
  }
  set top(value: number) {
    this.status = (this.status & ~Status.TOP) | ((value & 7) << TOP_SHIFT)
  }
  /** A bit for each physical register that is not empty. */
  get used(): number {
    return this.bytes[Offset.USED]
  }
  set used(value: number) {
    this.bytes[Offset.USED] = value
  }
  get opcode(): number {
    return this.view.getUint16(Offset.OPCODE, true)
  }
  set opcode(value: number) {
    this.view.setUint16(Offset.OPCODE, value & OPCODE_MASK, true)
  }
  get instruction(): bigint {
    return this.view.getBigUint64(Offset.INSTRUCTION, true)
  }
  set instruction(value: bigint) {
    this.view.setBigUint64(Offset.INSTRUCTION, value, true)
  }
  get data(): bigint {
    return this.view.getBigUint64(Offset.DATA, true)
  }
  set data(value: bigint) {
    this.view.setBigUint64(Offset.DATA, value, true)
  }

  /** Two bits for each physical register, worked out from what is in it. */
  get tags(): number {
    let tags = 0
    for (let index = 0; index < 8; index++) {
      const physical = this.physical(index)
      tags |= (this.isEmpty(index) ? Tag.EMPTY : tagOf(this.get(index))) << (physical * 2)
    }
    return tags
  }
  /** Of a tag only whether it says empty matters. */
  set tags(value: number) {
    let used = 0
    for (let physical = 0; physical < 8; physical++) if (((value >> (physical * 2)) & 3) !== Tag.EMPTY) used |= 1 << physical
    this.used = used
  }

  private physical(index: number): number {
    return (this.top + index) & 7
  }
  isEmpty(index: number): boolean {
    return (this.used & (1 << this.physical(index))) === 0
  }
  free(index: number): void {
    this.used &= ~(1 << this.physical(index))
  }
  /** ST(index), whatever its tag says. */
  get(index: number): Float80 {
    const at = Offset.REGISTERS + this.physical(index) * REGISTER_STEP
    return read80(this.view, at)
  }
  set(index: number, value: Float80): void {
    const physical = this.physical(index)
    write80(this.view, Offset.REGISTERS + physical * REGISTER_STEP, value)
    this.used |= 1 << physical
  }
  /** The bytes of ST(index). */
  image(index: number): Uint8Array {
    const at = Offset.REGISTERS + this.physical(index) * REGISTER_STEP
    return this.bytes.subarray(at, at + REGISTER_BYTES)
  }

  /** Writes the first 160 bytes of FXSAVE's area but MXCSR and its mask. */
  save(area: Uint8Array): void {
    area.set(this.bytes.subarray(0, Offset.REGISTERS))
    for (let index = 0; index < 8; index++) area.set(this.image(index), Offset.REGISTERS + index * REGISTER_STEP)
  }
  /** Loads what `save` wrote. */
  restore(area: Uint8Array): void {
    const view = new DataView(area.buffer, area.byteOffset, BYTES)
    this.control = view.getUint16(Offset.CONTROL, true)
    this.status = view.getUint16(Offset.STATUS, true)
    this.used = area[Offset.USED]
    this.opcode = view.getUint16(Offset.OPCODE, true)
    this.instruction = view.getBigUint64(Offset.INSTRUCTION, true)
    this.data = view.getBigUint64(Offset.DATA, true)
    for (let index = 0; index < 8; index++) {
      const at = Offset.REGISTERS + index * REGISTER_STEP
      this.image(index).set(area.subarray(at, at + REGISTER_BYTES))
    }
  }
}

export function read80(view: DataView, at: number): Float80 {
  const top = view.getUint16(at + 8, true)
  return { sign: (top >> 15) as Sign, exponent: top & EXPONENT_MAX, significand: view.getBigUint64(at, true) }
}

export function write80(view: DataView, at: number, { sign, exponent, significand }: Float80): void {
  view.setBigUint64(at, significand, true)
  view.setUint16(at + 8, (sign << 15) | exponent, true)
}
