import { describe, expect, test } from 'vitest'
import { Activity, Gpr, ModeBit, Rflag, SegmentAttribute, SegmentIndex, Shadow, State, Vector } from '../state.ts'
import { SystemOp } from '../system-op.ts'
import { cpuid } from './cpuid.ts'
import { Msr } from './msr.ts'
import { At, DescriptorBits, Pte, Selector, TestProcessor } from './testing.ts'
import { Cr0, Cr4, Efer } from './views.ts'

const { IF, FIXED, IOPL } = Rflag
const LONG = { long: true, osxsave: false }
const GP0 = { vector: Vector.GP, error: 0 }

describe('control registers', () => {
  const toCr = (cpu: TestProcessor, reg: number, value: bigint | number) => cpu.execute(SystemOp.MOV_TO_CR, { reg, rm: 0, value })

  test('the way into long mode and out of it', () => {
    const cpu = new TestProcessor().longMode()
    const loaded = new TestProcessor().protectedMode()
    loaded.memory.write(0, cpu.memory.read(0, 0xa000))
    expect(toCr(loaded, 4, Cr4.PAE)).toBe(0)
    expect(toCr(loaded, 3, At.PML4)).toBe(0)
    loaded.setGpr(Gpr.RCX, Msr.EFER)
    loaded.setGpr(Gpr.RAX, Efer.LME | Efer.NXE)
    loaded.setGpr(Gpr.RDX, 0)
    expect(loaded.execute(SystemOp.WRMSR)).toBe(0)
    expect(loaded.u64(State.EFER)).toBe(BigInt(Efer.LME | Efer.NXE))
    expect(toCr(loaded, 0, BigInt((Cr0.PE | Cr0.PG | Cr0.WP) >>> 0))).toBe(0)
    expect(loaded.u64(State.EFER)).toBe(BigInt(Efer.LME | Efer.LMA | Efer.NXE))
    expect(loaded.u32(State.MODE)).toBe(ModeBit.D32 | ModeBit.STACK32)
    expect(loaded.execute(SystemOp.JMP_FAR, { value: Selector.KERNEL_CODE, imm: 0x1000, size: 4 })).toBe(0)
    expect(loaded.u32(State.MODE)).toBe(ModeBit.LONG)
    // PG and PAE cannot be cleared and LME not changed in 64-bit mode.
    expect(toCr(loaded, 0, Cr0.PE)).toBe(1)
    expect(toCr(loaded, 4, 0)).toBe(1)
    expect(loaded.fault).toEqual(GP0)
    loaded.setGpr(Gpr.RAX, 0)
    expect(loaded.execute(SystemOp.WRMSR)).toBe(1)
    loaded.execute(SystemOp.JMP_FAR, { value: Selector.KERNEL_CODE32, imm: 0x1000, size: 4 })
    expect(toCr(loaded, 0, Cr0.PE)).toBe(0)
    expect(loaded.u64(State.EFER)).toBe(BigInt(Efer.LME | Efer.NXE))
  })

  test('paging with LME but without PAE, or from a 64-bit code segment, is refused', () => {
    const cpu = new TestProcessor().protectedMode()
    cpu.setU64(State.EFER, Efer.LME)
    expect(toCr(cpu, 0, BigInt((Cr0.PE | Cr0.PG) >>> 0))).toBe(1)
    cpu.setU64(State.CR4, Cr4.PAE)
    cpu.state.setSegment(SegmentIndex.CS, Selector.KERNEL_CODE, 0xa09b, 0, 0, 0xffffffff)
    expect(toCr(cpu, 0, BigInt((Cr0.PE | Cr0.PG) >>> 0))).toBe(1)
    expect(cpu.u64(State.EFER)).toBe(BigInt(Efer.LME))
  })

  test.each([
    ['CR0 upper half', 0, (1n << 32n) | 0x80010011n],
    ['CR0 NW without CD', 0, 0xa0000011n],
    ['CR0 PG without PE', 0, 0x80000010n],
    ['CR3 beyond the physical width', 3, 1n << 40n],
    ['CR4 SMEP, which CPUID denies', 4, BigInt(Cr4.PAE | (1 << 20))],
    ['CR4 PCIDE', 4, BigInt(Cr4.PAE | (1 << 17))],
    ['CR8 above 15', 8, 16n],
  ])('%s is #GP(0)', (_name, reg, value) => {
    const cpu = new TestProcessor().longMode()
    expect(toCr(cpu, reg, value)).toBe(1)
    expect(cpu.fault).toEqual(GP0)
  })

  test('reads, the registers that do not exist, and privilege', () => {
    const cpu = new TestProcessor().longMode()
    cpu.setU64(State.CR2, 0xffff_8000_1234_5678n)
    expect(cpu.execute(SystemOp.MOV_FROM_CR, { reg: 2, rm: Gpr.R9 })).toBe(0)
    expect(cpu.gpr(Gpr.R9)).toBe(0xffff_8000_1234_5678n)
    for (const reg of [1, 5, 9]) {
      expect(cpu.execute(SystemOp.MOV_FROM_CR, { reg, rm: 0 })).toBe(1)
      expect(cpu.fault.vector).toBe(Vector.UD)
    }
    cpu.userMode()
    expect(cpu.execute(SystemOp.MOV_FROM_CR, { reg: 0, rm: 0 })).toBe(1)
    expect(cpu.fault).toEqual(GP0)
  })

  test('a CR3 load forgets translations, so does a change of WP', () => {
    const cpu = new TestProcessor().longMode()
    cpu.page(At.DATA, Pte.P)
    cpu.translate(BigInt(At.DATA), 0)
    cpu.page(At.DATA, 0n)
    toCr(cpu, 3, At.PML4)
    expect(cpu.translate(BigInt(At.DATA), 0)).toBe('fault')
    cpu.page(At.DATA, Pte.P)
    toCr(cpu, 0, BigInt((Cr0.PE | Cr0.PG) >>> 0))
    expect(cpu.translate(BigInt(At.DATA), 1)).toBe(BigInt(At.DATA))
    toCr(cpu, 0, BigInt((Cr0.PE | Cr0.PG | Cr0.WP) >>> 0))
    expect(cpu.translate(BigInt(At.DATA), 1)).toBe('fault')
  })

  test('LMSW sets the low bits and cannot leave protected mode; SMSW and CLTS', () => {
    const cpu = new TestProcessor().protectedMode()
    cpu.execute(SystemOp.LMSW, { rm: 0, value: Cr0.TS | Cr0.MP, size: 2 })
    expect(cpu.u32(State.CR0)).toBe(Cr0.PE | Cr0.ET | Cr0.TS | Cr0.MP)
    cpu.setGpr(Gpr.RBX, -1)
    cpu.execute(SystemOp.SMSW, { rm: Gpr.RBX, size: 2 })
    expect(cpu.gpr(Gpr.RBX)).toBe(0xffff_ffff_ffff_001bn)
    cpu.execute(SystemOp.CLTS)
    expect(cpu.u32(State.CR0)).toBe(Cr0.PE | Cr0.ET | Cr0.MP)
  })

  test('real mode is refused by name', () => {
    const cpu = new TestProcessor().protectedMode()
    expect(toCr(cpu, 0, 0x10)).toBe(1)
    expect(cpu.warnings[0]).toContain('real mode')
  })

  test('debug registers: fixed bits, aliases, DE', () => {
    const cpu = new TestProcessor().longMode()
    const toDr = (reg: number, value: number) => cpu.execute(SystemOp.MOV_TO_DR, { reg, rm: 0, value: BigInt(value) })
    expect(toDr(7, 0)).toBe(0)
    expect(cpu.u64(State.DR + 56)).toBe(0x400n)
    toDr(4, 0)
    expect(cpu.u64(State.DR + 48)).toBe(0xffff0ff0n)
    toDr(7, 1)
    expect(cpu.warnings).toEqual([])
    cpu.setU64(State.CR4, Cr4.PAE | Cr4.DE)
    expect(toDr(4, 0)).toBe(1)
    expect(cpu.fault.vector).toBe(Vector.UD)
  })
})

