import type { CpuHost } from '../core.ts'
import { Gpr, Rflag, SegmentAttribute, SegmentIndex, Vector } from '../state.ts'
import type { DebugRegisters } from './debug.ts'
import { fault } from './faults.ts'
import { As, type LinearMemory } from './linear.ts'
import { type CpuState, Word } from './views.ts'

/** Offset of the I/O map base in a 32-bit and in a 64-bit TSS alike, SDM vol. 3, figures 7-2 and 7-11. */
const IO_MAP_BASE = 0x66

/** IN and OUT with their privilege check, SDM vol. 1, 19.5. */
export class Ports {
  private readonly state: CpuState
  private readonly linear: LinearMemory
  private readonly debug: DebugRegisters
  private readonly host: CpuHost

  constructor(state: CpuState, linear: LinearMemory, debug: DebugRegisters, host: CpuHost) {
    this.state = state
    this.linear = linear
    this.debug = debug
    this.host = host
  }

  /** IN from port SYS_IMM to AL, AX or EAX. */
  in(): void {
    const { state } = this
    const { i32 } = state
    const size = i32[Word.SYS_SIZE] as 1 | 2 | 4
    const port = i32[Word.SYS_IMM] & 0xffff
    this.check(port, size)
    const value = this.read(port, size)
    if (size === 4) state.setGpr(Gpr.RAX, value, 0)
    else {
      const mask = size === 1 ? 0xff : 0xffff
      state.setGpr(Gpr.RAX, (state.gprLo(Gpr.RAX) & ~mask) | (value & mask), state.gprHi(Gpr.RAX))
    }
  }

  /** OUT of AL, AX or EAX to port SYS_IMM. When that changes what must happen next, the host asks for a stop itself. */
  out(): void {
    const { state } = this
    const { i32 } = state
    const port = i32[Word.SYS_IMM] & 0xffff
    const size = i32[Word.SYS_SIZE] as 1 | 2 | 4
    this.check(port, size)
    this.write(port, size, state.gprLo(Gpr.RAX))
  }

  /** Reads a port that the program may use. */
  read(port: number, size: 1 | 2 | 4): number {
    this.debug.notePort(port, size)
    return this.host.portIn(port, size)
  }
  write(port: number, size: 1 | 2 | 4, value: number): void {
    this.debug.notePort(port, size)
    this.host.portOut(port, size, size === 4 ? value >>> 0 : value & (size === 1 ? 0xff : 0xffff))
  }

  /** #GP(0) unless IOPL or the I/O permission map of the TSS allows the ports. */
  check(port: number, size: number): void {
    const { state } = this
    if (state.cpl <= (state.i32[Word.SYSFLAGS] & Rflag.IOPL) >> 12) return
    const type = state.attributes(SegmentIndex.TR) & (SegmentAttribute.TYPE & ~2)
    const limit = state.limit(SegmentIndex.TR)
    if (type !== 9 || limit < IO_MAP_BASE + 1) fault(state, Vector.GP, 0)
    const map = (this.readTask(IO_MAP_BASE)) + (port >> 3)
    // Two bytes are read always, so the map must be followed by one byte of ones.
    if (map + 1 > limit) fault(state, Vector.GP, 0)
    if (((this.readTask(map) >> (port & 7)) & ((1 << size) - 1)) !== 0) fault(state, Vector.GP, 0)
  }

  private readTask(offset: number): number {
    const { state } = this
    const at = (state.baseLo(SegmentIndex.TR) >>> 0) + offset
    const hi = state.baseHi(SegmentIndex.TR)
    return this.linear.read16(at | 0, at > 0xffffffff ? (hi + 1) | 0 : hi, As.SYSTEM)
  }
}
