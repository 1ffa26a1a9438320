import { describe, expect, it } from 'vitest'
import { State, Vector } from '../state.ts'
import { SystemOp } from '../system-op.ts'
import { At, Pte, TestProcessor } from '../system/testing.ts'
import { Cr0 } from '../system/views.ts'

/** How the x87 sits in the processor. What its instructions compute is compared with silicon in ../silicon. */

const long = (): TestProcessor => new TestProcessor().longMode()
const ESCAPES = [
  SystemOp.X87_D8, SystemOp.X87_D9, SystemOp.X87_DA, SystemOp.X87_DB, SystemOp.X87_DC, SystemOp.X87_DD, SystemOp.X87_DE, SystemOp.X87_DF,
]
/** Executes an instruction of the escape opcode with a register (ModRM C0 to FF) or, below that, memory (ModRM.reg). */
function execute(cpu: TestProcessor, escape: number, modRm: number, ea: number = At.DATA, size = 4): number {
  const memory = modRm < 0xc0
  return cpu.execute(ESCAPES[escape - 0xd8], {
    reg: memory ? modRm : (modRm >> 3) & 7, rm: memory ? -1 : modRm & 7, ea, size,
  })
}
const FLD1 = [0xd9, 0xe8] as const
const FLDZ = [0xd9, 0xee] as const
const FDIVP = [0xde, 0xf9] as const
const FNOP = [0xd9, 0xd0] as const
const FNCLEX = [0xdb, 0xe2] as const

function setCr0(cpu: TestProcessor, bits: number): void {
  cpu.setU32(State.CR0, cpu.u32(State.CR0) | bits)
}
function status(cpu: TestProcessor): number {
  expect(execute(cpu, 0xdf, 0xe0)).toBe(0)
  return Number(cpu.gpr(0) & 0xffffn)
}
function loadControl(cpu: TestProcessor, control: number): void {
  cpu.memory.writeU16(At.DATA, control)
  expect(execute(cpu, 0xd9, 5)).toBe(0)
}
/** 1 / 0 with every exception unmasked. */
function divideByZero(cpu: TestProcessor): void {
  loadControl(cpu, 0x340)
  for (const [escape, modRm] of [FLD1, FLDZ, FDIVP]) expect(execute(cpu, escape, modRm)).toBe(0)
}