describe('descriptor tables and segments', () => {
  test('LGDT and SGDT move ten bytes in 64-bit mode', () => {
    const cpu = new TestProcessor().longMode()
    cpu.memory.writeU16(At.DATA + 0xffc, 0x1234)
    cpu.memory.writeU64(At.DATA + 0xffe, 0xffff_8000_0000_5678n)
    expect(cpu.execute(SystemOp.LIDT, { ea: At.DATA + 0xffc })).toBe(0)
    expect([cpu.u64(State.IDTR_BASE), cpu.u32(State.IDTR_LIMIT)]).toEqual([0xffff_8000_0000_5678n, 0x1234])
    expect(cpu.execute(SystemOp.SIDT, { ea: At.DATA })).toBe(0)
    expect([cpu.memory.readU16(At.DATA), cpu.memory.readU64(At.DATA + 2)]).toEqual([0x1234, 0xffff_8000_0000_5678n])
    cpu.memory.writeU64(At.DATA + 2, 0x8000_0000_0000n)
    expect(cpu.execute(SystemOp.LGDT, { ea: At.DATA })).toBe(1)
    expect(cpu.fault).toEqual(GP0)
  })

  test('LGDT with 16-bit operands takes 24 bits of base', () => {
    const cpu = new TestProcessor().protectedMode()
    cpu.memory.writeU16(At.DATA, 0xff)
    cpu.memory.writeU32(At.DATA + 2, 0x12345678)
    cpu.execute(SystemOp.LGDT, { ea: At.DATA, size: 2 })
    expect(cpu.u64(State.GDTR_BASE)).toBe(0x345678n)
    cpu.execute(SystemOp.LGDT, { ea: At.DATA, size: 4 })
    expect(cpu.u64(State.GDTR_BASE)).toBe(0x12345678n)
  })

  test('LTR takes an available TSS and makes it busy; LLDT', () => {
    const cpu = new TestProcessor().longMode()
    expect(cpu.execute(SystemOp.LTR, { rm: 0, value: Selector.TSS })).toBe(1)
    expect(cpu.fault).toEqual({ vector: Vector.GP, error: Selector.TSS })
    cpu.descriptor(Selector.TSS, (At.TSS << 16) | 0x67, 0x8900)
    cpu.descriptor(Selector.TSS + 8, 0xffff8000, 0)
    expect(cpu.execute(SystemOp.LTR, { rm: 0, value: Selector.TSS })).toBe(0)
    expect(cpu.base(SegmentIndex.TR)).toBe(0xffff_8000_0000_0000n | BigInt(At.TSS))
    expect(cpu.memory.readU32(At.GDT + Selector.TSS + 4)).toBe(0x8b00)
    expect(cpu.execute(SystemOp.LLDT, { rm: 0, value: Selector.LDT })).toBe(0)
    expect([cpu.base(SegmentIndex.LDTR), cpu.state.limit(SegmentIndex.LDTR)]).toEqual([BigInt(At.LDT), 0xff])
    cpu.memory.writeU32(At.LDT + 12, DescriptorBits.DATA)
    expect(cpu.execute(SystemOp.MOV_TO_SREG, { reg: SegmentIndex.DS, rm: 0, value: 0xc })).toBe(0)
    cpu.execute(SystemOp.LLDT, { rm: 0, value: 0 })
    expect(cpu.execute(SystemOp.MOV_TO_SREG, { reg: SegmentIndex.DS, rm: 0, value: 0xc })).toBe(1)
    expect(cpu.fault).toEqual({ vector: Vector.GP, error: 0xc })
    cpu.execute(SystemOp.STR, { rm: Gpr.RDX, size: 4 })
    expect(cpu.gpr(Gpr.RDX)).toBe(BigInt(Selector.TSS))
  })

  const loads: [string, number, number, boolean, number, number][] = [
    ['CS', SegmentIndex.CS, Selector.KERNEL_CODE, false, Vector.UD, 0],
    ['a register that does not exist', 6, Selector.KERNEL_DATA, false, Vector.UD, 0],
    ['SS with code', SegmentIndex.SS, Selector.KERNEL_CODE, false, Vector.GP, Selector.KERNEL_CODE],
    ['SS of another level', SegmentIndex.SS, Selector.USER_DATA | 3, false, Vector.GP, Selector.USER_DATA],
    ['SS null at CPL 3', SegmentIndex.SS, 0, true, Vector.GP, 0],
    ['DS beyond the table', SegmentIndex.DS, 0x60, false, Vector.GP, 0x60],
    ['DS of an inner level', SegmentIndex.DS, Selector.KERNEL_DATA, true, Vector.GP, Selector.KERNEL_DATA],
    ['DS with RPL above DPL', SegmentIndex.DS, Selector.KERNEL_DATA | 3, false, Vector.GP, Selector.KERNEL_DATA],
    ['FS with a TSS', SegmentIndex.FS, Selector.TSS, false, Vector.GP, Selector.TSS],
  ]
  test.each(loads)('loading %s faults', (_name, reg, value, user, vector, error) => {
    const cpu = new TestProcessor().longMode()
    if (user) cpu.userMode()
    expect(cpu.execute(SystemOp.MOV_TO_SREG, { reg, rm: 0, value })).toBe(1)
    expect(cpu.fault).toEqual({ vector, error })
  })

  test('absent segments: #NP, for SS #SS; execute-only code is not readable', () => {
    const cpu = new TestProcessor().longMode()
    cpu.descriptor(Selector.KERNEL_DATA, 0xffff, DescriptorBits.DATA & ~DescriptorBits.PRESENT)
    cpu.execute(SystemOp.MOV_TO_SREG, { reg: SegmentIndex.ES, rm: 0, value: Selector.KERNEL_DATA })
    expect(cpu.fault).toEqual({ vector: Vector.NP, error: Selector.KERNEL_DATA })
    cpu.execute(SystemOp.MOV_TO_SREG, { reg: SegmentIndex.SS, rm: 0, value: Selector.KERNEL_DATA })
    expect(cpu.fault).toEqual({ vector: Vector.SS, error: Selector.KERNEL_DATA })
    cpu.descriptor(Selector.KERNEL_CODE32, 0xffff, DescriptorBits.CODE32 & ~0x200)
    cpu.execute(SystemOp.MOV_TO_SREG, { reg: SegmentIndex.ES, rm: 0, value: Selector.KERNEL_CODE32 })
    expect(cpu.fault).toEqual({ vector: Vector.GP, error: Selector.KERNEL_CODE32 })
  })

  test('a load sets the accessed bit in the table and holds off interrupts for SS', () => {
    const cpu = new TestProcessor().protectedMode()
    cpu.descriptor(Selector.KERNEL_DATA, 0x5678ffff, (0x12cf9234 & ~DescriptorBits.ACCESSED) >>> 0)
    expect(cpu.execute(SystemOp.MOV_TO_SREG, { reg: SegmentIndex.SS, rm: 0, value: Selector.KERNEL_DATA })).toBe(0)
    expect(cpu.memory.readU32(At.GDT + Selector.KERNEL_DATA + 4) & DescriptorBits.ACCESSED).toBe(DescriptorBits.ACCESSED)
    expect(cpu.u32(State.SHADOW)).toBe(Shadow.STACK)
    expect([cpu.base(SegmentIndex.SS), cpu.state.limit(SegmentIndex.SS)]).toEqual([0x12345678n, 0xffffffff])
    expect(cpu.u32(State.MODE) & ModeBit.BASED).toBe(ModeBit.BASED)
    cpu.execute(SystemOp.MOV_TO_SREG, { reg: SegmentIndex.DS, rm: 0, value: 3 })
    expect(cpu.state.attributes(SegmentIndex.DS)).toBe(SegmentAttribute.UNUSABLE)
  })

  test('PUSH and POP of a segment', () => {
    const cpu = new TestProcessor().longMode()
    cpu.execute(SystemOp.MOV_TO_SREG, { reg: SegmentIndex.GS, rm: 0, value: Selector.USER_DATA | 3 })
    cpu.execute(SystemOp.PUSH_SREG, { reg: SegmentIndex.GS })
    expect(cpu.quadwords(cpu.rsp, 1)).toEqual([BigInt(Selector.USER_DATA | 3)])
    cpu.execute(SystemOp.POP_SREG, { reg: SegmentIndex.FS })
    expect([cpu.selector(SegmentIndex.FS), cpu.rsp]).toEqual([Selector.USER_DATA | 3, BigInt(At.KERNEL_STACK)])
  })
})

