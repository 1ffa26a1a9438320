import type { Fpu } from '../fpu/fpu.ts'
import type { CpuHost } from '../core.ts'
import { Activity, Gpr, Rflag, SegmentIndex, Shadow, State, Vector } from '../state.ts'
import { SystemOp } from '../system-op.ts'
import type { ControlRegisters } from './control-registers.ts'
import { cpuid } from './cpuid.ts'
import type { DebugRegisters } from './debug.ts'
import type { Exceptions } from './exceptions.ts'
import type { ExtendedState } from './extended-state.ts'
import { FAULT, fault, setFault } from './faults.ts'
import { writeMxcsr } from './fxsave.ts'
import { type LinearMemory, operandAs } from './linear.ts'
import type { Mmu } from './mmu.ts'
import type { ModelSpecificRegisters } from './msr.ts'
import type { PortStrings } from './port-strings.ts'
import type { Ports } from './ports.ts'
import type { Rflags } from './rflags.ts'
import type { Segments } from './segments.ts'
import { hiSized, loSized, type Stack } from './stack.ts'
import type { Transfers } from './transfers.ts'
import { Cr0, Cr4, type CpuState, isCanonical, Word } from './views.ts'

const DR = State.DR >> 2

/** The parts of the processor that system instructions act upon. */
export interface InstructionParts {
  state: CpuState
  mmu: Mmu
  linear: LinearMemory
  segments: Segments
  stack: Stack
  rflags: Rflags
  exceptions: Exceptions
  transfers: Transfers
  control: ControlRegisters
  debug: DebugRegisters
  msrs: ModelSpecificRegisters
  ports: Ports
  portStrings: PortStrings
  fpu: Fpu
  extended: ExtendedState
  host: CpuHost
}

/** The system instructions, each defined once for every tier. */
export class Instructions {
  private readonly parts: InstructionParts
  private readonly state: CpuState

  constructor(parts: InstructionParts) {
    this.parts = parts
    this.state = parts.state
  }

  /**
   * Executes one instruction. Operands are in State.SYS_*, State.RIP is the address of the instruction itself.
   *
   * @returns 0 with State.RIP at the instruction to go on with; or 1 with State.FAULT_VECTOR and FAULT_ERROR set for `deliver` and
   *   nothing else changed.
   */
  execute(op: SystemOp): number {
    const { i32 } = this.state
    try {
      if (!this.transfer(op)) {
        this.plain(op)
        this.state.setRip(i32[Word.SYS_NEXT_RIP], i32[Word.SYS_NEXT_RIP + 1])
      }
      return 0
    } catch (thrown) {
      if (thrown !== FAULT) throw thrown
      return 1
    }
  }

  /** Instructions that set State.RIP themselves. False: `op` is none of them. */
  private transfer(op: SystemOp): boolean {
    const { state } = this
    const { transfers, exceptions } = this.parts
    switch (op) {
      case SystemOp.INT: exceptions.softwareInterrupt(state.i32[Word.SYS_IMM] & 0xff); return true
      case SystemOp.INT3: exceptions.softwareInterrupt(Vector.BP); return true
      case SystemOp.INT1: exceptions.softwareInterrupt(Vector.DB, true); return true
      case SystemOp.INTO:
        if (state.long) fault(state, Vector.UD, 0)
        if ((this.parts.rflags.read() & Rflag.OF) === 0) return false
        exceptions.softwareInterrupt(Vector.OF)
        return true
      case SystemOp.IRET: transfers.iret(); return true
      case SystemOp.SYSCALL: transfers.syscall(); return true
      case SystemOp.SYSRET: transfers.sysret(); return true
      case SystemOp.JMP_FAR: transfers.far(false); return true
      case SystemOp.CALL_FAR: transfers.far(true); return true
      case SystemOp.RET_FAR: transfers.ret(); return true
      case SystemOp.SYSENTER: transfers.sysenter(); return true
      case SystemOp.SYSEXIT: transfers.sysexit(); return true
      case SystemOp.INS: this.parts.portStrings.ins(false); return true
      case SystemOp.REP_INS: this.parts.portStrings.ins(true); return true
      case SystemOp.OUTS: this.parts.portStrings.outs(false); return true
      case SystemOp.REP_OUTS: this.parts.portStrings.outs(true); return true
      case SystemOp.HYPERCALL: this.hypercall(); return true
      default: return false
    }
  }

