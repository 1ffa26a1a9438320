import type { Tier } from '../cpu.ts'
import { RAM_BASE, SegmentAttribute, SegmentIndex, State } from '../state.ts'
import { FXSAVE_BYTES, fxrstor, fxsave } from '../system/fxsave.ts'
import { Cr0, Word } from '../system/views.ts'
import { PML4, TrapStage } from '../testing/trap-stage.ts'
import type { CaseMode } from './case.ts'
import {
  At, CODE_ADDRESS, CODE_BYTES_MAX, DATA_ADDRESS, DATA_BYTES, FX_BYTES, FX_MXCSR, READ_ONLY_ADDRESS, WINDOW_ADDRESS, WINDOW_BYTES,
  outsideHash,
} from './layout.ts'

const RAM_BYTES = 4 << 20
/** Physical addresses of the program's tables. */
const PDPT = 0x2000
const PD = 0x3000
const PT = 0x4000

const Pte = { P: 1, W: 2, U: 4 } as const
/** Selectors that Linux has for programs, as MOV from a segment register shows them. */
const USER_CODE = { long: { selector: 0x33, attributes: 0xa0fb }, compatibility: { selector: 0x23, attributes: 0xc0fb } } as const
const USER_DATA = 0x2b
const USER_DATA_ATTRIBUTES = 0xc0f3
const NX = 1n << 63n

/** Longer than any case runs, repeated string instructions included. */
const INSTRUCTIONS_MAX = 5000
const XMM_REGISTERS = 16

/** Runs cases at CPL 3, as runner.c does on the processor underneath. */
export class EmulatedProcessor {
  private readonly stage: TrapStage
  private readonly data: Uint32Array
  private readonly fx = new Uint8Array(FXSAVE_BYTES)
  private readonly mode: CaseMode

  constructor(tier: Tier, mode: CaseMode = 'long') {
    this.mode = mode
    this.stage = new TrapStage({ ramBytes: RAM_BYTES, tier })
    const { memory, cpu } = this.stage
    this.data = new Uint32Array(memory.wasm.buffer, RAM_BASE + DATA_ADDRESS, DATA_BYTES >> 2)
    memory.writeU64(PML4, BigInt(PDPT | Pte.P | Pte.W | Pte.U))
    memory.writeU64(PDPT, BigInt(PD | Pte.P | Pte.W | Pte.U))
    memory.writeU64(PD + 8, BigInt(PT | Pte.P | Pte.W | Pte.U))
    const map = (address: number, flags: number, nx: bigint): void =>
      memory.writeU64(PT + ((address >> 12) & 511) * 8, BigInt(address | flags) | nx)
    map(CODE_ADDRESS, Pte.P | Pte.W | Pte.U, 0n)
    for (let page = 0; page < DATA_BYTES; page += 4096) map(DATA_ADDRESS + page, Pte.P | Pte.W | Pte.U, NX)
    map(READ_ONLY_ADDRESS, Pte.P | Pte.U, NX)
    cpu.system.state.i32[Word.CR0] = Cr0.PE | Cr0.MP | Cr0.ET | Cr0.NE | Cr0.PG | Cr0.WP
    cpu.setCr3(PML4)
  }

  get warnings(): readonly string[] {
    return this.stage.warnings
  }

  private setSegments(): void {
    const { state } = this.stage.cpu.system
    const { selector, attributes } = USER_CODE[this.mode]
    state.setSegment(SegmentIndex.CS, selector, attributes, 0, 0, 0xffffffff)
    state.setSegment(SegmentIndex.SS, USER_DATA, USER_DATA_ATTRIBUTES, 0, 0, 0xffffffff)
    for (const segment of [SegmentIndex.ES, SegmentIndex.DS])
      if (this.mode === 'long') state.setSegment(segment, 0, SegmentAttribute.UNUSABLE, 0, 0, 0)
      else state.setSegment(segment, USER_DATA, USER_DATA_ATTRIBUTES, 0, 0, 0xffffffff)
    for (const segment of [SegmentIndex.FS, SegmentIndex.GS]) state.setSegment(segment, 0, SegmentAttribute.UNUSABLE, 0, 0, 0)
  }

  /** Executes the case and leaves the outcome in its place, as layout.ts says. Throws when it does not end in a trap. */
  run(record: Uint8Array): void {
    const { stage, fx } = this
    const { cpu, memory } = stage
    const { state } = cpu.system
    const { u8, u32 } = state
    const view = new DataView(record.buffer, record.byteOffset, record.byteLength)
    const length = view.getUint32(At.CODE_LENGTH, true)
    const code = new Uint8Array(CODE_BYTES_MAX).fill(0xcc)
    code.set(record.subarray(At.CODE, At.CODE + length))
    memory.write(CODE_ADDRESS, code)
    memory.fill(DATA_ADDRESS, DATA_BYTES, 0)
    memory.write(WINDOW_ADDRESS, record.subarray(At.WINDOW, At.WINDOW + WINDOW_BYTES))
    u8.set(record.subarray(At.GPR, At.GPR + 128), State.GPR)
    fx.set(record.subarray(At.FX, At.FX + FX_BYTES))
    fx.set(record.subarray(At.XMM, At.XMM + 256), FX_BYTES)
    new DataView(fx.buffer).setUint32(FX_MXCSR.from, view.getUint32(At.MXCSR, true), true)
    fxrstor(state, fx, XMM_REGISTERS)
    this.setSegments()
    cpu.setRflags(view.getUint32(At.RFLAGS, true))
    state.updateMode()
    const trap = stage.run(BigInt(CODE_ADDRESS), INSTRUCTIONS_MAX, INSTRUCTIONS_MAX)
    record.set(u8.subarray(State.GPR, State.GPR + 128), At.GPR)
    view.setBigUint64(At.GPR + 4 * 8, trap.rsp, true)
    view.setBigUint64(At.RFLAGS, BigInt(trap.rflags), true)
    view.setBigUint64(At.RIP, trap.rip, true)
    fxsave(state, fx, XMM_REGISTERS)
    record.set(fx.subarray(0, FX_BYTES), At.FX)
    record.fill(0, At.FX + FX_MXCSR.from, At.FX + FX_MXCSR.to)
    record.set(fx.subarray(FX_BYTES, FX_BYTES + 256), At.XMM)
    record.set(memory.read(WINDOW_ADDRESS, WINDOW_BYTES), At.WINDOW)
    view.setUint32(At.VECTOR, trap.vector, true)
    view.setUint32(At.ERROR, trap.error, true)
    view.setBigUint64(At.CR2, trap.cr2, true)
    view.setUint32(At.OUTSIDE, outsideHash(this.data), true)
    view.setUint32(At.MXCSR, u32[State.MXCSR >> 2], true)
  }
}
