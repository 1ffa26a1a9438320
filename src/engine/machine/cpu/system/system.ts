import type { PhysicalMemory } from '../../memory.ts'
import type { CpuHost } from '../core.ts'
import { setMxcsr } from '../float/unit.ts'
import { Fpu } from '../fpu/fpu.ts'
import { Gpr, Rflag, SegmentAttribute, SegmentIndex, State } from '../state.ts'
import type { SystemOp } from '../system-op.ts'
import { ControlRegisters } from './control-registers.ts'
import { SIGNATURE } from './cpuid.ts'
import { DebugRegisters } from './debug.ts'
import { Component, ExtendedState } from './extended-state.ts'
import { Exceptions } from './exceptions.ts'
import { MXCSR_RESET } from './fxsave.ts'
import { Instructions } from './instructions.ts'
import { LinearMemory } from './linear.ts'
import { Mmu } from './mmu.ts'
import { ModelSpecificRegisters } from './msr.ts'
import { PortStrings } from './port-strings.ts'
import { Ports } from './ports.ts'
import { type ArithmeticFlags, Rflags } from './rflags.ts'
import { Segments } from './segments.ts'
import { Stack } from './stack.ts'
import { Tasks } from './tasks.ts'
import { Transfers } from './transfers.ts'
import { Cr0, CpuState, Word } from './views.ts'

/** Page attribute table after reset: WB, WT, UC-, UC, twice. SDM vol. 3, 12.12.4. */
const PAT_RESET = 0x00070406
/** IA32_APIC_BASE after reset: FEE00000H, enabled, bootstrap processor. */
const APIC_BASE_RESET = 0xfee00900
const FLAT_CODE = 0xb | SegmentAttribute.S | SegmentAttribute.P | SegmentAttribute.DB | SegmentAttribute.G
const FLAT_DATA = 0x3 | SegmentAttribute.S | SegmentAttribute.P | SegmentAttribute.DB | SegmentAttribute.G
const PRESENT_LDT = 0x2 | SegmentAttribute.P
const BUSY_TSS = 0xb | SegmentAttribute.P

/**
 * The system side of the processor: everything that is defined once, in TypeScript, and called by every tier: address translation, events,
 * segmentation and the system instructions. All it knows is in the machine's memory as ../state.ts lays it out.
 */
export class System {
  readonly state: CpuState
  readonly mmu: Mmu
  readonly debug: DebugRegisters
  readonly linear: LinearMemory
  readonly segments: Segments
  readonly rflags: Rflags
  readonly exceptions: Exceptions
  readonly control: ControlRegisters
  readonly msrs: ModelSpecificRegisters
  readonly fpu: Fpu
  private readonly instructions: Instructions

  /** @param flags the arithmetic flags, which the tiers keep lazily. */
  constructor(memory: PhysicalMemory, host: CpuHost, flags: ArithmeticFlags) {
    const state = (this.state = new CpuState(memory.wasm))
    const mmu = (this.mmu = new Mmu(state, memory))
    const debug = (this.debug = new DebugRegisters(state, mmu))
    const linear = (this.linear = new LinearMemory({ state, memory, mmu, debug, host }))
    const segments = (this.segments = new Segments(state, linear))
    const rflags = (this.rflags = new Rflags(state, flags, debug, host))
    const stack = new Stack(state, linear)
    const control = (this.control = new ControlRegisters(state, mmu, debug, host))
    const tasks = new Tasks({ state, linear, segments, rflags, debug, control })
    const exceptions = (this.exceptions = new Exceptions({ state, linear, segments, rflags, debug, stack, tasks }))
    const transfers = new Transfers({ state, linear, segments, stack, rflags, tasks })
    const msrs = (this.msrs = new ModelSpecificRegisters(state, control, host))
    const ports = new Ports(state, linear, debug, host)
    const portStrings = new PortStrings(state, linear, ports)
    const fpu = (this.fpu = new Fpu(state, linear, rflags, host))
    const extended = new ExtendedState(state, linear)
    this.instructions = new Instructions({
      state, mmu, linear, segments, stack, rflags, exceptions, transfers, control, debug, msrs, ports, portStrings, fpu, extended, host,
    })
    tasks.onUnsupported = transfers.onUnsupported = (what) => host.warn(`${what} is not implemented: #GP`)
    this.reset()
  }

  /**
   * The state after a reset, but in protected mode with flat segments, from where a loader goes on: CR0 = PE | ET, paging off, IF clear,
   * every register zero but EDX (the processor's signature). Empties the TLB.
   */
  reset(): void {
    const { state } = this
    const generations = [state.i32[Word.GENERATION_SUPERVISOR], state.i32[Word.GENERATION_USER]]
    const remaining = state.i32[State.REMAINING >> 2]
    state.u8.fill(0, State.GPR, State.FPU)
    state.i32[Word.GENERATION_SUPERVISOR] = generations[0]
    state.i32[Word.GENERATION_USER] = generations[1]
    state.i32[State.REMAINING >> 2] = remaining
    state.i32[Word.FAULT_VECTOR] = -1
    state.i32[Word.CR0] = Cr0.PE | Cr0.ET
    state.i32[Word.SYSFLAGS] = Rflag.FIXED
    state.setGpr(Gpr.RDX, SIGNATURE, 0)
    state.u32[State.PAT >> 2] = state.u32[(State.PAT >> 2) + 1] = PAT_RESET
    state.u32[State.APIC_BASE >> 2] = APIC_BASE_RESET
    setMxcsr(state, MXCSR_RESET)
    state.u32[State.XCR0 >> 2] = Component.X87
    state.u32[(State.DR >> 2) + 12] = 0xffff0ff0
    state.u32[(State.DR >> 2) + 14] = 0x400
    state.u32[State.GDTR_LIMIT >> 2] = state.u32[State.IDTR_LIMIT >> 2] = 0xffff
    state.setSegment(SegmentIndex.CS, 0x08, FLAT_CODE, 0, 0, 0xffffffff)
    for (const segment of [SegmentIndex.ES, SegmentIndex.SS, SegmentIndex.DS, SegmentIndex.FS, SegmentIndex.GS])
      state.setSegment(segment, 0x10, FLAT_DATA, 0, 0, 0xffffffff)
    state.setSegment(SegmentIndex.LDTR, 0, PRESENT_LDT, 0, 0, 0xffff)
    state.setSegment(SegmentIndex.TR, 0, BUSY_TSS, 0, 0, 0xffff)
    this.fpu.registers.reset()
    this.exceptions.shutdownReason = ''
    this.mmu.reset()
    this.debug.reset()
    state.updateMode()
  }

  /** Executes a system instruction; see Instructions.execute. */
  execute(op: SystemOp): number { return this.instructions.execute(op) }
  /** Delivers the pending exception; see Exceptions.deliver. */
  deliver(): void { this.exceptions.deliver() }
  /** Delivers an external interrupt; see Exceptions.interrupt. */
  interrupt(vector: number): void { this.exceptions.interrupt(vector) }
  /** Translates State.SLOW_VA; see Mmu.translate. */
  translate(access: number): number { return this.mmu.translate(access) }
  readRflags(): number { return this.rflags.read() }
  writeRflags(bits: number): void { this.rflags.write(bits) }
}