describe('LSS and BOUND', () => {
  test('LSS loads offset and selector, or nothing', () => {
    const cpu = new TestProcessor().longMode()
    cpu.memory.writeU64(At.DATA + 0xff8, 0x1234_5678_9abc_def0n)
    cpu.memory.writeU16(At.DATA + 0x1000, Selector.KERNEL_DATA)
    expect(cpu.execute(SystemOp.LSS, { ea: At.DATA + 0xff8, reg: Gpr.R8 })).toBe(0)
    expect([cpu.gpr(Gpr.R8), cpu.selector(SegmentIndex.SS)]).toEqual([0x1234_5678_9abc_def0n, Selector.KERNEL_DATA])
    cpu.memory.writeU16(At.DATA + 0x1000, Selector.TSS)
    expect(cpu.execute(SystemOp.LFS, { ea: At.DATA + 0xff8, reg: Gpr.R9 })).toBe(1)
    expect([cpu.fault.error, cpu.gpr(Gpr.R9)]).toEqual([Selector.TSS, 0n])
  })
  const bounds = [[4, -3, 0], [4, 7, 0], [4, -4, 1], [4, 8, 1], [2, -3, 0], [2, 0x10007, 0], [2, 8, 1]]
  test.each(bounds)('BOUND of %i bytes, %i', (size, index, faults) => {
    const cpu = new TestProcessor().protectedMode()
    if (size === 4) cpu.memory.writeU64(At.DATA, 0x0000_0007_ffff_fffdn)
    else cpu.memory.writeU32(At.DATA, 0x0007_fffd)
    cpu.setGpr(Gpr.RBX, index >>> 0)
    expect(cpu.execute(SystemOp.BOUND, { ea: At.DATA, reg: Gpr.RBX, size })).toBe(faults)
    if (faults === 1) expect(cpu.fault).toEqual({ vector: Vector.BR, error: 0 })
  })
})

