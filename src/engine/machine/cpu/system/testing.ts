import { PhysicalMemory } from '../../memory.ts'
import type { CpuHost } from '../core.ts'
import { SegmentIndex, State } from '../state.ts'
import type { SystemOp } from '../system-op.ts'
import { System } from './system.ts'
import { Cr0, Cr4, Efer, joinHalves, Word } from './views.ts'

/** Where the fixture puts the tables that the processor reads; all of it is below 2 MiB, mapped to itself. */
export const At = {
  PML4: 0x1000, PDPT: 0x2000, PD: 0x3000, PT: 0x4000, GDT: 0x6000, IDT: 0x7000, TSS: 0x8000, LDT: 0x9000,
  /** Tops of stacks: each grows down into its own page. */
  RSP0: 0x21000, IST1: 0x23000, KERNEL_STACK: 0x25000, USER_STACK: 0x27000,
  HANDLER: 0x30000, CODE: 0x40000, DATA: 0x50000,
} as const

/** Selectors of the fixture's GDT, in the order that SYSCALL and SYSRET want. */
export const Selector = {
  KERNEL_CODE: 0x08, KERNEL_DATA: 0x10, USER_CODE32: 0x18, USER_DATA: 0x20, USER_CODE: 0x28, TSS: 0x30, LDT: 0x40, KERNEL_CODE32: 0x50,
  CONFORMING: 0x58,
} as const

/** Access byte and flags of descriptors: `access << 8 | flags << 20`. */
export const DescriptorBits = {
  CODE64: 0x00209b00, CODE32: 0x00cf9b00, DATA: 0x00cf9300, CONFORMING64: 0x00209f00, DPL3: 0x6000, PRESENT: 0x8000, ACCESSED: 0x100,
} as const

/** Paging entry bits. */
export const Pte = { P: 1n, W: 2n, U: 4n, A: 0x20n, D: 0x40n, PS: 0x80n, NX: 1n << 63n } as const

/** What tier 0 hands to a system instruction; see State.SYS_*. */
interface Operands {
  ea?: bigint | number
  value?: bigint | number
  imm?: bigint | number
  reg?: number
  rm?: number
  size?: number
}
interface Gate {
  selector?: number
  offset?: bigint
  type?: number
  dpl?: number
  ist?: number
  present?: boolean
}

/** A processor with nothing around it, for tests: memory, tables, a recording host and explicit arithmetic flags. */
export class TestProcessor {
  readonly memory = new PhysicalMemory(0x400000)
  readonly system: System
  readonly warnings: string[] = []
  readonly portWrites: [port: number, size: number, value: number][] = []
  portValue = 0
  nowNs = 0
  pending = false
  hypercall: () => boolean = () => false
  arithmeticFlags = 0

  constructor() {
    const host: CpuHost = {
      portIn: () => this.portValue,
      portOut: (port, size, value) => { this.portWrites.push([port, size, value]) },
      mmioRead: (physical, _size, into) => into.setBigUint64(0, BigInt(physical), true),
      mmioWrite: () => {},
      hypercall: () => this.hypercall(),
      acknowledgeInterrupt: () => 0x20,
      interruptPending: () => this.pending,
      nowNs: () => this.nowNs,
      warn: (message) => { this.warnings.push(message) },
    }
    this.system = new System(this.memory, host, { read: () => this.arithmeticFlags, write: (bits) => { this.arithmeticFlags = bits } })
  }

  get state() { return this.system.state }

  u64(offset: number): bigint { return this.state.view.getBigUint64(offset, true) }
  setU64(offset: number, value: bigint | number): void { this.state.view.setBigUint64(offset, BigInt.asUintN(64, BigInt(value)), true) }
  u32(offset: number): number { return this.state.view.getUint32(offset, true) }
  setU32(offset: number, value: number): void { this.state.view.setUint32(offset, value, true) }
  gpr(register: number): bigint { return this.u64(State.GPR + register * 8) }
  setGpr(register: number, value: bigint | number): void { this.setU64(State.GPR + register * 8, value) }
  get rip(): bigint { return this.u64(State.RIP) }
  get rsp(): bigint { return this.gpr(4) }
  get cpl(): number { return this.state.cpl }
  get fault(): { vector: number; error: number } {
    return { vector: this.state.i32[Word.FAULT_VECTOR], error: this.state.i32[Word.FAULT_ERROR] }
  }
  get cr2(): bigint { return this.u64(State.CR2) }
  selector(segment: number): number { return this.state.selector(segment) }
  /** The top of memory at an address, as quadwords. */
  quadwords(address: bigint | number, count: number): bigint[] {
    return Array.from({ length: count }, (_, i) => this.memory.readU64(Number(address) + i * 8))
  }
  doublewords(address: bigint | number, count: number): number[] {
    return Array.from({ length: count }, (_, i) => this.memory.readU32(Number(address) + i * 4))
  }