describe('the x87 in the processor', () => {
  it('is as FNINIT leaves it after a reset', () => {
    const cpu = long()
    expect(execute(cpu, 0xdd, 6)).toBe(0)
    expect(cpu.doublewords(At.DATA, 7).map((word) => word & 0xffff)).toEqual([0x37f, 0, 0xffff, 0, 0, 0, 0])
    expect([...cpu.memory.read(At.DATA + 28, 80)]).toEqual(Array.from({ length: 80 }, () => 0))
  })

  it.each([
    ['EM', Cr0.EM, [true, false]],
    ['TS', Cr0.TS, [true, false]],
    ['MP', Cr0.MP, [false, false]],
    ['TS and MP', Cr0.TS | Cr0.MP, [true, true]],
  ] as const)('is not available, #NM, with CR0.%s: escapes and FWAIT', (_name, bits, [escapes, fwait]) => {
    const cpu = long()
    setCr0(cpu, bits)
    const outcome = (isFault: boolean): number => (isFault ? 1 : 0)
    for (const [escape, modRm] of [FNOP, FNCLEX]) expect(execute(cpu, escape, modRm)).toBe(outcome(escapes))
    expect(cpu.execute(SystemOp.FWAIT)).toBe(outcome(fwait))
    if (escapes) expect(cpu.fault).toEqual({ vector: Vector.NM, error: 0 })
  })

  it('reports an exception by #MF at the next instruction that waits', () => {
    const cpu = long()
    setCr0(cpu, Cr0.NE)
    divideByZero(cpu)
    expect(status(cpu)).toBe(0xb084)
    for (const waits of [() => cpu.execute(SystemOp.FWAIT), () => execute(cpu, ...FNOP), () => execute(cpu, 0xd9, 5)]) {
      expect(waits()).toBe(1)
      expect(cpu.fault).toEqual({ vector: Vector.MF, error: 0 })
    }
    expect(execute(cpu, ...FNCLEX)).toBe(0)
    expect(cpu.execute(SystemOp.FWAIT)).toBe(0)
    expect(cpu.warnings).toEqual([])
  })

  it('names the other way, by an interrupt from outside, and reports by #MF all the same', () => {
    const cpu = long()
    divideByZero(cpu)
    for (let time = 0; time < 2; time++) expect(cpu.execute(SystemOp.FWAIT)).toBe(1)
    expect(cpu.fault.vector).toBe(Vector.MF)
    expect(cpu.warnings).toEqual([expect.stringContaining('CR0.NE = 0')])
  })

  it('changes nothing when memory refuses', () => {
    const cpu = long()
    cpu.page(At.DATA + 0x1000, 0n)
    execute(cpu, ...FLD1)
    const before = cpu.state.u8.slice(State.FPU, State.FPU + 512)
    cpu.memory.fill(At.DATA + 0xf00, 256, 0xee)
    for (const [escape, reg] of [[0xdb, 7], [0xdf, 6], [0xdd, 6], [0xd9, 6], [0xdd, 3], [0xdd, 4], [0xd9, 4], [0xdb, 5]]) {
      expect(execute(cpu, escape, reg, At.DATA + 0x1000 - 3)).toBe(1)
      expect(cpu.fault.vector).toBe(Vector.PF)
    }
    expect(cpu.state.u8.slice(State.FPU, State.FPU + 512)).toEqual(before)
    expect(cpu.memory.read(At.DATA + 0xf00, 256).every((byte) => byte === 0xee)).toBe(true)
    cpu.page(At.DATA + 0x1000, Pte.P | Pte.W)
    expect(execute(cpu, 0xdb, 7, At.DATA + 0x1000 - 3)).toBe(0)
    expect([...cpu.memory.read(At.DATA + 0x1000 - 3, 10)]).toEqual([0, 0, 0, 0, 0, 0, 0, 0x80, 0xff, 0x3f])
  })

  const modes = [['32-bit', () => new TestProcessor().protectedMode()], ['64-bit', long]] as const
  it.each(modes)('saves and restores in %s mode', (_name, make) => {
    for (const [size, header] of [[4, 28], [2, 14]]) {
      const cpu = make()
      cpu.setU64(State.RIP, 0x401234)
      for (const [escape, modRm] of [FLD1, FLDZ, FLD1]) execute(cpu, escape, modRm)
      execute(cpu, 0xdd, 0xc2) // FFREE ST(2)
      const before = cpu.state.u8.slice(State.FPU, State.FPU + 512)
      expect(execute(cpu, 0xdd, 6, At.DATA, size)).toBe(0)
      const tags = size === 4 ? cpu.memory.readU16(At.DATA + 8) : cpu.memory.readU16(At.DATA + 4)
      expect(tags).toBe(0b11_01_00_11_11_11_11_11)
      expect(cpu.memory.readU16(At.DATA + header + 8)).toBe(0x3fff)
      expect(cpu.u32(State.FPU) & 0xffff).toBe(0x37f)
      expect(execute(cpu, 0xdd, 4, At.DATA, size)).toBe(0)
      const after = cpu.state.u8.slice(State.FPU, State.FPU + 512)
      // 14 bytes have no room for the whole instruction pointer.
      if (size === 2) before.fill(0, 10, 16)
      expect(after).toEqual(before)
    }
  })

  it('goes into FXSAVE and back, with pointers of 32 or 64 bits', () => {
    const cpu = long()
    cpu.setU64(State.RIP, 0x1234_5678_9abc)
    for (const [escape, modRm] of [FLD1, FLDZ]) execute(cpu, escape, modRm)
    // FLDZ was the second instruction of two bytes.
    const before = cpu.state.u8.slice(State.FPU, State.FPU + 160)
    for (const [size, instruction] of [[8, 0x123456789aben], [4, 0x56789aben]] as const) {
      expect(cpu.execute(SystemOp.FXSAVE, { ea: At.DATA, size })).toBe(0)
      expect(cpu.memory.readU64(At.DATA + 8)).toBe(instruction)
      expect(cpu.memory.readU8(At.DATA + 4)).toBe(0b11000000)
      // ST(0), which is +0, comes first, then ST(1).
      expect(cpu.quadwords(At.DATA + 32, 4)).toEqual([0n, 0n, 1n << 63n, 0x3fffn])
    }
    execute(cpu, 0xdb, 0xe3)
    cpu.memory.writeU64(At.DATA + 8, 0x123456789aben)
    expect(cpu.execute(SystemOp.FXRSTOR, { ea: At.DATA, size: 8 })).toBe(0)
    expect(cpu.state.u8.slice(State.FPU, State.FPU + 160)).toEqual(before)
  })
})