describe('flags and interrupts', () => {
  test('STI shadows one instruction and stops for a waiting interrupt, CLI', () => {
    const cpu = new TestProcessor().longMode()
    cpu.pending = true
    cpu.execute(SystemOp.STI)
    expect([cpu.u32(State.SHADOW), cpu.u32(State.STOP), cpu.system.readRflags()]).toEqual([1, 1, IF | FIXED])
    cpu.setU32(State.SHADOW, 0)
    cpu.execute(SystemOp.STI)
    expect(cpu.u32(State.SHADOW)).toBe(0)
    cpu.execute(SystemOp.CLI)
    expect(cpu.system.readRflags()).toBe(FIXED)
  })

  test('CLI, STI, IN and OUT need IOPL at CPL 3', () => {
    const cpu = new TestProcessor().longMode().userMode()
    for (const op of [SystemOp.CLI, SystemOp.STI, SystemOp.IN, SystemOp.OUT, SystemOp.HLT]) {
      expect(cpu.execute(op, { imm: 0x80, size: 1 })).toBe(1)
      expect(cpu.fault).toEqual(GP0)
    }
    cpu.system.writeRflags(IOPL)
    for (const op of [SystemOp.CLI, SystemOp.STI, SystemOp.IN, SystemOp.OUT]) expect(cpu.execute(op, { imm: 0x80, size: 1 })).toBe(0)
  })

  test('the I/O permission map opens single ports', () => {
    const cpu = new TestProcessor().longMode().userMode()
    cpu.state.setSegment(SegmentIndex.TR, Selector.TSS, 0x8b, At.TSS, 0, 0x68 + 0x20)
    cpu.memory.fill(At.TSS + 0x68, 0x21, 0xff)
    cpu.memory.writeU8(At.TSS + 0x68 + 0x10, 0xfc)
    const out = (port: number, size: number) => cpu.execute(SystemOp.OUT, { imm: port, size })
    expect([out(0x80, 1), out(0x80, 2), out(0x81, 1)]).toEqual([0, 0, 0])
    expect([out(0x81, 2), out(0x82, 1), out(0x7f, 2), out(0x100, 1)]).toEqual([1, 1, 1, 1])
  })

  test('POPF changes what the privilege level allows', () => {
    const cpu = new TestProcessor().longMode()
    cpu.memory.writeU64(At.KERNEL_STACK - 8, 0xffff_ffffn)
    cpu.setGpr(4, At.KERNEL_STACK - 8)
    cpu.execute(SystemOp.POPF)
    expect(cpu.system.readRflags()).toBe(0x247fd7)
    const user = new TestProcessor().longMode().userMode()
    user.memory.writeU64(At.USER_STACK - 8, 0xffff_ffffn)
    user.setGpr(4, At.USER_STACK - 8)
    user.execute(SystemOp.POPF)
    expect(user.system.readRflags()).toBe(0x244dd7)
    user.execute(SystemOp.PUSHF)
    expect(user.quadwords(user.rsp, 1)).toEqual([0x244dd7n])
  })

  test('POPF of 16 bits keeps the upper half', () => {
    const cpu = new TestProcessor().longMode()
    cpu.system.writeRflags(Rflag.AC | Rflag.ID)
    cpu.memory.writeU16(At.KERNEL_STACK - 2, Rflag.DF)
    cpu.setGpr(4, At.KERNEL_STACK - 2)
    cpu.execute(SystemOp.POPF, { size: 2 })
    expect(cpu.system.readRflags()).toBe(Rflag.AC | Rflag.ID | Rflag.DF | FIXED)
    expect(cpu.rsp).toBe(BigInt(At.KERNEL_STACK))
  })

  test('LAHF and SAHF', () => {
    const cpu = new TestProcessor().longMode()
    cpu.system.writeRflags(0x8d5)
    cpu.setGpr(Gpr.RAX, 0x1122334455667788n)
    cpu.execute(SystemOp.LAHF)
    expect(cpu.gpr(Gpr.RAX)).toBe(0x112233445566d788n)
    cpu.setGpr(Gpr.RAX, 0x4100)
    cpu.execute(SystemOp.SAHF)
    expect(cpu.system.readRflags()).toBe(0x841 | FIXED)
  })

  test('HLT halts, VMCALL is the kernel gate or #UD', () => {
    const cpu = new TestProcessor().longMode()
    expect(cpu.execute(SystemOp.HLT)).toBe(0)
    expect([cpu.u32(State.ACTIVITY), cpu.u32(State.STOP), cpu.rip]).toEqual([Activity.HALTED, 1, BigInt(At.CODE + 2)])
    expect(cpu.execute(SystemOp.HYPERCALL)).toBe(1)
    expect([cpu.fault.vector, cpu.rip]).toEqual([Vector.UD, BigInt(At.CODE + 2)])
    let seen = 0n
    cpu.hypercall = () => { seen = cpu.rip; return true }
    expect(cpu.execute(SystemOp.HYPERCALL)).toBe(0)
    expect(seen).toBe(BigInt(At.CODE + 4))
    expect(cpu.userMode().execute(SystemOp.HYPERCALL)).toBe(1)
    expect(cpu.fault.vector).toBe(Vector.UD)
  })

  test('port input keeps what a narrower register keeps', () => {
    const cpu = new TestProcessor().longMode()
    cpu.setGpr(Gpr.RAX, -1)
    cpu.portValue = 0x80
    cpu.execute(SystemOp.IN, { imm: 0x60, size: 1 })
    expect(cpu.gpr(Gpr.RAX)).toBe(0xffff_ffff_ffff_ff80n)
    cpu.portValue = 0x80000000
    cpu.execute(SystemOp.IN, { imm: 0xcf8, size: 4 })
    expect(cpu.gpr(Gpr.RAX)).toBe(0x80000000n)
    cpu.execute(SystemOp.OUT, { imm: 0xcf8, size: 4 })
    expect(cpu.portWrites).toEqual([[0xcf8, 4, 0x80000000]])
  })
})

