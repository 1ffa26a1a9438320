import { Gpr, Rflag, SegmentIndex, State, segmentBaseAt } from '../state.ts'
import { checkSegment, segmentOfBase } from './limits.ts'
import { As, type LinearMemory } from './linear.ts'
import type { Ports } from './ports.ts'
import { putSized } from './stack.ts'
import { type CpuState, Word } from './views.ts'

/** INS and OUTS (SDM vol. 2), one element each time; what is repeated stays at RIP until its count is used up. */
export class PortStrings {
  private readonly state: CpuState
  private readonly linear: LinearMemory
  private readonly ports: Ports

  constructor(state: CpuState, linear: LinearMemory, ports: Ports) {
    this.state = state
    this.linear = linear
    this.ports = ports
  }

  /** From the port in DX to ES:[rDI]. Sets State.RIP. Throws FAULT. */
  ins(isRepeated: boolean): void {
    if (this.isOver(isRepeated)) return
    const { view } = this.state
    const { port, size } = this
    this.ports.check(port, size)
    const to = this.linear.writing(this.locate(Gpr.RDI, segmentBaseAt(SegmentIndex.ES), true), this.hi, size, As.PROGRAM)
    const value = this.ports.read(port, size)
    if (size === 1) view.setUint8(to, value)
    else putSized(view, to, value, 0, size)
    this.linear.commit()
    this.advance(Gpr.RDI, isRepeated)
  }

  /** From DS:[rSI], or another segment, to the port in DX. Sets State.RIP. Throws FAULT. */
  outs(isRepeated: boolean): void {
    if (this.isOver(isRepeated)) return
    const { view } = this.state
    const { port, size } = this
    this.ports.check(port, size)
    const baseAt = this.state.i32[Word.SYS_SEGMENT]
    const from = this.linear.reading(this.locate(Gpr.RSI, baseAt, false), this.hi, size, As.PROGRAM)
    const value = size === 1 ? view.getUint8(from) : size === 2 ? view.getUint16(from, true) : view.getInt32(from, true)
    this.ports.write(port, size, value)
    this.advance(Gpr.RSI, isRepeated)
  }

  private get port(): number { return this.state.gprLo(Gpr.RDX) & 0xffff }
  private get size(): 1 | 2 | 4 { return Math.min(4, this.state.i32[Word.SYS_SIZE]) as 1 | 2 | 4 }
  private hi = 0

  /** With a count of 0 nothing happens. */
  private isOver(isRepeated: boolean): boolean {
    const { state } = this
    const { i32 } = state
    const lo = state.gprLo(Gpr.RCX) & i32[Word.SYS_EA]
    const hi = state.gprHi(Gpr.RCX) & i32[Word.SYS_EA + 1]
    if (!isRepeated || (lo | hi) !== 0) return false
    state.setRip(i32[Word.SYS_NEXT_RIP], i32[Word.SYS_NEXT_RIP + 1])
    return true
  }

  /** Low half of the linear address in a register; the high half goes to `hi`. */
  private locate(register: number, baseAt: number, write: boolean): number {
    const { state } = this
    const { i32, u32 } = state
    const lo = state.gprLo(register) & i32[Word.SYS_EA]
    this.hi = state.gprHi(register) & i32[Word.SYS_EA + 1]
    if (!state.long) {
      const segment = baseAt === State.ZERO ? SegmentIndex.DS : segmentOfBase(baseAt)
      checkSegment(state, segment, lo, this.size, write)
      return (lo + state.baseLo(segment)) | 0
    }
    // FS and GS have a base in 64-bit mode, ES has none.
    if (baseAt === State.ZERO || register === Gpr.RDI) return lo
    const sum = (lo >>> 0) + u32[baseAt >> 2]
    this.hi = (this.hi + i32[(baseAt >> 2) + 1] + (sum > 0xffffffff ? 1 : 0)) | 0
    return sum | 0
  }

  private advance(register: number, isRepeated: boolean): void {
    const { state } = this
    const { i32 } = state
    const step = (i32[Word.SYSFLAGS] & Rflag.DF) !== 0 ? -this.size : this.size
    this.move(register, step)
    if (isRepeated) this.move(Gpr.RCX, -1)
    const left = (state.gprLo(Gpr.RCX) & i32[Word.SYS_EA]) | (state.gprHi(Gpr.RCX) & i32[Word.SYS_EA + 1])
    if (!isRepeated || left === 0) state.setRip(i32[Word.SYS_NEXT_RIP], i32[Word.SYS_NEXT_RIP + 1])
  }

  /** Adds to a register as wide as an address. */
  private move(register: number, by: number): void {
    const { state } = this
    const lo = state.gprLo(register)
    const mask = state.i32[Word.SYS_EA]
    if (mask !== -1) {
      state.setGpr(register, (lo & ~mask) | ((lo + by) & mask), state.gprHi(register))
      return
    }
    const sum = (lo >>> 0) + by
    const isLong = state.i32[Word.SYS_EA + 1] !== 0
    state.setGpr(register, sum | 0, isLong ? (state.gprHi(register) + Math.floor(sum / 0x100000000)) | 0 : 0)
  }
}
