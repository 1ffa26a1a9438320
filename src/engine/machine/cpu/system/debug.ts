import { Rflag, State, Vector } from '../state.ts'
import { fault } from './faults.ts'
import type { Mmu } from './mmu.ts'
import { Cr4, type CpuState, Word } from './views.ts'

const DR = State.DR >> 2
const DR6 = DR + 12
const DR7 = DR + 14

/** Bits of DR6, SDM vol. 3, 18.2.3: which breakpoints, an access to the registers while DR7.GD is set, single step, task switch. */
export const Dr6 = { BREAKPOINTS: 15, BD: 0x2000, BS: 0x4000, BT: 0x8000, ONES: 0xffff0ff0 | 0, WRITABLE: 0xe00f } as const
const Dr7 = { ONES: 0x400, WRITABLE: 0xffff23ff | 0, GD: 0x2000, LOCAL: 0x55 } as const

/** R/W fields of DR7, SDM vol. 3, 18.2.4. */
const Condition = { EXECUTE: 0, WRITE: 1, PORT: 2, ACCESS: 3 } as const
/** Bytes by LEN field. */
const BYTES = [1, 2, 8, 4] as const

interface Breakpoint {
  /** Its bit in DR6. */
  bit: number
  condition: number
  /** Linear address, or port, aligned to its length. */
  lo: number
  hi: number
  bytes: number
}

/**
 * The debug registers: SDM vol. 3, chapter 18. While a breakpoint on data is enabled the TLB takes in no page that holds one, so that each
 * access there comes by `note`; while one on an instruction is, code on its page is looked up anew for each instruction (`holdsCode`).
 */
export class DebugRegisters {
  /** Some breakpoint on an instruction is enabled; RFLAGS.RF is kept only while there is one. */
  watchesCode = false
  /** Bits of DR6 that the current instruction has earned: a trap after it. */
  pending = 0
  private points: readonly Breakpoint[] = []
  private watchesData = false
  private watchesPorts = false
  private readonly state: CpuState
  private readonly mmu: Mmu
  /** Called when other instructions than before have breakpoints. */
  onCodeChange: () => void = () => {}

  constructor(state: CpuState, mmu: Mmu) {
    this.state = state
    this.mmu = mmu
  }

  /** After DR7 was set by something else than an instruction: a reset. */
  reset(): void {
    this.pending = 0
    this.update()
  }

  /** MOV from DRn: the register's index. #UD for DR4 and DR5 when CR4.DE is set, else they are DR6 and DR7; #DB while DR7.GD is set. */
  index(register: number): number {
    const { i32 } = this.state
    const isAlias = register === 4 || register === 5
    if (register > 7 || (isAlias && (i32[Word.CR4] & Cr4.DE) !== 0)) fault(this.state, Vector.UD, 0)
    if ((i32[DR7] & Dr7.GD) !== 0) {
      i32[DR6] |= Dr6.BD
      fault(this.state, Vector.DB, 0)
    }
    return isAlias ? register + 2 : register
  }

  /** MOV to DRn. #GP(0) for bits 63–32 of DR6 and DR7. */
  write(register: number, lo: number, hi: number): void {
    const { i32 } = this.state
    const index = this.index(register)
    if (index >= 6 && hi !== 0) fault(this.state, Vector.GP, 0)
    if (index === 6) lo = (lo & Dr6.WRITABLE) | Dr6.ONES
    if (index === 7) lo = (lo & Dr7.WRITABLE) | Dr7.ONES
    i32[DR + index * 2] = lo
    i32[DR + index * 2 + 1] = hi
    if (index !== 6) this.update()
  }

  /** What CR4.DE means for breakpoints may have changed. */
  update(): void {
    const { i32 } = this.state
    const control = i32[DR7]
    const points: Breakpoint[] = []
    for (let number = 0; number < 4; number++) {
      if (((control >> (number * 2)) & 3) === 0) continue
      const condition = (control >> (16 + number * 4)) & 3
      if (condition === Condition.PORT && (i32[Word.CR4] & Cr4.DE) === 0) continue
      const bytes = condition === Condition.EXECUTE ? 1 : BYTES[(control >> (18 + number * 4)) & 3]
      points.push({ bit: 1 << number, condition, lo: i32[DR + number * 2] & -bytes, hi: i32[DR + number * 2 + 1], bytes })
    }
    if (points.length === 0 && this.points.length === 0) return
    this.points = points
    const data = points.filter(({ condition }) => condition === Condition.WRITE || condition === Condition.ACCESS)
    this.watchesCode = points.some(({ condition }) => condition === Condition.EXECUTE)
    this.watchesPorts = points.some(({ condition }) => condition === Condition.PORT)
    this.watchesData = data.length > 0
    this.mmu.watch(data.map(({ lo, hi }) => pageOf(lo, hi)))
    this.state.bumpGeneration()
    this.onCodeChange()
  }

  /** Delivery of #DB clears DR7.GD. */
  entered(): void {
    this.state.i32[DR7] &= ~Dr7.GD
  }
  /** A task switch clears the local enable bits, SDM vol. 3, 7.3. */
  leaveTask(): void {
    if ((this.state.i32[DR7] & Dr7.LOCAL) === 0) return
    this.state.i32[DR7] &= ~Dr7.LOCAL
    this.update()
  }

  /** Puts bits into DR6; they stay until a program clears them. */
  report(bits: number): void {
    this.state.i32[DR6] |= bits
  }

  /** Whether an enabled breakpoint on an instruction lies in a linear page. */
  holdsCode(page: number): boolean {
    return this.points.some(({ condition, lo, hi }) => condition === Condition.EXECUTE && pageOf(lo, hi) === page)
  }
  /** Bits of DR6 for the instruction at a linear address; RFLAGS.RF keeps it from them. */
  ofInstruction(lo: number, hi: number): number {
    if ((this.state.i32[Word.SYSFLAGS] & Rflag.RF) !== 0) return 0
    return this.bits((point) => point.condition === Condition.EXECUTE && point.lo === lo && point.hi === hi)
  }
  /** An access to data that can no longer fault. */
  note(lo: number, hi: number, length: number, write: boolean): void {
    if (!this.watchesData) return
    this.pending |= this.bits((point) => {
      if (point.condition !== Condition.ACCESS && (point.condition !== Condition.WRITE || !write)) return false
      const distance = (point.hi - hi) * 0x100000000 + ((point.lo >>> 0) - (lo >>> 0))
      return distance < length && -distance < point.bytes
    })
  }
  /** IN, OUT, INS, OUTS. */
  notePort(port: number, size: number): void {
    if (!this.watchesPorts) return
    this.pending |= this.bits(({ condition, lo, bytes }) => condition === Condition.PORT && lo < port + size && port < lo + bytes)
  }

  private bits(hits: (point: Breakpoint) => boolean): number {
    let bits = 0
    for (const point of this.points) if (hits(point)) bits |= point.bit
    return bits
  }
}

/** Number of the linear page of 4 KiB that holds an address. */
export const pageOf = (lo: number, hi: number): number => (hi >>> 0) * 0x100000 + (lo >>> 12)
