import { PhysicalMemory } from '../../memory.ts'
import type { CpuHost } from '../core.ts'
import { Cpu } from '../cpu.ts'
import type { Tier } from '../cpu.ts'
import type { CaseMode } from './case.ts'
import { Activity, RAM_BASE, SegmentAttribute, SegmentIndex, State } from '../state.ts'
import { FXSAVE_BYTES, fxrstor, fxsave } from '../system/fxsave.ts'
import { Cr0, Cr4, Efer, Word } from '../system/views.ts'
import {
  At, CODE_ADDRESS, CODE_BYTES_MAX, DATA_ADDRESS, DATA_BYTES, FX_BYTES, FX_MXCSR, READ_ONLY_ADDRESS, WINDOW_ADDRESS, WINDOW_BYTES,
  outsideHash,
} from './layout.ts'

const RAM_BYTES = 4 << 20
/**
 * Physical addresses of the supervisor's tables and stack. They are mapped in the upper half, where no program may look natively
 * either.
 */
const KERNEL_HI = 0xffffffff | 0
const KERNEL_LO = 0x80000000
const KERNEL = 0xffffffff80000000n
const PML4 = 0x1000
const PDPT = 0x2000
const PD = 0x3000
const PT = 0x4000
const KERNEL_PDPT = 0x5000
const GDT = 0x6000
const IDT = 0x7000
const TSS = 0x8000
const STACK = 0x20000
/** HLT for each vector, HANDLER_BYTES apart. */
const HANDLERS = 0x30000
const HANDLER_BYTES = 16

const Pte = { P: 1, W: 2, U: 4, PS: 0x80 } as const
const KERNEL_CODE = 0x08
/** Selectors that Linux has for programs, as MOV from a segment register shows them. */
const USER_CODE = { long: { selector: 0x33, attributes: 0xa0fb }, compatibility: { selector: 0x23, attributes: 0xc0fb } } as const
const USER_DATA = 0x2b
const USER_DATA_ATTRIBUTES = 0xc0f3
const NX = 1n << 63n

/** Vectors that push an error code. */
const HAS_ERROR = new Set([8, 10, 11, 12, 13, 14, 17])
/** Longer than any case runs, repeated string instructions included. */
const INSTRUCTIONS_MAX = 5000
const PAGE_FAULT = 14
const XMM_REGISTERS = 16

/** Runs cases at CPL 3, as runner.c does on the processor underneath. */
export class EmulatedProcessor {
  readonly warnings: string[] = []
  private readonly memory = new PhysicalMemory(RAM_BYTES)
  private readonly cpu: Cpu
  private readonly data: Uint32Array
  private readonly fx = new Uint8Array(FXSAVE_BYTES)
  private readonly mode: CaseMode

