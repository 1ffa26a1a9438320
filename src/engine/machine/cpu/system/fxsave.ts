import { setMxcsr } from '../float/unit.ts'
import { FpuRegisters } from '../fpu/registers.ts'
import { State, Vector } from '../state.ts'
import { fault } from './faults.ts'
import type { CpuState } from './views.ts'

/** The FXSAVE area, SDM vol. 1, table 10-2. */
export const FXSAVE_BYTES = 512
const MXCSR = 24
const MXCSR_MASK_AT = 28
const XMM = 160

/** Bits of MXCSR that can be set. */
export const MXCSR_MASK = 0xffff
/** MXCSR after reset: every exception masked, round to nearest. */
export const MXCSR_RESET = 0x1f80

/** Writes the 512 bytes of FXSAVE, pointers of 64 bits among them (FXSAVE64). */
export function fxsave(state: CpuState, into: Uint8Array, registers: number): void {
  const view = new DataView(into.buffer, into.byteOffset, FXSAVE_BYTES)
  into.fill(0, 0, XMM)
  new FpuRegisters(state).save(into)
  view.setUint32(MXCSR, state.u32[State.MXCSR >> 2], true)
  view.setUint32(MXCSR_MASK_AT, MXCSR_MASK, true)
  into.set(state.u8.subarray(State.XMM, State.XMM + registers * 16), XMM)
}

/** Without REX.W, FXSAVE and FXRSTOR have pointers of 32 bits, and behind them selectors that are always 0 (see cpuid.ts). */
export function narrowPointers(area: Uint8Array): void {
  for (const upper of [12, 20]) area.fill(0, upper, upper + 4)
}

/** Loads what FXSAVE wrote; #GP(0) when MXCSR has a reserved bit. */
export function fxrstor(state: CpuState, from: Uint8Array, registers: number): void {
  const view = new DataView(from.buffer, from.byteOffset, FXSAVE_BYTES)
  writeMxcsr(state, view.getUint32(MXCSR, true))
  new FpuRegisters(state).restore(from)
  state.u8.set(from.subarray(XMM, XMM + registers * 16), State.XMM)
}

/** LDMXCSR; #GP(0) for reserved bits. */
export function writeMxcsr(state: CpuState, value: number): void {
  checkMxcsr(state, value)
  setMxcsr(state, value)
}

export function checkMxcsr(state: CpuState, value: number): void {
  if ((value & ~MXCSR_MASK) !== 0) fault(state, Vector.GP, 0)
}
