import type { CpuHost } from '../core.ts'
import { SegmentIndex, State, Vector } from '../state.ts'
import type { ControlRegisters } from './control-registers.ts'
import { fault } from './faults.ts'
import { type CpuState, isCanonical, Word } from './views.ts'

/** Model-specific registers, SDM vol. 4, chapter 2. */
export const Msr = {
  TIME_STAMP_COUNTER: 0x10,
  PLATFORM_ID: 0x17,
  APIC_BASE: 0x1b,
  BIOS_SIGN_ID: 0x8b,
  MTRRCAP: 0xfe,
  MCG_CAP: 0x179,
  MCG_STATUS: 0x17a,
  SYSENTER_CS: 0x174,
  SYSENTER_ESP: 0x175,
  SYSENTER_EIP: 0x176,
  MISC_ENABLE: 0x1a0,
  PAT: 0x277,
  MTRR_DEF_TYPE: 0x2ff,
  TSC_DEADLINE: 0x6e0,
  EFER: 0xc0000080,
  STAR: 0xc0000081,
  LSTAR: 0xc0000082,
  CSTAR: 0xc0000083,
  FMASK: 0xc0000084,
  FS_BASE: 0xc0000100,
  GS_BASE: 0xc0000101,
  KERNEL_GS_BASE: 0xc0000102,
  TSC_AUX: 0xc0000103,
} as const

/** IA32_MISC_ENABLE: fast strings on, and no more. */
const MISC_ENABLE_VALUE = 1
const TSC_OFFSET = State.TSC_OFFSET >> 2
const TWO_32 = 0x100000000

/** Registers that are plain storage, with what may be written to them. */
const STORED = new Map<number, { at: number; canonical: boolean; maskLo: number; maskHi: number }>([
  stored(Msr.SYSENTER_CS, State.SYSENTER_CS, false, 0xffffffff, 0),
  stored(Msr.SYSENTER_ESP, State.SYSENTER_ESP, true),
  stored(Msr.SYSENTER_EIP, State.SYSENTER_EIP, true),
  stored(Msr.STAR, State.STAR, false),
  stored(Msr.LSTAR, State.LSTAR, true),
  stored(Msr.CSTAR, State.CSTAR, true),
  stored(Msr.FMASK, State.FMASK, false, 0xffffffff, 0),
  stored(Msr.KERNEL_GS_BASE, State.KERNEL_GS_BASE, true),
  stored(Msr.TSC_AUX, State.TSC_AUX, false, 0xffffffff, 0),
  stored(Msr.APIC_BASE, State.APIC_BASE, false, 0xfffff900, 0xff),
])

function stored(msr: number, offset: number, canonical: boolean, maskLo = 0xffffffff, maskHi = 0xffffffff) {
  return [msr, { at: offset >> 2, canonical, maskLo: maskLo | 0, maskHi: maskHi | 0 }] as const
}

/** RDMSR, WRMSR, RDTSC. */
export class ModelSpecificRegisters {
  private readonly state: CpuState
  private readonly control: ControlRegisters
  private readonly host: CpuHost
  /** The value that `read` found. */
  lo = 0
  hi = 0

  constructor(state: CpuState, control: ControlRegisters, host: CpuHost) {
    this.state = state
    this.control = control
    this.host = host
  }

  /** Reads a register into `lo` and `hi`; #GP(0), with a warning, for one that does not exist. */
  read(msr: number): void {
    const { state } = this
    const { i32 } = state
    const plain = STORED.get(msr)
    if (plain !== undefined) this.take(i32[plain.at], i32[plain.at + 1])
    else
      switch (msr) {
        case Msr.TIME_STAMP_COUNTER: this.readTimeStamp(); break
        case Msr.EFER: this.take(i32[State.EFER >> 2], 0); break
        case Msr.PAT: this.take(i32[State.PAT >> 2], i32[(State.PAT >> 2) + 1]); break
        case Msr.FS_BASE: this.take(state.baseLo(SegmentIndex.FS), state.baseHi(SegmentIndex.FS)); break
        case Msr.GS_BASE: this.take(state.baseLo(SegmentIndex.GS), state.baseHi(SegmentIndex.GS)); break
        case Msr.TSC_DEADLINE: this.readDeadline(); break
        case Msr.MISC_ENABLE: this.take(MISC_ENABLE_VALUE, 0); break
        case Msr.PLATFORM_ID: case Msr.BIOS_SIGN_ID: case Msr.MTRRCAP: case Msr.MTRR_DEF_TYPE: case Msr.MCG_CAP:
        case Msr.MCG_STATUS: this.take(0, 0); break
        default: this.unknown('RDMSR', msr)
      }
  }