describe('model-specific registers and CPUID', () => {
  function rdmsr(cpu: TestProcessor, msr: number): bigint {
    cpu.setGpr(Gpr.RCX, msr)
    expect(cpu.execute(SystemOp.RDMSR)).toBe(0)
    return (cpu.gpr(Gpr.RDX) << 32n) | cpu.gpr(Gpr.RAX)
  }
  function wrmsr(cpu: TestProcessor, msr: number, value: bigint): number {
    cpu.setGpr(Gpr.RCX, msr)
    cpu.setGpr(Gpr.RAX, value & 0xffffffffn)
    cpu.setGpr(Gpr.RDX, value >> 32n)
    return cpu.execute(SystemOp.WRMSR)
  }
  test('bases must be canonical', () => {
    const cpu = new TestProcessor().longMode()
    for (const msr of [Msr.FS_BASE, Msr.GS_BASE, Msr.KERNEL_GS_BASE, Msr.LSTAR]) {
      expect(wrmsr(cpu, msr, 0xffff_8000_1234_5678n)).toBe(0)
      expect(rdmsr(cpu, msr)).toBe(0xffff_8000_1234_5678n)
      expect(wrmsr(cpu, msr, 0x1234_8000_1234_5678n)).toBe(1)
      expect(cpu.fault).toEqual(GP0)
    }
  })
  test('EFER, PAT and FMASK have reserved bits', () => {
    const cpu = new TestProcessor().longMode()
    expect(wrmsr(cpu, Msr.EFER, 0x1000n | BigInt(Efer.LME))).toBe(1)
    expect(wrmsr(cpu, Msr.EFER, BigInt(Efer.LME))).toBe(0)
    expect(rdmsr(cpu, Msr.EFER)).toBe(BigInt(Efer.LME | Efer.LMA))
    expect(wrmsr(cpu, Msr.PAT, 0x02n)).toBe(1)
    expect(wrmsr(cpu, Msr.PAT, 0x0007010600070106n)).toBe(0)
    expect(wrmsr(cpu, Msr.FMASK, 1n << 32n)).toBe(1)
  })
  test('an unknown register is #GP(0) and a warning', () => {
    const cpu = new TestProcessor().longMode()
    expect(wrmsr(cpu, 0x12345, 0n)).toBe(1)
    expect(cpu.fault).toEqual(GP0)
    expect(cpu.warnings).toEqual(['WRMSR of an unknown register 0x12345: #GP'])
  })
  test('the time stamp counter is the virtual clock and can be set', () => {
    const cpu = new TestProcessor().longMode()
    cpu.nowNs = 0x1_2345_6789
    expect(rdmsr(cpu, Msr.TIME_STAMP_COUNTER)).toBe(0x1_2345_6789n)
    for (const value of [0n, 5n, 0xffff_ffff_ffff_fff0n, 0x1_2345_6788n]) {
      expect(wrmsr(cpu, Msr.TIME_STAMP_COUNTER, value)).toBe(0)
      cpu.nowNs += 0x1_0000_0001
      cpu.execute(SystemOp.RDTSC)
      expect((cpu.gpr(Gpr.RDX) << 32n) | cpu.gpr(Gpr.RAX)).toBe(BigInt.asUintN(64, value + 0x1_0000_0001n))
    }
    wrmsr(cpu, Msr.TSC_AUX, 7n)
    cpu.execute(SystemOp.RDTSCP)
    expect(cpu.gpr(Gpr.RCX)).toBe(7n)
    cpu.setU64(State.CR4, Cr4.PAE | Cr4.TSD)
    expect(cpu.userMode().execute(SystemOp.RDTSC)).toBe(1)
  })
  test('CPUID', () => {
    const text = (words: number[]) => new TextDecoder().decode(new Uint8Array(Int32Array.from(words).buffer)).replace(/\0+$/, '')
    const [max, b, c, d] = cpuid(0, 0, LONG)
    expect([max, text([b, d, c])]).toEqual([0x15, 'GenuineIntel'])
    expect(cpuid(0x80000008, 0, LONG)[0]).toBe(0x3028)
    expect(text([2, 3, 4].flatMap((n) => [...cpuid(0x80000000 + n, 0, LONG)]))).toBe('Atoll x86-64 virtual processor')
    expect(cpuid(0x80000001, 0, LONG)[3] & ~cpuid(0x80000001, 0, { ...LONG, long: false })[3]).toBe(1 << 11)
    expect(cpuid(1, 0, LONG)[3] & 1).toBe(1)
    // Only what the x87 does not keep: FCS, FDS, and the data pointer but for exceptions.
    expect(cpuid(7, 0, LONG)).toEqual([0, 0x2040, 0, 0])
    expect(cpuid(7, 1, LONG)).toEqual([0, 0, 0, 0])
    const cpu = new TestProcessor().longMode().userMode()
    cpu.setGpr(Gpr.RAX, 0x40000000)
    expect(cpu.execute(SystemOp.CPUID)).toBe(0)
    expect(text([Gpr.RBX, Gpr.RCX, Gpr.RDX].map((r) => Number(cpu.gpr(r))))).toBe('AtollAtollAt')
  })
})