  private plain(op: SystemOp): void {
    const { state } = this
    const { i32 } = state
    const { mmu, segments, stack, rflags, control, debug, msrs, ports, transfers, extended } = this.parts
    switch (op) {
      case SystemOp.HLT:
        this.requireCpl0()
        i32[Word.ACTIVITY] |= Activity.HALTED
        state.stop()
        break
      case SystemOp.CLI:
        this.requireIopl()
        rflags.clear(Rflag.IF)
        break
      case SystemOp.STI:
        this.requireIopl()
        if ((i32[Word.SYSFLAGS] & Rflag.IF) === 0) {
          rflags.setInterruptFlag()
          this.holdInterruptsOff(Shadow.INTERRUPTS)
        }
        break

      case SystemOp.LGDT: this.loadTable(State.GDTR_BASE, State.GDTR_LIMIT); break
      case SystemOp.LIDT: this.loadTable(State.IDTR_BASE, State.IDTR_LIMIT); break
      case SystemOp.SGDT: this.storeTable(State.GDTR_BASE, State.GDTR_LIMIT); break
      case SystemOp.SIDT: this.storeTable(State.IDTR_BASE, State.IDTR_LIMIT); break
      case SystemOp.LLDT:
        this.requireCpl0()
        segments.loadLdt(this.operand16())
        break
      case SystemOp.LTR:
        this.requireCpl0()
        segments.loadTask(this.operand16())
        break
      case SystemOp.SLDT: this.store16(state.selector(SegmentIndex.LDTR)); break
      case SystemOp.STR: this.store16(state.selector(SegmentIndex.TR)); break

      case SystemOp.LMSW:
        this.requireCpl0()
        control.loadMachineStatus(this.operand16())
        break
      // To a register of 32 or 64 bits SMSW stores the whole of CR0, as the processors do.
      case SystemOp.SMSW: this.store16(i32[Word.CR0]); break
      case SystemOp.CLTS:
        this.requireCpl0()
        i32[Word.CR0] &= ~Cr0.TS
        state.updateMode()
        break
      case SystemOp.INVLPG:
        this.requireCpl0()
        mmu.invalidatePage(i32[Word.SYS_EA], i32[Word.SYS_EA + 1])
        break
      case SystemOp.WBINVD: this.requireCpl0(); break
      case SystemOp.MOV_TO_CR:
        this.requireCpl0()
        control.write(i32[Word.SYS_REG], i32[Word.SYS_VALUE], state.long ? i32[Word.SYS_VALUE + 1] : 0)
        break
      case SystemOp.MOV_FROM_CR: {
        const at = control.offsetOf(i32[Word.SYS_REG]) >> 2
        this.requireCpl0()
        state.setGpr(i32[Word.SYS_RM], i32[at], state.long ? i32[at + 1] : 0)
        break
      }
      case SystemOp.MOV_TO_DR:
        this.requireCpl0()
        debug.write(i32[Word.SYS_REG], i32[Word.SYS_VALUE], state.long ? i32[Word.SYS_VALUE + 1] : 0)
        break
      case SystemOp.MOV_FROM_DR: {
        this.requireCpl0()
        const at = DR + debug.index(i32[Word.SYS_REG]) * 2
        state.setGpr(i32[Word.SYS_RM], i32[at], state.long ? i32[at + 1] : 0)
        break
      }

      case SystemOp.MOV_TO_SREG:
        segments.load(i32[Word.SYS_REG], this.operand16())
        if (i32[Word.SYS_REG] === SegmentIndex.SS) this.holdInterruptsOff(Shadow.STACK)
        break
      case SystemOp.MOV_FROM_SREG_MEM:
        if (i32[Word.SYS_REG] > SegmentIndex.GS) fault(state, Vector.UD, 0)
        this.store16(state.selector(i32[Word.SYS_REG]))
        break
      case SystemOp.POP_SREG: {
        const size = i32[Word.SYS_SIZE]
        segments.load(i32[Word.SYS_REG], state.view.getUint16(stack.peek(0, size), true))
        stack.release(size)
        if (i32[Word.SYS_REG] === SegmentIndex.SS) this.holdInterruptsOff(Shadow.STACK)
        break
      }
      case SystemOp.LES: this.loadFarPointer(SegmentIndex.ES); break
      case SystemOp.LDS: this.loadFarPointer(SegmentIndex.DS); break
      case SystemOp.LSS: this.loadFarPointer(SegmentIndex.SS); break
      case SystemOp.LFS: this.loadFarPointer(SegmentIndex.FS); break
      case SystemOp.LGS: this.loadFarPointer(SegmentIndex.GS); break
      case SystemOp.PUSH_SREG: stack.push(state.selector(i32[Word.SYS_REG]), 0, i32[Word.SYS_SIZE]); break
      case SystemOp.SWAPGS: transfers.swapgs(); break

      case SystemOp.RDMSR:
        this.requireCpl0()
        msrs.read(state.gprLo(Gpr.RCX) >>> 0)
        this.setEdxEax(msrs.lo, msrs.hi)
        break
      case SystemOp.WRMSR:
        this.requireCpl0()
        msrs.write(state.gprLo(Gpr.RCX) >>> 0, state.gprLo(Gpr.RAX), state.gprLo(Gpr.RDX))
        break
      case SystemOp.RDTSC: this.readTimeStamp(); break
      case SystemOp.RDTSCP:
        this.readTimeStamp()
        state.setGpr(Gpr.RCX, i32[State.TSC_AUX >> 2], 0)
        break
      case SystemOp.CPUID: {
        const [eax, ebx, ecx, edx] = cpuid(state.gprLo(Gpr.RAX), state.gprLo(Gpr.RCX), {
          long: state.long,
          osxsave: (i32[Word.CR4] & Cr4.OSXSAVE) !== 0,
        })
        state.setGpr(Gpr.RAX, eax, 0)
        state.setGpr(Gpr.RBX, ebx, 0)
        state.setGpr(Gpr.RCX, ecx, 0)
        state.setGpr(Gpr.RDX, edx, 0)
        break
      }
      case SystemOp.BOUND: this.bound(); break
      case SystemOp.ENTER: stack.enter(i32[Word.SYS_IMM] & 0xffff, i32[Word.SYS_VALUE] & 31, i32[Word.SYS_SIZE]); break
      case SystemOp.LAR: this.tell(segments.accessRights(this.operand16())); break
      case SystemOp.LSL: this.tell(segments.visibleLimit(this.operand16())); break
      case SystemOp.VERR: this.tellZero(segments.verify(this.operand16(), false)); break
      case SystemOp.VERW: this.tellZero(segments.verify(this.operand16(), true)); break
      case SystemOp.INTO: break // without overflow
      case SystemOp.IN: ports.in(); break
      case SystemOp.OUT: ports.out(); break

      case SystemOp.PUSHF: stack.push(rflags.read(), 0, i32[Word.SYS_SIZE]); break
      case SystemOp.POPF: {
        const size = i32[Word.SYS_SIZE]
        const bits = loSized(state.view, stack.peek(0, size), size)
        rflags.writeMasked(bits, rflags.changeable(size))
        stack.release(size)
        break
      }
      case SystemOp.LAHF: {
        const ah = (rflags.read() & 0xd5) | Rflag.FIXED
        state.setGpr(Gpr.RAX, (state.gprLo(Gpr.RAX) & ~0xff00) | (ah << 8), state.gprHi(Gpr.RAX))
        break
      }
      case SystemOp.SAHF:
        rflags.write((rflags.read() & ~0xd5) | ((state.gprLo(Gpr.RAX) >> 8) & 0xd5))
        break

      case SystemOp.FXSAVE: extended.fxsave(); break
      case SystemOp.FXRSTOR: extended.fxrstor(); break
      case SystemOp.XSAVE: extended.xsave(); break
      case SystemOp.XRSTOR: extended.xrstor(); break
      case SystemOp.XGETBV: extended.xgetbv(); break
      case SystemOp.XSETBV: extended.xsetbv(); break
      case SystemOp.LDMXCSR:
        this.requireSse()
        writeMxcsr(state, this.parts.linear.read32(i32[Word.SYS_EA], i32[Word.SYS_EA + 1], operandAs(state)))
        break
      case SystemOp.STMXCSR:
        this.requireSse()
        this.parts.linear.write32(i32[Word.SYS_EA], i32[Word.SYS_EA + 1], i32[State.MXCSR >> 2], operandAs(state))
        break
      case SystemOp.SSE_UNUSABLE:
        this.requireSse()
        break
      case SystemOp.MMX_UNUSABLE:
        if ((i32[Word.CR0] & Cr0.EM) === 0) {
          if ((i32[Word.CR0] & Cr0.TS) !== 0) fault(state, Vector.NM, 0)
          this.parts.host.warn('MMX without CR4.OSFXSR is not implemented: #UD')
        }
        fault(state, Vector.UD, 0)
        break
      case SystemOp.FWAIT: this.parts.fpu.wait(); break
      case SystemOp.X87_D8: case SystemOp.X87_D9: case SystemOp.X87_DA: case SystemOp.X87_DB:
      case SystemOp.X87_DC: case SystemOp.X87_DD: case SystemOp.X87_DE: case SystemOp.X87_DF:
        this.parts.fpu.execute(op - SystemOp.X87_D8)
        break
      // UD
      default: fault(state, Vector.UD, 0)
    }
  }