  /** Writes a register; #GP(0) for a value it cannot hold and, with a warning, for one that does not exist. */
  write(msr: number, lo: number, hi: number): void {
    const { state } = this
    const { i32 } = state
    const plain = STORED.get(msr)
    if (plain !== undefined) {
      if ((lo & ~plain.maskLo) !== 0 || (hi & ~plain.maskHi) !== 0 || (plain.canonical && !isCanonical(hi))) fault(state, Vector.GP, 0)
      i32[plain.at] = lo
      i32[plain.at + 1] = hi
      if (msr === Msr.APIC_BASE) this.host.apic?.baseWritten(lo)
      return
    }
    switch (msr) {
      case Msr.TIME_STAMP_COUNTER: this.writeTimeStamp(lo, hi); break
      case Msr.TSC_DEADLINE: this.writeDeadline(lo, hi); break
      case Msr.EFER: this.control.writeEfer(lo, hi); break
      case Msr.PAT:
        if (!patValid(lo) || !patValid(hi)) fault(state, Vector.GP, 0)
        i32[State.PAT >> 2] = lo
        i32[(State.PAT >> 2) + 1] = hi
        break
      case Msr.FS_BASE: this.writeBase(SegmentIndex.FS, lo, hi); break
      case Msr.GS_BASE: this.writeBase(SegmentIndex.GS, lo, hi); break
      // Writable on real parts; nothing here depends on them.
      case Msr.BIOS_SIGN_ID: case Msr.MISC_ENABLE: case Msr.MTRR_DEF_TYPE: case Msr.MCG_STATUS: break
      default: this.unknown('WRMSR', msr)
    }
  }

  /** The time stamp counter into `lo` and `hi`: one tick a nanosecond of virtual time. */
  readTimeStamp(): void {
    const { u32 } = this.state
    const now = this.host.nowNs()
    const lo = now % TWO_32 + u32[TSC_OFFSET]
    this.take(lo | 0, (Math.floor(now / TWO_32) + u32[TSC_OFFSET + 1] + (lo >= TWO_32 ? 1 : 0)) | 0)
  }

  /** The same to State.SYS_VALUE. */
  timeStamp(): void {
    this.readTimeStamp()
    this.state.i32[Word.SYS_VALUE] = this.lo
    this.state.i32[Word.SYS_VALUE + 1] = this.hi
  }

  private writeTimeStamp(lo: number, hi: number): void {
    const { i32 } = this.state
    const now = this.host.nowNs()
    const difference = (lo >>> 0) - (now % TWO_32)
    i32[TSC_OFFSET] = difference
    i32[TSC_OFFSET + 1] = (hi - Math.floor(now / TWO_32) - (difference < 0 ? 1 : 0)) | 0
  }

  /** Virtual time at which the time stamp counter was 0, which may be before reset. */
  private get timeStampOriginNs(): number {
    const { i32, u32 } = this.state
    return -(i32[TSC_OFFSET + 1] * TWO_32 + u32[TSC_OFFSET])
  }

  private readDeadline(): void {
    const deadlineNs = this.host.apic?.deadlineNs ?? Infinity
    if (deadlineNs === Infinity) return this.take(0, 0)
    const stamp = deadlineNs - this.timeStampOriginNs
    this.take(stamp | 0, Math.floor(stamp / TWO_32) | 0)
  }

  /** Zero disarms the timer. A time past the end of the virtual clock never comes. */
  private writeDeadline(lo: number, hi: number): void {
    const { apic } = this.host
    if (apic === undefined) return
    const deadlineNs = (hi >>> 0) * TWO_32 + (lo >>> 0) + this.timeStampOriginNs
    const isNever = (lo === 0 && hi === 0) || deadlineNs > Number.MAX_SAFE_INTEGER
    apic.deadlineNs = isNever ? Infinity : Math.max(0, deadlineNs)
  }

  private writeBase(segment: number, lo: number, hi: number): void {
    if (!isCanonical(hi)) fault(this.state, Vector.GP, 0)
    this.state.setSegmentBase(segment, lo, hi)
  }

  private take(lo: number, hi: number): void {
    this.lo = lo
    this.hi = hi
  }

  private unknown(instruction: string, msr: number): never {
    this.host.warn(`${instruction} of an unknown register 0x${msr.toString(16)}: #GP`)
    return fault(this.state, Vector.GP, 0)
  }
}

/** Each byte of the page attribute table is a memory type: UC, WC, WT, WP, WB or UC-. SDM vol. 3, 12.12.2. */
function patValid(half: number): boolean {
  for (let shift = 0; shift < 32; shift += 8) {
    const type = (half >>> shift) & 0xff
    if (type > 7 || type === 2 || type === 3) return false
  }
  return true
}
