import { describe, expect, test } from 'vitest'
import { Gpr, Rflag, SegmentIndex, State, Vector } from '../state.ts'
import { SystemOp } from '../system-op.ts'
import { At, DescriptorBits, Selector, TestProcessor } from './testing.ts'
import { Efer } from './views.ts'

const { IF, FIXED, IOPL, NT } = Rflag
const KERNEL_FRAME = At.KERNEL_STACK - 64

function frame64(cpu: TestProcessor, ...words: (bigint | number)[]): void {
  words.forEach((word, i) => cpu.memory.writeU64(KERNEL_FRAME + i * 8, BigInt(word)))
  cpu.setGpr(4, KERNEL_FRAME)
}
function frame32(cpu: TestProcessor, ...words: number[]): void {
  words.forEach((word, i) => cpu.memory.writeU32(KERNEL_FRAME + i * 4, word))
  cpu.setGpr(4, KERNEL_FRAME)
}

describe('IRET in 64-bit mode', () => {
  test('to CPL 3 and back through INT', () => {
    const cpu = new TestProcessor().longMode().userMode()
    cpu.gate64(0x80, { dpl: 3 })
    cpu.system.writeRflags(IF)
    cpu.execute(SystemOp.INT, { imm: 0x80 })
    expect(cpu.execute(SystemOp.IRET)).toBe(0)
    expect([cpu.rip, cpu.rsp, cpu.cpl]).toEqual([BigInt(At.CODE + 2), BigInt(At.USER_STACK), 3])
    expect([cpu.selector(SegmentIndex.CS), cpu.selector(SegmentIndex.SS)]).toEqual([Selector.USER_CODE | 3, Selector.USER_DATA | 3])
    expect(cpu.system.readRflags()).toBe(IF | FIXED)
  })

  test('pops SS and RSP at the same level too, null SS allowed below CPL 3', () => {
    const cpu = new TestProcessor().longMode()
    frame64(cpu, 0x1234, Selector.KERNEL_CODE, 0x246 & ~0x44, 0xabc0, 0)
    expect(cpu.execute(SystemOp.IRET)).toBe(0)
    expect([cpu.rip, cpu.rsp, cpu.selector(SegmentIndex.SS)]).toEqual([0x1234n, 0xabc0n, 0])
    expect(cpu.system.readRflags()).toBe(IF | FIXED)
  })

  test('to compatibility mode', () => {
    const cpu = new TestProcessor().longMode()
    frame64(cpu, 0x1234, Selector.USER_CODE32 | 3, FIXED, 0x5678, Selector.USER_DATA | 3)
    expect(cpu.execute(SystemOp.IRET)).toBe(0)
    expect([cpu.state.long, cpu.cpl, cpu.rip, cpu.rsp]).toEqual([false, 3, 0x1234n, 0x5678n])
  })

  test('at CPL 3 IF and IOPL do not change', () => {
    const cpu = new TestProcessor().longMode().userMode()
    cpu.system.writeRflags(IF)
    const frame = [At.CODE + 9, Selector.USER_CODE | 3, IOPL | 0x41, 0x100, Selector.USER_DATA | 3]
    frame.forEach((word, i) => cpu.memory.writeU64(At.USER_STACK - 64 + i * 8, BigInt(word)))
    cpu.setGpr(4, At.USER_STACK - 64)
    expect(cpu.execute(SystemOp.IRET)).toBe(0)
    expect(cpu.system.readRflags()).toBe(IF | FIXED | 0x41)
  })

  test('data segments of an inner level become null on the way out, a null FS keeps its base', () => {
    const cpu = new TestProcessor().longMode()
    cpu.system.segments.load(SegmentIndex.DS, Selector.KERNEL_DATA)
    cpu.system.segments.load(SegmentIndex.ES, Selector.USER_DATA | 3)
    cpu.system.segments.load(SegmentIndex.FS, 0)
    cpu.system.msrs.write(0xc0000100, 0x1000, 0x7f)
    frame64(cpu, 0x1234, Selector.USER_CODE | 3, FIXED, 0x5678, Selector.USER_DATA | 3)
    cpu.execute(SystemOp.IRET)
    expect(cpu.selector(SegmentIndex.DS)).toBe(0)
    expect(cpu.selector(SegmentIndex.ES)).toBe(Selector.USER_DATA | 3)
    expect(cpu.base(SegmentIndex.FS)).toBe(0x7f_0000_1000n)
  })

  const refused: [string, (bigint | number)[], number, number][] = [
    ['null CS', [0, 0, FIXED, 0, 0], Vector.GP, 0],
    ['CS beyond the table', [0, 0x100, FIXED, 0, 0], Vector.GP, 0x100],
    ['CS names data', [0, Selector.KERNEL_DATA, FIXED, 0, 0], Vector.GP, Selector.KERNEL_DATA],
    ['DPL is not RPL', [0, Selector.KERNEL_CODE | 3, FIXED, 0, Selector.USER_DATA | 3], Vector.GP, Selector.KERNEL_CODE],
    ['null SS for CPL 3', [0, Selector.USER_CODE | 3, FIXED, 0, 0], Vector.GP, 0],
    ['SS of another level', [0, Selector.USER_CODE | 3, FIXED, 0, Selector.KERNEL_DATA | 3], Vector.GP, Selector.KERNEL_DATA],
    ['SS names code', [0, Selector.USER_CODE | 3, FIXED, 0, Selector.USER_CODE | 3], Vector.GP, Selector.USER_CODE],
    ['non-canonical RIP', [0x8000_0000_0000n, Selector.USER_CODE | 3, FIXED, 0, Selector.USER_DATA | 3], Vector.GP, 0],
  ]
  test.each(refused)('%s', (_name, words, vector, error) => {
    const cpu = new TestProcessor().longMode()
    frame64(cpu, ...words)
    expect(cpu.execute(SystemOp.IRET)).toBe(1)
    expect(cpu.fault).toEqual({ vector, error })
    expect([cpu.rip, cpu.rsp, cpu.cpl]).toEqual([BigInt(At.CODE), BigInt(KERNEL_FRAME), 0])
  })

  test('NT is #GP(0); an absent CS is #NP, an absent SS #SS', () => {
    const cpu = new TestProcessor().longMode()
    cpu.system.writeRflags(NT)
    expect(cpu.execute(SystemOp.IRET)).toBe(1)
    expect(cpu.fault).toEqual({ vector: Vector.GP, error: 0 })
    cpu.system.writeRflags(0)
    frame64(cpu, 0, Selector.USER_CODE | 3, FIXED, 0, Selector.USER_DATA | 3)
    cpu.descriptor(Selector.USER_DATA, 0, (DescriptorBits.DATA | DescriptorBits.DPL3) & ~DescriptorBits.PRESENT)
    expect(cpu.execute(SystemOp.IRET)).toBe(1)
    expect(cpu.fault).toEqual({ vector: Vector.SS, error: Selector.USER_DATA })
    cpu.descriptor(Selector.USER_CODE, 0, (DescriptorBits.CODE64 | DescriptorBits.DPL3) & ~DescriptorBits.PRESENT)
    expect(cpu.execute(SystemOp.IRET)).toBe(1)
    expect(cpu.fault).toEqual({ vector: Vector.NP, error: Selector.USER_CODE })
  })

  test('setting IF stops the run only while INTR is raised', () => {
    for (const pending of [false, true]) {
      const cpu = new TestProcessor().longMode()
      cpu.pending = pending
      frame64(cpu, 0x1234, Selector.KERNEL_CODE, IF | FIXED, 0xabc0, Selector.KERNEL_DATA)
      cpu.execute(SystemOp.IRET)
      expect(cpu.u32(State.STOP)).toBe(pending ? 1 : 0)
    }
  })
})