  /** Translates as a program of the current privilege; a bigint is the physical address, else what went wrong. */
  translate(va: bigint, access: number): bigint | 'fault' | 'mmio' {
    this.setU64(State.SLOW_VA, va)
    const offset = this.system.translate(access)
    if (offset === -1) return 'fault'
    return offset === -2 ? 'mmio' : BigInt(offset) - 0x800000n
  }

  /** Executes a system instruction of two bytes at RIP. */
  execute(op: SystemOp, operands: Operands = {}): number {
    this.setU64(State.SYS_NEXT_RIP, this.rip + 2n)
    this.setU64(State.SYS_EA, operands.ea ?? 0)
    this.setU64(State.SYS_VALUE, operands.value ?? 0)
    this.setU64(State.SYS_IMM, operands.imm ?? 0)
    this.setU32(State.SYS_REG, operands.reg ?? 0)
    this.setU32(State.SYS_RM, operands.rm ?? -1)
    this.setU32(State.SYS_SIZE, operands.size ?? 8)
    return this.system.execute(op)
  }

  descriptor(selector: number, low: bigint | number, high: number): void {
    this.memory.writeU32(At.GDT + (selector & ~7), Number(low))
    this.memory.writeU32(At.GDT + (selector & ~7) + 4, high >>> 0)
  }

  gate64(vector: number, options: Gate = {}): void {
    const { selector = Selector.KERNEL_CODE, offset = handlerOf(vector), type = 14, dpl = 0, ist = 0, present = true } = options
    const at = At.IDT + vector * 16
    const middle = Number((offset >> 16n) & 0xffffn) << 16
    this.memory.writeU32(at, (selector << 16) | Number(offset & 0xffffn))
    this.memory.writeU32(at + 4, (middle | (present ? 0x8000 : 0) | (dpl << 13) | (type << 8) | ist) >>> 0)
    this.memory.writeU32(at + 8, Number((offset >> 32n) & 0xffffffffn))
    this.memory.writeU32(at + 12, 0)
  }

  gate32(vector: number, options: Omit<Gate, 'ist'> = {}): void {
    const { selector = Selector.KERNEL_CODE32, offset = handlerOf(vector), type = 14, dpl = 0, present = true } = options
    const at = At.IDT + vector * 8
    this.memory.writeU32(at, ((selector << 16) | (Number(offset) & 0xffff)) >>> 0)
    this.memory.writeU32(at + 4, ((Number(offset) & 0xffff0000) | (present ? 0x8000 : 0) | (dpl << 13) | (type << 8)) >>> 0)
  }

  private tables(tssHi: number): void {
    const { memory } = this
    this.descriptor(Selector.KERNEL_CODE, 0xffff, DescriptorBits.CODE64)
    this.descriptor(Selector.KERNEL_DATA, 0xffff, DescriptorBits.DATA)
    this.descriptor(Selector.USER_CODE32, 0xffff, DescriptorBits.CODE32 | DescriptorBits.DPL3)
    this.descriptor(Selector.USER_DATA, 0xffff, DescriptorBits.DATA | DescriptorBits.DPL3)
    this.descriptor(Selector.USER_CODE, 0xffff, DescriptorBits.CODE64 | DescriptorBits.DPL3)
    this.descriptor(Selector.TSS, (At.TSS << 16) | 0x67, tssHi)
    this.descriptor(Selector.TSS + 8, 0, 0)
    this.descriptor(Selector.LDT, (At.LDT << 16) | 0xff, 0x8200)
    this.descriptor(Selector.LDT + 8, 0, 0)
    this.descriptor(Selector.KERNEL_CODE32, 0xffff, DescriptorBits.CODE32)
    this.descriptor(Selector.CONFORMING, 0xffff, DescriptorBits.CONFORMING64)
    this.setU64(State.GDTR_BASE, At.GDT)
    this.setU32(State.GDTR_LIMIT, 0x5f)
    this.setU64(State.IDTR_BASE, At.IDT)
    this.setU64(State.RIP, At.CODE)
    this.setGpr(4, At.KERNEL_STACK)
    memory.fill(At.IDT, 4096, 0)
    this.state.setSegment(SegmentIndex.TR, Selector.TSS, 0x8b, At.TSS, 0, 0x67)
  }