describe('FXSAVE, FXRSTOR, MXCSR and x87', () => {
  test('XMM and MXCSR go to memory and back, across a page', () => {
    const cpu = new TestProcessor().longMode()
    const area = At.DATA + 0xf00
    for (let i = 0; i < 256; i++) cpu.state.u8[State.XMM + i] = i
    cpu.memory.fill(area, 512, 0xee)
    expect(cpu.execute(SystemOp.FXSAVE, { ea: area })).toBe(0)
    expect(cpu.memory.readU16(area)).toBe(0x37f)
    expect(cpu.doublewords(area + 24, 2)).toEqual([0x1f80, 0xffff])
    expect([...cpu.memory.read(area + 160, 256)]).toEqual(Array.from({ length: 256 }, (_, i) => i))
    expect(cpu.memory.readU8(area + 416)).toBe(0xee)
    cpu.state.u8.fill(0, State.XMM, State.XMM + 256)
    cpu.memory.writeU32(area + 24, 0x9fc0 & 0xffff)
    expect(cpu.execute(SystemOp.FXRSTOR, { ea: area })).toBe(0)
    expect(cpu.state.u8[State.XMM + 255]).toBe(255)
    expect(cpu.u32(State.MXCSR)).toBe(0x9fc0)
    expect(cpu.warnings).toEqual([])
  })
  test('alignment, reserved bits, task switched', () => {
    const cpu = new TestProcessor().longMode()
    expect(cpu.execute(SystemOp.FXSAVE, { ea: At.DATA + 8 })).toBe(1)
    expect(cpu.fault).toEqual(GP0)
    cpu.memory.writeU32(At.DATA, 0x10000)
    expect(cpu.execute(SystemOp.LDMXCSR, { ea: At.DATA })).toBe(1)
    expect(cpu.fault).toEqual(GP0)
    expect(cpu.execute(SystemOp.STMXCSR, { ea: At.DATA })).toBe(0)
    expect(cpu.memory.readU32(At.DATA)).toBe(0x1f80)
    cpu.setU32(State.CR0, cpu.u32(State.CR0) | Cr0.TS)
    for (const op of [SystemOp.FXSAVE, SystemOp.LDMXCSR, SystemOp.X87_D9]) {
      expect(cpu.execute(op, { ea: At.DATA })).toBe(1)
      expect(cpu.fault.vector).toBe(Vector.NM)
    }
  })
})