describe('IRET in 32-bit protected mode', () => {
  test('same level pops three words', () => {
    const cpu = new TestProcessor().protectedMode()
    frame32(cpu, 0x1234, Selector.KERNEL_CODE32, IF | FIXED)
    expect(cpu.execute(SystemOp.IRET, { size: 4 })).toBe(0)
    expect([cpu.rip, cpu.rsp]).toEqual([0x1234n, BigInt(KERNEL_FRAME + 12)])
  })
  test('outer level pops five', () => {
    const cpu = new TestProcessor().protectedMode()
    frame32(cpu, 0x1234, Selector.USER_CODE32 | 3, FIXED, 0x5678, Selector.USER_DATA | 3)
    expect(cpu.execute(SystemOp.IRET, { size: 4 })).toBe(0)
    expect([cpu.rip, cpu.rsp, cpu.cpl, cpu.selector(SegmentIndex.SS)]).toEqual([0x1234n, 0x5678n, 3, Selector.USER_DATA | 3])
  })
  test('a task return without a link, and virtual-8086 mode, which is refused by name', () => {
    const cpu = new TestProcessor().protectedMode()
    cpu.system.writeRflags(NT)
    expect(cpu.execute(SystemOp.IRET, { size: 4 })).toBe(1)
    expect(cpu.fault).toEqual({ vector: Vector.TS, error: 0 })
    cpu.system.writeRflags(0)
    frame32(cpu, 0, 0x1000, Rflag.VM | FIXED)
    expect(cpu.execute(SystemOp.IRET, { size: 4 })).toBe(1)
    expect(cpu.warnings).toEqual(['virtual-8086 mode is not implemented: #GP'])
  })
})