  /** LES, LDS, LSS, LFS, LGS: a selector after an offset of the operand size. */
  private loadFarPointer(segment: number): void {
    const { state } = this
    const { i32, view } = state
    const size = i32[Word.SYS_SIZE]
    const at = this.parts.linear.reading(i32[Word.SYS_EA], i32[Word.SYS_EA + 1], size + 2, operandAs(state))
    const lo = loSized(view, at, size)
    const hi = hiSized(view, at, size)
    this.parts.segments.load(segment, view.getUint16(at + size, true))
    state.setGprSized(i32[Word.SYS_REG], lo, hi, size)
  }

  /** BOUND: #BR unless the signed register lies between the two bounds in memory, both included. */
  private bound(): void {
    const { state } = this
    const { i32, view } = state
    const size = i32[Word.SYS_SIZE]
    const at = this.parts.linear.reading(i32[Word.SYS_EA], i32[Word.SYS_EA + 1], size * 2, operandAs(state))
    const shift = 32 - size * 8
    const index = (state.gprLo(i32[Word.SYS_REG]) << shift) >> shift
    const lower = size === 2 ? view.getInt16(at, true) : view.getInt32(at, true)
    const upper = size === 2 ? view.getInt16(at + 2, true) : view.getInt32(at + 4, true)
    if (index < lower || index > upper) fault(state, Vector.BR, 0)
  }

