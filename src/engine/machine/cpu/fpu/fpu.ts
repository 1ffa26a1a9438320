import type { CpuHost } from '../core.ts'
import { SegmentIndex, State, Vector } from '../state.ts'
import { fault } from '../system/faults.ts'
import { As } from '../system/linear.ts'
import type { LinearMemory } from '../system/linear.ts'
import type { Rflags } from '../system/rflags.ts'
import { Cr0, Word } from '../system/views.ts'
import type { CpuState } from '../system/views.ts'
import { instructionOf } from './instructions.ts'
import { Status } from './registers.ts'
import type { FpuRegisters } from './registers.ts'
import { Unit } from './unit.ts'

/** The x87 FPU (SDM vol. 1, chapter 8). */
export class Fpu {
  readonly registers: FpuRegisters
  private readonly state: CpuState
  private readonly linear: LinearMemory
  private readonly host: CpuHost
  private readonly unit: Unit
  private warnedOfFerr = false

  constructor(state: CpuState, linear: LinearMemory, rflags: Rflags, host: CpuHost) {
    this.state = state
    this.host = host
    this.linear = linear
    this.unit = new Unit(state, linear, rflags)
    this.registers = this.unit.registers
  }

  /** FWAIT: #NM with CR0.MP and TS set, #MF when an exception that is not masked is pending. */
  wait(): void {
    const both = Cr0.MP | Cr0.TS
    if ((this.state.i32[Word.CR0] & both) === both) fault(this.state, Vector.NM, 0)
    this.raisePending()
  }

  /** #MF, the native way. The other one, by the processor's FERR# pin and an interrupt from outside, is refused by name. */
  private raisePending(): void {
    if ((this.registers.status & Status.ES) === 0) return
    if (!this.warnedOfFerr && (this.state.i32[Word.CR0] & Cr0.NE) === 0) {
      this.warnedOfFerr = true
      this.host.warn('x87 exceptions by FERR# and IRQ 13 (CR0.NE = 0) are not implemented: #MF')
    }
    fault(this.state, Vector.MF, 0)
  }

  /** The ModRM byte of the current instruction: it comes after the escape opcode, which no prefix looks like. */
  private modRm(): number {
    const { state, linear } = this
    const { i32, u8 } = state
    const code = state.baseLo(SegmentIndex.CS)
    const lo = (i32[Word.RIP] + (state.long ? 0 : code)) | 0
    const length = (i32[Word.SYS_NEXT_RIP] - i32[Word.RIP]) & 15
    const window = linear.reading(lo, i32[Word.RIP + 1], length, As.PROGRAM)
    const at = u8.subarray(window, window + length).findIndex((byte) => byte >= 0xd8 && byte <= 0xdf)
    return u8[window + at + 1]
  }

  /**
   * Executes an instruction of the escape opcode D8+`escape`: ModRM.reg is in State.SYS_REG and its register operand in SYS_RM, or
   * SYS_RM is negative and the address of its memory operand in SYS_EA. Throws FAULT with nothing changed.
   */
  execute(escape: number): void {
    const { state, unit, registers } = this
    const { i32 } = state
    if ((i32[Word.CR0] & (Cr0.EM | Cr0.TS)) !== 0) fault(state, Vector.NM, 0)
    const reg = i32[Word.SYS_REG] & 7
    const rm = i32[Word.SYS_RM]
    const instruction = instructionOf(escape, reg, rm)
    if (instruction === undefined) fault(state, Vector.UD, 0)
    if (!instruction.nowait) this.raisePending()
    unit.begin()
    instruction.execute(unit, rm & 7)
    if (instruction.control) return
    registers.instruction = state.view.getBigUint64(State.RIP, true)
    if (!unit.unmasked) return
    // As the processors with FDP_EXCPTN_ONLY in CPUID leaf 7: opcode and data pointer are those of an exception.
    registers.opcode = (escape << 8) | this.modRm()
    if (rm < 0) registers.data = state.view.getBigUint64(State.SYS_EA, true)
  }
}
