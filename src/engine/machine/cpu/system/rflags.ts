import type { CpuHost } from '../core.ts'
import { ARITHMETIC_FLAGS, Rflag } from '../state.ts'
import type { DebugRegisters } from './debug.ts'
import { type CpuState, Word } from './views.ts'

/** CF PF AF ZF SF OF, which the tiers keep lazily. `write` ignores other bits. */
export interface ArithmeticFlags {
  read(): number
  write(bits: number): void
}

/**
 * Bits of State.SYSFLAGS that instructions can set. VM and the virtual interrupt flags are for virtual-8086 mode, which is not there. RF,
 * which no instruction shows, is kept only while an instruction has a breakpoint: it matters to nothing else.
 */
export const KEPT_FLAGS = Rflag.TF | Rflag.IF | Rflag.DF | Rflag.IOPL | Rflag.NT | Rflag.AC | Rflag.ID

/** RFLAGS as a whole. Bits above 31 are always 0. */
export class Rflags {
  private readonly state: CpuState
  private readonly arithmetic: ArithmeticFlags
  private readonly debug: DebugRegisters
  private readonly host: CpuHost

  constructor(state: CpuState, arithmetic: ArithmeticFlags, debug: DebugRegisters, host: CpuHost) {
    this.state = state
    this.arithmetic = arithmetic
    this.debug = debug
    this.host = host
  }

  read(): number {
    return (this.state.i32[Word.SYSFLAGS] & KEPT_FLAGS) | (this.arithmetic.read() & ARITHMETIC_FLAGS) | Rflag.FIXED
  }

  /** As a handler's frame shows them, with RF. */
  readImage(): number {
    return this.read() | (this.state.i32[Word.SYSFLAGS] & Rflag.RF)
  }

  /** CF PF AF ZF SF OF alone. */
  readArithmetic(): number {
    return this.arithmetic.read() & ARITHMETIC_FLAGS
  }
  writeArithmetic(bits: number): void {
    this.arithmetic.write(bits & ARITHMETIC_FLAGS)
  }

  /** Sets RFLAGS, all bits that can be set. */
  write(bits: number): void {
    this.arithmetic.write(bits & ARITHMETIC_FLAGS)
    this.writeSystem(bits)
  }

  /** Sets the bits named by a mask: what POPF and IRET may change at their privilege level. */
  writeMasked(bits: number, mask: number): void {
    this.arithmetic.write(bits & ARITHMETIC_FLAGS)
    this.writeSystem((this.state.i32[Word.SYSFLAGS] & ~mask) | (bits & mask))
  }

  /** STI: sets IF. */
  setInterruptFlag(): void {
    this.writeSystem(this.state.i32[Word.SYSFLAGS] | Rflag.IF)
  }

  /** Clears system flags, as the entry into a handler does; arithmetic flags stay. */
  clear(mask: number): void {
    this.state.i32[Word.SYSFLAGS] &= ~mask
  }

  /** Which bits POPF and IRET with that operand size may change, SDM vol. 2, POPF, table 4-16. */
  changeable(size: number): number {
    const { cpl, iopl } = this.state
    let mask = Rflag.TF | Rflag.DF | Rflag.NT
    if (size !== 2) mask |= Rflag.AC | Rflag.ID
    if (cpl <= iopl) mask |= Rflag.IF
    if (cpl === 0) mask |= Rflag.IOPL
    return mask
  }

  /** IRET: the next instruction's breakpoint was dealt with. It is run alone, since RF ends with it. */
  resume(): void {
    if (!this.debug.watchesCode) return
    this.state.i32[Word.SYSFLAGS] |= Rflag.RF
    this.state.stop()
  }

  /**
   * The machine must look up before the next block when IF becomes 1 while INTR is raised, and when TF becomes 1. INTR changes only where
   * `run` returns anyway, so without it nothing need stop.
   */
  private writeSystem(bits: number): void {
    const { i32 } = this.state
    const before = i32[Word.SYSFLAGS]
    const after = (bits & KEPT_FLAGS) | (before & Rflag.RF) | Rflag.FIXED
    i32[Word.SYSFLAGS] = after
    const set = after & ~before
    if ((set & Rflag.TF) !== 0 || ((set & Rflag.IF) !== 0 && this.host.interruptPending())) this.state.stop()
  }
}
