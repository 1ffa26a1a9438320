import type { CpuHost } from '../core.ts'
import { State, Vector } from '../state.ts'
import type { DebugRegisters } from './debug.ts'
import { fault } from './faults.ts'
import type { Mmu } from './mmu.ts'
import { Cr0, Cr4, type CpuState, Efer, PHYSICAL_BITS, Word } from './views.ts'

const CR0_BITS = Cr0.PE | Cr0.MP | Cr0.EM | Cr0.TS | Cr0.ET | Cr0.NE | Cr0.WP | Cr0.AM | Cr0.NW | Cr0.CD | Cr0.PG
const CR4_BITS = Cr4.TSD | Cr4.DE | Cr4.PSE | Cr4.PAE | Cr4.PGE | Cr4.OSFXSR | Cr4.OSXMMEXCPT | Cr4.OSXSAVE
const EFER_BITS = Efer.SCE | Efer.LME | Efer.LMA | Efer.NXE
const CR8 = State.CR8 >> 2

/** Control registers and EFER: what a write checks and what it sets off. SDM vol. 3, 2.5 and vol. 2, MOV. */
export class ControlRegisters {
  private readonly state: CpuState
  private readonly mmu: Mmu
  private readonly debug: DebugRegisters
  private readonly host: CpuHost

  constructor(state: CpuState, mmu: Mmu, debug: DebugRegisters, host: CpuHost) {
    this.state = state
    this.mmu = mmu
    this.debug = debug
    this.host = host
  }

  /** MOV from CRn: the byte offset of the register in the state; #UD for one that does not exist. */
  offsetOf(register: number): number {
    switch (register) {
      case 0: return State.CR0
      case 2: return State.CR2
      case 3: return State.CR3
      case 4: return State.CR4
      case 8: return State.CR8
      default: return fault(this.state, Vector.UD, 0)
    }
  }

  /** MOV to CRn. */
  write(register: number, lo: number, hi: number): void {
    const { i32 } = this.state
    switch (register) {
      case 0:
        this.writeCr0(lo, hi)
        break
      case 2:
        i32[Word.CR2] = lo
        i32[Word.CR2 + 1] = hi
        break
      case 3:
        this.writeCr3(lo, hi)
        break
      case 4:
        this.writeCr4(lo, hi)
        break
      case 8:
        if ((lo & ~15) !== 0 || hi !== 0) fault(this.state, Vector.GP, 0)
        i32[CR8] = lo
        this.host.apic?.taskPriorityWritten(lo)
        break
      default:
        fault(this.state, Vector.UD, 0)
    }
  }

  writeCr0(lo: number, hi: number): void {
    const { state, mmu } = this
    const { i32 } = state
    const old = i32[Word.CR0]
    const next = (lo & CR0_BITS) | Cr0.ET
    const paging = (next & Cr0.PG) !== 0
    const wasPaging = (old & Cr0.PG) !== 0
    if (hi !== 0) fault(state, Vector.GP, 0)
    if ((next & Cr0.PE) === 0) {
      this.host.warn('real mode (CR0.PE = 0) is not implemented: #GP')
      fault(state, Vector.GP, 0)
    }
    if ((next & Cr0.NW) !== 0 && (next & Cr0.CD) === 0) fault(state, Vector.GP, 0)
    if (paging && !wasPaging) {
      if ((i32[Word.EFER] & Efer.LME) !== 0) {
        // CS.L is looked at before IA-32e mode is active, when it has no meaning yet.
        if ((i32[Word.CR4] & Cr4.PAE) === 0 || this.codeIsLong()) fault(state, Vector.GP, 0)
        i32[Word.EFER] |= Efer.LMA
      } else if ((i32[Word.CR4] & Cr4.PAE) !== 0 && !mmu.pdptesValid(i32[Word.CR3])) fault(state, Vector.GP, 0)
    }
    if (!paging && wasPaging) {
      if (state.long) fault(state, Vector.GP, 0)
      i32[Word.EFER] &= ~Efer.LMA
    }
    i32[Word.CR0] = next
    if (((old ^ next) & (Cr0.PG | Cr0.WP)) !== 0) mmu.invalidateAll()
    state.updateMode()
  }

  writeCr3(lo: number, hi: number): void {
    const { state, mmu } = this
    const { i32 } = state
    if (state.longModeActive) {
      if (hi >>> (PHYSICAL_BITS - 32) !== 0) fault(state, Vector.GP, 0)
    } else if ((i32[Word.CR0] & Cr0.PG) !== 0 && (i32[Word.CR4] & Cr4.PAE) !== 0 && !mmu.pdptesValid(lo)) fault(state, Vector.GP, 0)
    i32[Word.CR3] = lo
    i32[Word.CR3 + 1] = hi
    mmu.invalidateAll(true)
  }

  writeCr4(lo: number, hi: number): void {
    const { state, mmu } = this
    const { i32 } = state
    const old = i32[Word.CR4]
    if (hi !== 0 || (lo & ~CR4_BITS) !== 0) fault(state, Vector.GP, 0)
    if ((lo & Cr4.PAE) === 0) {
      if (state.longModeActive) fault(state, Vector.GP, 0)
    } else if ((old & Cr4.PAE) === 0 && (i32[Word.CR0] & Cr0.PG) !== 0 && !mmu.pdptesValid(i32[Word.CR3])) fault(state, Vector.GP, 0)
    i32[Word.CR4] = lo
    if (((old ^ lo) & Cr4.DE) !== 0) this.debug.update()
    if (((old ^ lo) & (Cr4.PSE | Cr4.PAE | Cr4.PGE)) !== 0) mmu.invalidateAll()
    state.updateMode()
  }

  /** WRMSR to IA32_EFER. LMA cannot be written; LME cannot change while paging is on. */
  writeEfer(lo: number, hi: number): void {
    const { state, mmu } = this
    const { i32 } = state
    const old = i32[Word.EFER]
    if (hi !== 0 || (lo & ~EFER_BITS) !== 0) fault(state, Vector.GP, 0)
    if (((old ^ lo) & Efer.LME) !== 0 && (i32[Word.CR0] & Cr0.PG) !== 0) fault(state, Vector.GP, 0)
    i32[Word.EFER] = (lo & ~Efer.LMA) | (old & Efer.LMA)
    if (((old ^ lo) & Efer.NXE) !== 0) mmu.invalidateAll()
    state.updateMode()
  }

  /** LMSW: the low four bits of CR0; it can set PE but not clear it. */
  loadMachineStatus(value: number): void {
    const cr0 = this.state.i32[Word.CR0]
    this.writeCr0((cr0 & ~14) | (value & 15) | (cr0 & Cr0.PE), 0)
  }

  private codeIsLong(): boolean {
    return (this.state.attributes(1) & (1 << 13)) !== 0
  }
}