describe('far jumps, calls and returns', () => {
  test('32-bit to 64-bit code, the way into long mode', () => {
    const cpu = new TestProcessor().longMode()
    cpu.execute(SystemOp.JMP_FAR, { value: Selector.KERNEL_CODE32, imm: 0x1000, size: 4 })
    expect([cpu.state.long, cpu.rip]).toEqual([false, 0x1000n])
    expect(cpu.execute(SystemOp.JMP_FAR, { value: Selector.KERNEL_CODE, imm: 0x2000, size: 4 })).toBe(0)
    expect([cpu.state.long, cpu.rip]).toEqual([true, 0x2000n])
  })

  test.each([
    ['null', 0, Vector.GP, 0],
    ['data', Selector.KERNEL_DATA, Vector.GP, Selector.KERNEL_DATA],
    ['less privileged code', Selector.USER_CODE, Vector.GP, Selector.USER_CODE],
    ['RPL above CPL', Selector.KERNEL_CODE | 1, Vector.GP, Selector.KERNEL_CODE],
    ['a TSS', Selector.TSS, Vector.GP, Selector.TSS],
  ])('a jump to %s', (_name, selector, vector, error) => {
    const cpu = new TestProcessor().longMode()
    expect(cpu.execute(SystemOp.JMP_FAR, { value: selector, imm: 0x1000 })).toBe(1)
    expect(cpu.fault).toEqual({ vector, error })
  })

  test('code that is 64-bit and 32-bit at once, and offsets out of the segment', () => {
    const cpu = new TestProcessor().longMode()
    cpu.descriptor(Selector.KERNEL_CODE, 0xffff, DescriptorBits.CODE64 | (1 << 22))
    expect(cpu.execute(SystemOp.JMP_FAR, { value: Selector.KERNEL_CODE, imm: 0x1000 })).toBe(1)
    expect(cpu.fault).toEqual({ vector: Vector.GP, error: Selector.KERNEL_CODE })
    cpu.descriptor(Selector.KERNEL_CODE32, 0xffff, DescriptorBits.CODE32 & ~(0x8f << 16))
    expect(cpu.execute(SystemOp.JMP_FAR, { value: Selector.KERNEL_CODE32, imm: 0x10000, size: 4 })).toBe(1)
    expect(cpu.fault).toEqual({ vector: Vector.GP, error: 0 })
  })

  test('CALL and RET, with parameters', () => {
    const cpu = new TestProcessor().longMode()
    expect(cpu.execute(SystemOp.CALL_FAR, { value: Selector.KERNEL_CODE, imm: 0x1000 })).toBe(0)
    expect(cpu.quadwords(cpu.rsp, 2)).toEqual([BigInt(At.CODE + 2), BigInt(Selector.KERNEL_CODE)])
    expect(cpu.execute(SystemOp.RET_FAR, { imm: 8 })).toBe(0)
    expect([cpu.rip, cpu.rsp]).toEqual([BigInt(At.CODE + 2), BigInt(At.KERNEL_STACK + 8)])
  })

  test('RET to an outer level takes SS:RSP and releases parameters on both stacks', () => {
    const cpu = new TestProcessor().longMode()
    frame64(cpu, 0x1234, Selector.USER_CODE | 3, 0xdead, 0x5000, Selector.USER_DATA | 3)
    expect(cpu.execute(SystemOp.RET_FAR, { imm: 8 })).toBe(0)
    expect([cpu.rip, cpu.rsp, cpu.cpl]).toEqual([0x1234n, 0x5008n, 3])
  })

  test('a 64-bit call gate switches to RSP0', () => {
    const cpu = new TestProcessor().longMode().userMode()
    cpu.descriptor(Selector.LDT, (Selector.KERNEL_CODE << 16) | 0x4444, 0xec00)
    cpu.descriptor(Selector.LDT + 8, 0, 0)
    expect(cpu.execute(SystemOp.CALL_FAR, { value: Selector.LDT | 3, imm: 0x9999 })).toBe(0)
    expect([cpu.rip, cpu.cpl, cpu.rsp, cpu.selector(SegmentIndex.SS)]).toEqual([0x4444n, 0, BigInt(At.RSP0 - 32), 0])
    expect(cpu.quadwords(cpu.rsp, 4)).toEqual([At.CODE + 2, Selector.USER_CODE | 3, At.USER_STACK, Selector.USER_DATA | 3].map(BigInt))
    expect(cpu.execute(SystemOp.RET_FAR)).toBe(0)
    expect([cpu.rip, cpu.cpl, cpu.rsp]).toEqual([BigInt(At.CODE + 2), 3, BigInt(At.USER_STACK)])
    cpu.descriptor(Selector.LDT, (Selector.KERNEL_CODE << 16) | 0x4444, 0x8c00)
    expect(cpu.execute(SystemOp.CALL_FAR, { value: Selector.LDT | 3 })).toBe(1)
    expect(cpu.fault).toEqual({ vector: Vector.GP, error: Selector.LDT })
  })

  test('a 32-bit call gate copies parameters', () => {
    const cpu = new TestProcessor().protectedMode().userMode()
    cpu.descriptor(Selector.LDT, (Selector.KERNEL_CODE32 << 16) | 0x4444, 0xec02)
    cpu.memory.writeU32(At.USER_STACK - 8, 0x11)
    cpu.memory.writeU32(At.USER_STACK - 4, 0x22)
    cpu.setGpr(4, At.USER_STACK - 8)
    expect(cpu.execute(SystemOp.CALL_FAR, { value: Selector.LDT | 3, size: 4 })).toBe(0)
    expect(cpu.doublewords(cpu.rsp, 6)).toEqual(
      [At.CODE + 2, Selector.USER_CODE32 | 3, 0x11, 0x22, At.USER_STACK - 8, Selector.USER_DATA | 3],
    )
    expect(cpu.execute(SystemOp.RET_FAR, { imm: 8, size: 4 })).toBe(0)
    expect([cpu.rip, cpu.cpl, cpu.rsp]).toEqual([BigInt(At.CODE + 2), 3, BigInt(At.USER_STACK)])
  })
})

