import { State } from '../state.ts'
import type { CpuState } from '../system/views.ts'
import { isDenormal, isInfinite, isNan, isUnsupported, isZero } from './float80.ts'
import type { Float80 } from './float80.ts'

/**
 * The x87's state in the machine's memory, from State.FPU: control, status and tag words u16 +0 +2 +4, last opcode u16 +6, last
 * instruction and data pointers u64 +8 +16, then eight physical registers of 16 bytes from +32: significand u64, sign and exponent u16.
 */
const Offset = { CONTROL: 0, STATUS: 2, TAGS: 4, OPCODE: 6, INSTRUCTION: 8, DATA: 16, REGISTERS: 32 } as const
const REGISTER_BYTES = 16

/** Status word, SDM vol. 1, 8.1.3: bits 0–6 as `Exception` has them, then these. */
export const Status = { ES: 0x80, C0: 0x100, C1: 0x200, C2: 0x400, TOP_SHIFT: 11, C3: 0x4000, BUSY: 0x8000 } as const
export const CONTROL_INIT = 0x37f
/** Bits of the control word that mean something, and bit 6, which always reads 1. */
const CONTROL_MASK = 0x1f3f
const CONTROL_FIXED = 0x40

/** A register's tag, SDM vol. 1, 8.1.7. */
export const Tag = { VALID: 0, ZERO: 1, SPECIAL: 2, EMPTY: 3 } as const

function tagOf(x: Float80): number {
  if (isZero(x)) return Tag.ZERO
  return isNan(x) || isInfinite(x) || isDenormal(x) || isUnsupported(x) || x.exponent === 32767 ? Tag.SPECIAL : Tag.VALID
}

/** The stack of eight registers with control, status and tags. */
export class FpuRegisters {
  private readonly view: DataView

  constructor(state: CpuState) {
    this.view = new DataView(state.view.buffer, State.FPU, 512)
  }

  /** FNINIT. Register contents stay. */
  initialise(): void {
    this.control = CONTROL_INIT
    this.status = 0
    this.tags = 0xffff
    this.view.setUint16(Offset.OPCODE, 0, true)
    this.view.setBigUint64(Offset.INSTRUCTION, 0n, true)
    this.view.setBigUint64(Offset.DATA, 0n, true)
  }

  get control(): number {
    return this.view.getUint16(Offset.CONTROL, true)
  }
  set control(value: number) {
    this.view.setUint16(Offset.CONTROL, (value & CONTROL_MASK) | CONTROL_FIXED, true)
  }
  get status(): number {
    return this.view.getUint16(Offset.STATUS, true)
  }
  set status(value: number) {
    this.view.setUint16(Offset.STATUS, value, true)
  }
  get tags(): number {
    return this.view.getUint16(Offset.TAGS, true)
  }
  set tags(value: number) {
    this.view.setUint16(Offset.TAGS, value, true)
  }
  get top(): number {
    return (this.status >> Status.TOP_SHIFT) & 7
  }
  set top(value: number) {
    this.status = (this.status & ~(7 << Status.TOP_SHIFT)) | ((value & 7) << Status.TOP_SHIFT)
  }
  get lastInstruction(): bigint {
    return this.view.getBigUint64(Offset.INSTRUCTION, true)
  }
  set lastInstruction(value: bigint) {
    this.view.setBigUint64(Offset.INSTRUCTION, value, true)
  }

  private physical(index: number): number {
    return (this.top + index) & 7
  }
  isEmpty(index: number): boolean {
    return ((this.tags >> (this.physical(index) * 2)) & 3) === Tag.EMPTY
  }
  /** ST(index), whatever its tag says. */
  get(index: number): Float80 {
    return this.getPhysical(this.physical(index))
  }
  set(index: number, value: Float80): void {
    this.setPhysical(this.physical(index), value)
  }
  getPhysical(physical: number): Float80 {
    const at = Offset.REGISTERS + physical * REGISTER_BYTES
    const top = this.view.getUint16(at + 8, true)
    return { sign: (top >> 15) as 0 | 1, exponent: top & 0x7fff, significand: this.view.getBigUint64(at, true) }
  }
  /** Writes a register and its tag. */
  setPhysical(physical: number, value: Float80): void {
    const at = Offset.REGISTERS + physical * REGISTER_BYTES
    this.view.setBigUint64(at, value.significand, true)
    this.view.setUint16(at + 8, (value.sign << 15) | value.exponent, true)
    this.setTag(physical, tagOf(value))
  }
  setTag(physical: number, tag: number): void {
    this.tags = (this.tags & ~(3 << (physical * 2))) | (tag << (physical * 2))
  }
  free(index: number): void {
    this.setTag(this.physical(index), Tag.EMPTY)
  }
  /** Ten bytes of a register as FSAVE and FXSAVE have them. */
  bytes(physical: number): Uint8Array {
    const at = Offset.REGISTERS + physical * REGISTER_BYTES
    return new Uint8Array(this.view.buffer, this.view.byteOffset + at, 10)
  }
  /** Loads ten bytes; a register that is not `empty` gets the tag its content has. */
  load(physical: number, bytes: Uint8Array, empty: boolean): void {
    this.bytes(physical).set(bytes.subarray(0, 10))
    if (empty) this.setTag(physical, Tag.EMPTY)
    else this.setPhysical(physical, this.getPhysical(physical))
  }
}
