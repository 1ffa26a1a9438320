import { CONTROL_INIT, FpuRegisters } from '../fpu/registers.ts'
import { Gpr, State, Vector } from '../state.ts'
import { fault } from './faults.ts'
import { FXSAVE_BYTES, checkMxcsr, fxrstor, fxsave, narrowPointers, writeMxcsr } from './fxsave.ts'
import { type LinearMemory, operandAs } from './linear.ts'
import { Cr0, Cr4, type CpuState, Word } from './views.ts'

/** Parts of the state that XSAVE knows, as bits of XCR0 (SDM vol. 1, 13.1). */
export const Component = { X87: 1, SSE: 2 } as const
export const COMPONENTS = Component.X87 | Component.SSE
/** The area of XSAVE: FXSAVE's, and a header. */
export const XSAVE_BYTES = 576
const HEADER = FXSAVE_BYTES
const HEADER_BYTES = 64
const ALIGNMENT = 64

/** Bytes that FXSAVE writes in 64-bit mode; the rest of its 512 belongs to the program. */
const FXSAVE_WRITTEN = 416
const STEP = 32
const LEGACY_XMM = 160
const MXCSR = { from: 24, to: 32 } as const
const XCR0 = State.XCR0 >> 2

/** FXSAVE, FXRSTOR, XSAVE, XRSTOR, XGETBV and XSETBV. */
export class ExtendedState {
  private readonly state: CpuState
  private readonly linear: LinearMemory
  private readonly area = new Uint8Array(FXSAVE_BYTES)
  private readonly header = new Uint8Array(HEADER_BYTES)

  constructor(state: CpuState, linear: LinearMemory) {
    this.state = state
    this.linear = linear
  }

  fxsave(): void {
    this.checkFx()
    this.collect()
    const length = FXSAVE_WRITTEN - (this.registers === 16 ? 0 : 128)
    // The last page first, so that a fault there leaves the first page unwritten.
    for (let at = length - STEP; at >= 0; at -= STEP) this.write(at, this.area.subarray(at, at + STEP))
  }

  fxrstor(): void {
    this.checkFx()
    this.read(0, this.area)
    this.narrow()
    fxrstor(this.state, this.area, this.registers)
  }

  /** XSAVE in its standard format: the parts that EDX:EAX and XCR0 both name, and which of them the header tells of. */
  xsave(): void {
    const wanted = this.checkX()
    this.read(HEADER, this.header)
    this.collect()
    const { area, header } = this
    header[0] = (header[0] & ~wanted) | wanted
    this.write(HEADER, header.subarray(0, 8))
    if ((wanted & Component.SSE) !== 0) {
      this.writeRange(LEGACY_XMM, LEGACY_XMM + this.registers * 16)
      this.write(MXCSR.from, area.subarray(MXCSR.from, MXCSR.to))
    }
    if ((wanted & Component.X87) !== 0) {
      this.writeRange(0, MXCSR.from)
      this.writeRange(MXCSR.to, LEGACY_XMM)
    }
  }

  xrstor(): void {
    const { state, area, header } = this
    const wanted = this.checkX()
    this.read(HEADER, header)
    // A part XCR0 does not have, the compacted format, reserved bytes (SDM vol. 1, 13.8.1).
    if ((header[0] & ~state.u32[XCR0]) !== 0 || header.subarray(1, 24).some((byte) => byte !== 0)) fault(state, Vector.GP, 0)
    this.read(0, area)
    this.narrow()
    const view = new DataView(area.buffer)
    const mxcsr = view.getUint32(MXCSR.from, true)
    if ((wanted & Component.SSE) !== 0) {
      checkMxcsr(state, mxcsr)
      writeMxcsr(state, mxcsr)
      const xmm = state.u8.subarray(State.XMM, State.XMM + this.registers * 16)
      if ((header[0] & Component.SSE) !== 0) xmm.set(area.subarray(LEGACY_XMM, LEGACY_XMM + xmm.length))
      else xmm.fill(0)
    }
    if ((wanted & Component.X87) === 0) return
    const registers = new FpuRegisters(state)
    if ((header[0] & Component.X87) !== 0) registers.restore(area)
    else {
      registers.reset()
      registers.control = CONTROL_INIT
    }
  }

  xgetbv(): void {
    const { state } = this
    this.requireOsxsave()
    if (state.gprLo(Gpr.RCX) !== 0) fault(state, Vector.GP, 0)
    state.setGpr(Gpr.RAX, state.i32[XCR0], 0)
    state.setGpr(Gpr.RDX, 0, 0)
  }

  xsetbv(): void {
    const { state } = this
    this.requireOsxsave()
    const value = state.gprLo(Gpr.RAX)
    const allowed = (value & Component.X87) !== 0 && (value & ~COMPONENTS) === 0 && state.gprLo(Gpr.RDX) === 0
    if (state.cpl !== 0 || state.gprLo(Gpr.RCX) !== 0 || !allowed) fault(state, Vector.GP, 0)
    state.i32[XCR0] = value
  }

  private get registers(): number {
    return this.state.long ? 16 : 8
  }
  private narrow(): void {
    if (this.state.i32[Word.SYS_SIZE] !== 8) narrowPointers(this.area)
  }
  private collect(): void {
    fxsave(this.state, this.area, this.registers)
    this.narrow()
  }

  private requireOsxsave(): void {
    if ((this.state.i32[Word.CR4] & Cr4.OSXSAVE) === 0) fault(this.state, Vector.UD, 0)
  }
  /** #NM and alignment, common to FXSAVE and FXRSTOR. */
  private checkFx(): void {
    const { i32 } = this.state
    if ((i32[Word.CR0] & (Cr0.EM | Cr0.TS)) !== 0) fault(this.state, Vector.NM, 0)
    if ((i32[Word.SYS_EA] & 15) !== 0) fault(this.state, Vector.GP, 0)
  }
  /** The same for XSAVE and XRSTOR; returns the parts asked for. */
  private checkX(): number {
    const { state } = this
    this.requireOsxsave()
    if ((state.i32[Word.CR0] & Cr0.TS) !== 0) fault(state, Vector.NM, 0)
    if ((state.i32[Word.SYS_EA] & (ALIGNMENT - 1)) !== 0) fault(state, Vector.GP, 0)
    return state.gprLo(Gpr.RAX) & state.i32[XCR0]
  }

  private windowAt(offset: number, length: number, write: boolean): number {
    const { i32 } = this.state
    const sum = (i32[Word.SYS_EA] >>> 0) + offset
    const hi = sum > 0xffffffff ? (i32[Word.SYS_EA + 1] + 1) | 0 : i32[Word.SYS_EA + 1]
    const as = operandAs(this.state)
    return write ? this.linear.writing(sum | 0, hi, length, as) : this.linear.reading(sum | 0, hi, length, as)
  }
  private write(offset: number, bytes: Uint8Array): void {
    const window = this.windowAt(offset, bytes.length, true)
    this.state.u8.set(bytes, window)
    this.linear.commit()
  }
  private writeRange(from: number, to: number): void {
    for (let at = from; at < to; at += STEP) this.write(at, this.area.subarray(at, Math.min(at + STEP, to)))
  }
  private read(offset: number, into: Uint8Array): void {
    for (let at = 0; at < into.length; at += STEP) {
      const window = this.windowAt(offset + at, STEP, false)
      into.set(this.state.u8.subarray(window, window + STEP), at)
    }
  }
}