  /** LAR, LSL: ZF, and the register when there is something to tell. */
  private tell(value: number | undefined): void {
    const { state } = this
    if (value !== undefined) state.setGprSized(state.i32[Word.SYS_REG], value | 0, 0, state.i32[Word.SYS_SIZE])
    this.tellZero(value !== undefined)
  }
  private tellZero(isZero: boolean): void {
    const { rflags } = this.parts
    rflags.writeArithmetic((rflags.readArithmetic() & ~Rflag.ZF) | (isZero ? Rflag.ZF : 0))
  }

  private requireCpl0(): void {
    if (this.state.cpl !== 0) fault(this.state, Vector.GP, 0)
  }

  private requireIopl(): void {
    if (this.state.cpl > this.state.iopl) fault(this.state, Vector.GP, 0)
  }

  private requireSse(): void {
    const { i32 } = this.state
    if ((i32[Word.CR0] & Cr0.EM) !== 0 || (i32[Word.CR4] & Cr4.OSFXSR) === 0) fault(this.state, Vector.UD, 0)
    if ((i32[Word.CR0] & Cr0.TS) !== 0) fault(this.state, Vector.NM, 0)
  }

  /** VMCALL. The kernel behind it may change every register, so RIP is set before; and virtual time passes, so `run` returns. */
  private hypercall(): void {
    const { state } = this
    const { i32 } = state
    const ripLo = i32[Word.RIP]
    const ripHi = i32[Word.RIP + 1]
    if (state.cpl === 0) {
      state.setRip(i32[Word.SYS_NEXT_RIP], i32[Word.SYS_NEXT_RIP + 1])
      if (this.parts.host.hypercall()) {
        state.stop()
        return
      }
      state.setRip(ripLo, ripHi)
    }
    setFault(state, Vector.UD, 0)
    throw FAULT
  }