  constructor(tier: Tier, mode: CaseMode = 'long') {
    const { memory } = this
    this.mode = mode
    const host: CpuHost = {
      portIn: () => 0,
      portOut: () => {},
      mmioRead: () => {},
      mmioWrite: () => {},
      hypercall: () => false,
      acknowledgeInterrupt: () => 0,
      interruptPending: () => false,
      nowNs: () => 0,
      warn: (message) => this.warnings.push(message),
    }
    this.cpu = new Cpu(memory, host, { tier })
    this.cpu.reset()
    this.data = new Uint32Array(memory.wasm.buffer, RAM_BASE + DATA_ADDRESS, DATA_BYTES >> 2)
    memory.writeU64(PML4, BigInt(PDPT | Pte.P | Pte.W | Pte.U))
    memory.writeU64(PDPT, BigInt(PD | Pte.P | Pte.W | Pte.U))
    memory.writeU64(PML4 + 511 * 8, BigInt(KERNEL_PDPT | Pte.P | Pte.W))
    memory.writeU64(KERNEL_PDPT + 510 * 8, BigInt(Pte.P | Pte.W | Pte.PS))
    memory.writeU64(PD + 8, BigInt(PT | Pte.P | Pte.W | Pte.U))
    const map = (address: number, flags: number, nx: bigint): void =>
      memory.writeU64(PT + ((address >> 12) & 511) * 8, BigInt(address | flags) | nx)
    map(CODE_ADDRESS, Pte.P | Pte.W | Pte.U, 0n)
    for (let page = 0; page < DATA_BYTES; page += 4096) map(DATA_ADDRESS + page, Pte.P | Pte.W | Pte.U, NX)
    map(READ_ONLY_ADDRESS, Pte.P | Pte.U, NX)
    memory.writeU64(GDT + KERNEL_CODE, 0x00209b0000000000n)
    memory.writeU64(TSS + 4, KERNEL + BigInt(STACK))
    for (let vector = 0; vector < 32; vector++) {
      const handler = HANDLERS + vector * HANDLER_BYTES
      memory.writeU8(handler, 0xf4)
      // An interrupt gate with DPL 3, so that INT3 may use it.
      memory.writeU32(IDT + vector * 16, (KERNEL_CODE << 16) | (handler & 0xffff))
      memory.writeU32(IDT + vector * 16 + 4, (((KERNEL_LO + handler) & 0xffff0000) | 0xee00) >>> 0)
      memory.writeU32(IDT + vector * 16 + 8, KERNEL_HI >>> 0)
    }
    const { state } = this.cpu.system
    state.view.setBigUint64(State.GDTR_BASE, KERNEL + BigInt(GDT), true)
    state.view.setBigUint64(State.IDTR_BASE, KERNEL + BigInt(IDT), true)
    state.u32[State.GDTR_LIMIT >> 2] = 0x3f
    state.u32[State.IDTR_LIMIT >> 2] = 32 * 16 - 1
    state.setSegment(SegmentIndex.TR, 0x40, 0x8b, (KERNEL_LO + TSS) | 0, KERNEL_HI, 0x67)
    state.u32[Word.CR4] = Cr4.PAE | Cr4.OSFXSR | Cr4.OSXMMEXCPT
    state.u32[Word.EFER] = Efer.LME | Efer.LMA | Efer.NXE | Efer.SCE
    state.i32[Word.CR0] = Cr0.PE | Cr0.MP | Cr0.ET | Cr0.NE | Cr0.PG | Cr0.WP
    this.cpu.setCr3(PML4)
  }

  private setSegments(): void {
    const { state } = this.cpu.system
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
    const { cpu, memory, fx } = this
    const { state } = cpu.system
    const { u8, u32, i32 } = state
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
    cpu.rip = BigInt(CODE_ADDRESS)
    i32[State.ACTIVITY >> 2] &= ~Activity.HALTED
    state.updateMode()

    for (let left = INSTRUCTIONS_MAX; !cpu.halted && !cpu.shutdown && left > 0;) left -= Math.max(1, cpu.run(left))
    if (!cpu.halted)
      throw new Error(`the case did not end: RIP ${cpu.rip.toString(16)}, ${cpu.shutdown ? cpu.shutdownReason : 'still running'}`)

    const vector = Math.floor((Number(cpu.rip - KERNEL) - HANDLERS) / HANDLER_BYTES)
    let frame = Number(cpu.getGpr(4) - KERNEL)
    let error = 0
    if (HAS_ERROR.has(vector)) {
      error = memory.readU32(frame)
      frame += 8
    }
    record.set(u8.subarray(State.GPR, State.GPR + 128), At.GPR)
    record.set(memory.read(frame + 24, 8), At.GPR + 4 * 8)
    record.set(memory.read(frame + 16, 8), At.RFLAGS)
    record.set(memory.read(frame, 8), At.RIP)
    fxsave(state, fx, XMM_REGISTERS)
    record.set(fx.subarray(0, FX_BYTES), At.FX)
    record.fill(0, At.FX + FX_MXCSR.from, At.FX + FX_MXCSR.to)
    record.set(fx.subarray(FX_BYTES, FX_BYTES + 256), At.XMM)
    record.set(memory.read(WINDOW_ADDRESS, WINDOW_BYTES), At.WINDOW)
    view.setUint32(At.VECTOR, vector, true)
    view.setUint32(At.ERROR, error, true)
    view.setBigUint64(At.CR2, vector === PAGE_FAULT ? cpu.cr2 : 0n, true)
    view.setUint32(At.OUTSIDE, outsideHash(this.data), true)
    view.setUint32(At.MXCSR, u32[State.MXCSR >> 2], true)
  }
}
