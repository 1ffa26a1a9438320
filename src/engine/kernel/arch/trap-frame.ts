import { Rflag } from '../../machine/cpu/state.ts'
import { Selector } from './gdt.ts'

/** What boot.S and the processor push on a trap, from RSP up; 22 words of 8 bytes. */
export const FrameOffset = {
  R15: 0, R14: 8, R13: 16, R12: 24, R11: 32, R10: 40, R9: 48, R8: 56, RBP: 64, RDI: 72, RSI: 80, RDX: 88, RCX: 96, RBX: 104, RAX: 112,
  VECTOR: 120, ERROR: 128, RIP: 136, CS: 144, RFLAGS: 152, RSP: 160, SS: 168,
} as const
export const TRAP_FRAME_BYTES = 176

/** Registers in the order a person reads them, with their place in the frame. */
export const frameRegisters = [
  ['rax', FrameOffset.RAX], ['rbx', FrameOffset.RBX], ['rcx', FrameOffset.RCX], ['rdx', FrameOffset.RDX],
  ['rsi', FrameOffset.RSI], ['rdi', FrameOffset.RDI], ['rbp', FrameOffset.RBP], ['rsp', FrameOffset.RSP],
  ['r8', FrameOffset.R8], ['r9', FrameOffset.R9], ['r10', FrameOffset.R10], ['r11', FrameOffset.R11],
  ['r12', FrameOffset.R12], ['r13', FrameOffset.R13], ['r14', FrameOffset.R14], ['r15', FrameOffset.R15],
] as const

const TWO_32 = 4294967296

/** A trap frame, in guest memory or saved in a process: 176 bytes that the processor resumes from. */
export class TrapFrame {
  private readonly view: DataView
  private readonly base: number

  constructor(view: DataView, base: number) {
    this.view = view
    this.base = base
  }

  /** A frame of zeros outside guest memory. */
  static blank(): TrapFrame {
    return new TrapFrame(new DataView(new ArrayBuffer(TRAP_FRAME_BYTES)), 0)
  }

  getU64(offset: number): bigint {
    return this.view.getBigUint64(this.base + offset, true)
  }
  setU64(offset: number, value: bigint): void {
    this.view.setBigUint64(this.base + offset, value, true)
  }
  /** The word as a number: exact below 2^53, and far outside user space otherwise. */
  getNumber(offset: number): number {
    return this.view.getUint32(this.base + offset, true) + this.view.getUint32(this.base + offset + 4, true) * TWO_32
  }
  /** The low 32 bits, signed: a C `int`. */
  getInt(offset: number): number {
    return this.view.getInt32(this.base + offset, true)
  }
  /** Any integer between -2^53 and 2^53, sign-extended to 64 bits. */
  setNumber(offset: number, value: number): void {
    const high = Math.floor(value / TWO_32)
    this.view.setUint32(this.base + offset, value - high * TWO_32, true)
    this.view.setInt32(this.base + offset + 4, high, true)
  }

  get vector(): number { return this.view.getUint32(this.base + FrameOffset.VECTOR, true) }
  get error(): number { return this.view.getUint32(this.base + FrameOffset.ERROR, true) }
  get rip(): number { return this.getNumber(FrameOffset.RIP) }
  get rsp(): number { return this.getNumber(FrameOffset.RSP) }
  get fromUser(): boolean { return (this.view.getUint16(this.base + FrameOffset.CS, true) & 3) === 3 }

  /** Copies `other` over this frame. */
  set(other: TrapFrame): void {
    for (let offset = 0; offset < TRAP_FRAME_BYTES; offset += 4)
      this.view.setUint32(this.base + offset, other.view.getUint32(other.base + offset, true), true)
  }

  /** All registers zero, then entry point, stack and ring 3 with interrupts on. */
  enterUser(entry: number, stack: number): void {
    this.clear()
    this.setNumber(FrameOffset.RIP, entry)
    this.setNumber(FrameOffset.CS, Selector.USER_CS)
    this.setNumber(FrameOffset.RFLAGS, Rflag.FIXED | Rflag.IF)
    this.setNumber(FrameOffset.RSP, stack)
    this.setNumber(FrameOffset.SS, Selector.USER_SS)
  }

  /** All registers zero, then ring 0 at `entry` with interrupts off. */
  enterKernel(entry: bigint, stack: bigint): void {
    this.clear()
    this.setU64(FrameOffset.RIP, entry)
    this.setNumber(FrameOffset.CS, Selector.KERNEL_CS)
    this.setNumber(FrameOffset.RFLAGS, Rflag.FIXED)
    this.setU64(FrameOffset.RSP, stack)
    this.setNumber(FrameOffset.SS, Selector.KERNEL_SS)
  }

  private clear(): void {
    for (let offset = 0; offset < TRAP_FRAME_BYTES; offset += 4) this.view.setUint32(this.base + offset, 0, true)
  }
}