describe('SYSCALL and SYSRET', () => {
  function withStar() {
    const cpu = new TestProcessor().longMode().userMode()
    cpu.setU64(State.STAR, (BigInt(Selector.USER_CODE32 | 3) << 48n) | (BigInt(Selector.KERNEL_CODE) << 32n))
    cpu.setU64(State.LSTAR, 0xffff_ffff_8000_1000n)
    cpu.setU64(State.FMASK, IF | Rflag.DF)
    return cpu
  }
  test('SYSCALL saves RIP and RFLAGS and masks flags', () => {
    const cpu = withStar()
    cpu.system.writeRflags(IF | Rflag.DF | Rflag.CF)
    expect(cpu.execute(SystemOp.SYSCALL)).toBe(0)
    expect([cpu.rip, cpu.gpr(Gpr.RCX)]).toEqual([0xffff_ffff_8000_1000n, BigInt(At.CODE + 2)])
    expect(cpu.gpr(Gpr.R11)).toBe(BigInt(IF | Rflag.DF | Rflag.CF | FIXED))
    expect([cpu.cpl, cpu.rsp]).toEqual([0, BigInt(At.USER_STACK)])
    expect([cpu.selector(SegmentIndex.CS), cpu.selector(SegmentIndex.SS)]).toEqual([Selector.KERNEL_CODE, Selector.KERNEL_DATA])
    expect(cpu.system.readRflags()).toBe(Rflag.CF | FIXED)
    expect(cpu.execute(SystemOp.SYSRET)).toBe(0)
    expect([cpu.rip, cpu.cpl]).toEqual([BigInt(At.CODE + 2), 3])
    expect([cpu.selector(SegmentIndex.CS), cpu.selector(SegmentIndex.SS)]).toEqual([Selector.USER_CODE | 3, Selector.USER_DATA | 3])
    expect(cpu.system.readRflags()).toBe(IF | Rflag.DF | Rflag.CF | FIXED)
  })
  test('SYSRET to compatibility mode', () => {
    const cpu = withStar()
    cpu.execute(SystemOp.SYSCALL)
    cpu.setGpr(Gpr.RCX, 0x1_0000_2000n)
    expect(cpu.execute(SystemOp.SYSRET, { size: 4 })).toBe(0)
    expect([cpu.state.long, cpu.rip, cpu.selector(SegmentIndex.CS)]).toEqual([false, 0x2000n, Selector.USER_CODE32 | 3])
    expect(cpu.execute(SystemOp.SYSCALL)).toBe(1)
    expect(cpu.fault.vector).toBe(Vector.UD)
  })
  test('refusals', () => {
    const cpu = withStar()
    expect(cpu.execute(SystemOp.SYSRET)).toBe(1)
    expect(cpu.fault).toEqual({ vector: Vector.GP, error: 0 })
    cpu.execute(SystemOp.SYSCALL)
    cpu.setGpr(Gpr.RCX, 0x8000_0000_0000n)
    expect(cpu.execute(SystemOp.SYSRET)).toBe(1)
    expect([cpu.fault.vector, cpu.cpl]).toEqual([Vector.GP, 0])
    cpu.setU64(State.EFER, Efer.LME | Efer.LMA)
    expect(cpu.execute(SystemOp.SYSCALL)).toBe(1)
    expect(cpu.fault.vector).toBe(Vector.UD)
  })
  test('SWAPGS', () => {
    const cpu = new TestProcessor().longMode()
    cpu.system.msrs.write(0xc0000101, 1, 2)
    cpu.system.msrs.write(0xc0000102, 3, -1)
    expect(cpu.execute(SystemOp.SWAPGS)).toBe(0)
    expect([cpu.base(SegmentIndex.GS), cpu.u64(State.KERNEL_GS_BASE)]).toEqual([0xffff_ffff_0000_0003n, 0x2_0000_0001n])
    expect(cpu.userMode().execute(SystemOp.SWAPGS)).toBe(1)
    expect(cpu.fault).toEqual({ vector: Vector.GP, error: 0 })
  })
})