  private setEdxEax(lo: number, hi: number): void {
    this.state.setGpr(Gpr.RAX, lo, 0)
    this.state.setGpr(Gpr.RDX, hi, 0)
  }

  private readTimeStamp(): void {
    const { state } = this
    const { msrs } = this.parts
    if ((state.i32[Word.CR4] & Cr4.TSD) !== 0 && state.cpl !== 0) fault(state, Vector.GP, 0)
    msrs.readTimeStamp()
    this.setEdxEax(msrs.lo, msrs.hi)
  }

  /** A 16-bit operand, which tier 0 read from its register or from memory. */
  private operand16(): number {
    return this.state.i32[Word.SYS_VALUE] & 0xffff
  }

  /** Stores to a register of the operand size, or 16 bits to memory. */
  private store16(value: number): void {
    const { state } = this
    const { i32, view } = state
    if (i32[Word.SYS_RM] >= 0) {
      state.setGprSized(i32[Word.SYS_RM], value, 0, i32[Word.SYS_SIZE])
      return
    }
    const { linear } = this.parts
    view.setInt16(linear.writing(i32[Word.SYS_EA], i32[Word.SYS_EA + 1], 2, operandAs(state)), value, true)
    linear.commit()
  }

  /** LGDT, LIDT: a 16-bit limit and a base of 64 bits in 64-bit mode, else 32, or 24 with 16-bit operands. */
  private loadTable(base: number, limit: number): void {
    const { state } = this
    const { i32, view } = state
    this.requireCpl0()
    const at = this.parts.linear.reading(i32[Word.SYS_EA], i32[Word.SYS_EA + 1], state.long ? 10 : 6, operandAs(state))
    const baseLo = loSized(view, at + 2, 8)
    const baseHi = state.long ? hiSized(view, at + 2, 8) : 0
    if (!isCanonical(baseHi)) fault(state, Vector.GP, 0)
    i32[base >> 2] = !state.long && i32[Word.SYS_SIZE] === 2 ? baseLo & 0xffffff : baseLo
    i32[(base >> 2) + 1] = baseHi
    i32[limit >> 2] = view.getUint16(at, true)
  }

  private storeTable(base: number, limit: number): void {
    const { state } = this
    const { i32, view } = state
    const { linear } = this.parts
    const at = linear.writing(i32[Word.SYS_EA], i32[Word.SYS_EA + 1], state.long ? 10 : 6, operandAs(state))
    view.setInt16(at, i32[limit >> 2], true)
    view.setInt32(at + 2, i32[base >> 2], true)
    if (state.long) view.setInt32(at + 6, i32[(base >> 2) + 1], true)
    linear.commit()
  }

  /** For one instruction: `run` returns here and ends the shadow after the next one. */
  private holdInterruptsOff(shadow: number): void {
    this.state.i32[Word.SHADOW] = shadow
    this.state.stop()
  }
}
