import { FpuRegisters } from '../fpu/registers.ts'
import { State, Vector } from '../state.ts'
import { fault } from './faults.ts'
import type { CpuState } from './views.ts'

/** The FXSAVE area, SDM vol. 1, table 10-2. */
export const FXSAVE_BYTES = 512
const At = { FCW: 0, FSW: 2, FTW: 4, FIP: 8, REGISTERS: 32 } as const
const REGISTER_BYTES = 16
const MXCSR = 24
const MXCSR_MASK_AT = 28
const XMM = 160

/** Bits of MXCSR that can be set: all of SSE2 but denormals-are-zeros. */
export const MXCSR_MASK = 0xffbf
/** Exceptions that happened, which programs clear and read. */
export const MXCSR_FLAGS = 0x3f
/** MXCSR after reset: every exception masked, round to nearest. */
export const MXCSR_RESET = 0x1f80

/** Writes the 512 bytes of FXSAVE. The tag word is abridged to one bit a register: not empty. */
export function fxsave(state: CpuState, into: Uint8Array, registers: number): void {
  const view = new DataView(into.buffer, into.byteOffset, FXSAVE_BYTES)
  into.fill(0, 0, XMM)
  const fpu = new FpuRegisters(state)
  view.setUint16(At.FCW, fpu.control, true)
  view.setUint16(At.FSW, fpu.status, true)
  view.setBigUint64(At.FIP, fpu.lastInstruction, true)
  let used = 0
  for (let index = 0; index < 8; index++) {
    const physical = (fpu.top + index) & 7
    into.set(fpu.bytes(physical), At.REGISTERS + index * REGISTER_BYTES)
    if (!fpu.isEmpty(index)) used |= 1 << physical
  }
  into[At.FTW] = used
  view.setUint32(MXCSR, state.u32[State.MXCSR >> 2], true)
  view.setUint32(MXCSR_MASK_AT, MXCSR_MASK, true)
  into.set(state.u8.subarray(State.XMM, State.XMM + registers * 16), XMM)
}

/** Loads what FXSAVE wrote; #GP(0) when MXCSR has a reserved bit. */
export function fxrstor(state: CpuState, from: Uint8Array, registers: number): void {
  const view = new DataView(from.buffer, from.byteOffset, FXSAVE_BYTES)
  writeMxcsr(state, view.getUint32(MXCSR, true))
  const fpu = new FpuRegisters(state)
  fpu.control = view.getUint16(At.FCW, true)
  fpu.status = view.getUint16(At.FSW, true)
  fpu.lastInstruction = view.getBigUint64(At.FIP, true)
  for (let index = 0; index < 8; index++) {
    const physical = (fpu.top + index) & 7
    const at = At.REGISTERS + index * REGISTER_BYTES
    fpu.load(physical, from.subarray(at, at + REGISTER_BYTES), ((from[At.FTW] >> physical) & 1) === 0)
  }
  state.u8.set(from.subarray(XMM, XMM + registers * 16), State.XMM)
}

/** LDMXCSR; #GP(0) for reserved bits. */
export function writeMxcsr(state: CpuState, value: number): void {
  if ((value & ~MXCSR_MASK) !== 0) fault(state, Vector.GP, 0)
  state.u32[State.MXCSR >> 2] = value
}