  /**
   * 64-bit mode at CPL 0: the first 2 MiB mapped to themselves by 4 KiB supervisor pages, NX on, GDT, TSS, and an IDT of interrupt gates.
   */
  longMode(): this {
    const { memory, state } = this
    memory.writeU64(At.PML4, BigInt(At.PDPT) | 7n)
    memory.writeU64(At.PDPT, BigInt(At.PD) | 7n)
    memory.writeU64(At.PD, BigInt(At.PT) | 7n)
    for (let page = 0; page < 512; page++) this.page(page << 12, Pte.P | Pte.W)
    this.tables(0x8b00)
    for (let vector = 0; vector < 32; vector++) this.gate64(vector)
    this.setU32(State.IDTR_LIMIT, 0xfff)
    memory.writeU64(At.TSS + 4, BigInt(At.RSP0))
    memory.writeU64(At.TSS + 36, BigInt(At.IST1))
    memory.writeU16(At.TSS + 0x66, 0x68)
    this.setU64(State.CR3, At.PML4)
    this.setU64(State.CR4, Cr4.PAE | Cr4.OSFXSR)
    this.setU64(State.EFER, Efer.LME | Efer.LMA | Efer.NXE | Efer.SCE)
    state.i32[Word.CR0] = Cr0.PE | Cr0.ET | Cr0.PG | Cr0.WP
    state.setSegment(SegmentIndex.CS, Selector.KERNEL_CODE, 0xa09b, 0, 0, 0xffffffff)
    state.setSegment(SegmentIndex.SS, Selector.KERNEL_DATA, 0xc093, 0, 0, 0xffffffff)
    state.updateMode()
    this.system.mmu.invalidateAll()
    return this
  }

  /** 32-bit protected mode at CPL 0, paging off, with the same tables in their 32-bit form. */
  protectedMode(): this {
    const { memory, state } = this
    this.tables(0x8b00)
    for (let vector = 0; vector < 32; vector++) this.gate32(vector)
    this.setU32(State.IDTR_LIMIT, 0x7ff)
    memory.writeU32(At.TSS + 4, At.RSP0)
    memory.writeU32(At.TSS + 8, Selector.KERNEL_DATA)
    memory.writeU16(At.TSS + 0x66, 0x68)
    state.setSegment(SegmentIndex.CS, Selector.KERNEL_CODE32, 0xc09b, 0, 0, 0xffffffff)
    state.setSegment(SegmentIndex.SS, Selector.KERNEL_DATA, 0xc093, 0, 0, 0xffffffff)
    state.updateMode()
    this.system.mmu.invalidateAll()
    return this
  }

  /** Maps a page of the first 2 MiB to itself with these bits. */
  page(address: number, bits: bigint): void {
    this.memory.writeU64(At.PT + (address >> 12) * 8, BigInt(address) | bits)
    this.system.mmu.invalidatePage(address, 0)
  }
  entry(address: number): bigint { return this.memory.readU64(address) }

  /** Drops to CPL 3 as a kernel would find it after IRET: user code and stack pages mapped for the user. */
  userMode(): this {
    const { state } = this
    for (const page of [At.CODE, At.DATA, At.USER_STACK - 4096]) this.page(page, Pte.P | Pte.W | Pte.U)
    const attributes = state.long ? 0xa0fb : 0xc0fb
    state.setSegment(SegmentIndex.CS, (state.long ? Selector.USER_CODE : Selector.USER_CODE32) | 3, attributes, 0, 0, 0xffffffff)
    state.setSegment(SegmentIndex.SS, Selector.USER_DATA | 3, 0xc0f3, 0, 0, 0xffffffff)
    this.setGpr(4, At.USER_STACK)
    state.updateMode()
    return this
  }

  base(segment: number): bigint { return joinHalves(this.state.baseLo(segment), this.state.baseHi(segment)) }
}

/** Where a vector's handler is unless a test says otherwise. */
export function handlerOf(vector: number): bigint {
  return BigInt(At.HANDLER + vector * 16)
}
