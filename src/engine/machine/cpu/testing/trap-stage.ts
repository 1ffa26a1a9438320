import { PhysicalMemory } from '../../memory.ts'
import type { CpuHost } from '../core.ts'
import { Cpu } from '../cpu.ts'
import type { Tier } from '../cpu.ts'
import { Activity, SegmentAttribute, SegmentIndex, State } from '../state.ts'
import { Cr4, Efer, Word } from '../system/views.ts'

/**
 * Physical addresses of the supervisor's tables and stack. They are mapped in the upper half, where programs are not, by the last entry
 * of the table at `PML4`; the other entries are the test's.
 */
export const PML4 = 0x1000
const KERNEL_PDPT = 0x5000
const GDT = 0x6000
const IDT = 0x7000
const TSS = 0x8000
const STACK = 0x20000
/** HLT for each vector, HANDLER_BYTES apart. */
const HANDLERS = 0x30000
const HANDLER_BYTES = 16
const KERNEL_HI = 0xffffffff | 0
const KERNEL_LO = 0x80000000
const KERNEL = 0xffffffff80000000n
export const KERNEL_CODE = 0x08
/** An interrupt gate with DPL 3, so that INT3 may use it, and a stack of its own, since the program's may be anywhere. */
const GATE = 0xee01

/** Vectors that push an error code. */
const HAS_ERROR = new Set([8, 10, 11, 12, 13, 14, 17])

export interface TrapStageOptions {
  ramBytes: number
  tier: Tier
  hotAfter?: number
  /** Instead of a machine that has no devices and no clock. */
  host?: Partial<CpuHost>
}

/** What ended a program, and the frame of its handler; CR2 is for page faults. */
export interface Trap {
  vector: number
  error: number
  cr2: bigint
  rip: bigint
  cs: number
  rflags: number
  rsp: bigint
  ss: number
}

/** A processor in long mode whose handlers do nothing but halt, so that what trapped can be read. */
export class TrapStage {
  readonly warnings: string[] = []
  readonly memory: PhysicalMemory
  readonly cpu: Cpu

  constructor({ ramBytes, tier, hotAfter, host }: TrapStageOptions) {
    const memory = new PhysicalMemory(ramBytes)
    this.memory = memory
    this.cpu = new Cpu(memory, {
      portIn: () => 0,
      portOut: () => {},
      mmioRead: () => {},
      mmioWrite: () => {},
      hypercall: () => false,
      acknowledgeInterrupt: () => 0,
      interruptPending: () => false,
      nowNs: () => 0,
      warn: (message) => this.warnings.push(message),
      ...host,
    }, { tier, hotAfter })
    this.cpu.reset()
    memory.writeU64(PML4 + 511 * 8, BigInt(KERNEL_PDPT | 3))
    memory.writeU64(KERNEL_PDPT + 510 * 8, 0x83n)
    memory.writeU64(GDT + KERNEL_CODE, 0x00209b0000000000n)
    memory.writeU64(TSS + 36, KERNEL + BigInt(STACK))
    for (let vector = 0; vector < 32; vector++) {
      const handler = HANDLERS + vector * HANDLER_BYTES
      memory.writeU8(handler, 0xf4)
      memory.writeU32(IDT + vector * 16, (KERNEL_CODE << 16) | (handler & 0xffff))
      memory.writeU32(IDT + vector * 16 + 4, (((KERNEL_LO + handler) & 0xffff0000) | GATE) >>> 0)
      memory.writeU32(IDT + vector * 16 + 8, KERNEL_HI >>> 0)
    }
    const { state } = this.cpu.system
    state.view.setBigUint64(State.GDTR_BASE, KERNEL + BigInt(GDT), true)
    state.view.setBigUint64(State.IDTR_BASE, KERNEL + BigInt(IDT), true)
    state.u32[State.GDTR_LIMIT >> 2] = 0x3f
    state.u32[State.IDTR_LIMIT >> 2] = 32 * 16 - 1
    state.setSegment(SegmentIndex.TR, 0x40, 0x8b, (KERNEL_LO + TSS) | 0, KERNEL_HI, 0x67)
    for (const segment of [SegmentIndex.ES, SegmentIndex.DS, SegmentIndex.FS, SegmentIndex.GS])
      state.setSegment(segment, 0, SegmentAttribute.UNUSABLE, 0, 0, 0)
    state.u32[Word.CR4] = Cr4.PAE | Cr4.OSFXSR | Cr4.OSXMMEXCPT
    state.u32[Word.EFER] = Efer.LME | Efer.LMA | Efer.NXE | Efer.SCE
  }

  /**
   * Runs until a handler halts. Throws an Error when none does.
   * @param slice instructions that the processor is asked for at once
   * @param most instructions in all
   */
  run(rip: bigint, slice: number, most: number): Trap {
    const { cpu, memory } = this
    cpu.rip = rip
    cpu.system.state.i32[State.ACTIVITY >> 2] &= ~Activity.HALTED
    for (let left = most; !cpu.halted && !cpu.shutdown && left > 0;) left -= Math.max(1, cpu.run(Math.min(slice, left)))
    if (!cpu.halted)
      throw new Error(`the program did not end: RIP ${cpu.rip.toString(16)}, ${cpu.shutdown ? cpu.shutdownReason : 'still running'}`)
    const vector = Math.floor((Number(cpu.rip - KERNEL) - HANDLERS) / HANDLER_BYTES)
    const hasError = HAS_ERROR.has(vector)
    const frame = Number(cpu.getGpr(4) - KERNEL) + (hasError ? 8 : 0)
    const word = (index: number): bigint => memory.readU64(frame + index * 8)
    return {
      vector, error: hasError ? memory.readU32(frame - 8) : 0, cr2: vector === 14 ? cpu.cr2 : 0n,
      rip: word(0), cs: Number(word(1)), rflags: Number(word(2)), rsp: word(3), ss: Number(word(4)),
    }
  }
}
