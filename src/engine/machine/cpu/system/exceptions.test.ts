import { describe, expect, test } from 'vitest'
import { Activity, Rflag, SegmentIndex, State, Vector } from '../state.ts'
import { SystemOp } from '../system-op.ts'
import { At, DescriptorBits, Pte, Selector, TestProcessor, handlerOf } from './testing.ts'

const { IF, TF, NT, RF, DF, FIXED } = Rflag
const flagsOf = (cpu: TestProcessor) => cpu.system.readRflags()

describe('delivery in 64-bit mode', () => {
  test('a fault at CPL 0: same stack, aligned to 16 bytes, error code, RF in the image', () => {
    const cpu = new TestProcessor().longMode()
    cpu.setGpr(4, At.KERNEL_STACK - 8)
    cpu.system.writeRflags(IF | TF | NT | DF | Rflag.CF)
    cpu.system.exceptions.raise(Vector.GP, 0x1234)
    cpu.system.deliver()
    const frame = At.KERNEL_STACK - 16 - 48
    expect(cpu.rsp).toBe(BigInt(frame))
    const flags = IF | TF | NT | DF | RF | FIXED | Rflag.CF
    expect(cpu.quadwords(frame, 6)).toEqual(
      [0x1234, At.CODE, Selector.KERNEL_CODE, flags, At.KERNEL_STACK - 8, Selector.KERNEL_DATA].map(BigInt),
    )
    expect(cpu.rip).toBe(BigInt(At.HANDLER + 13 * 16))
    expect(flagsOf(cpu)).toBe(DF | FIXED | Rflag.CF)
    expect(cpu.selector(SegmentIndex.SS)).toBe(Selector.KERNEL_DATA)
    expect(cpu.fault.vector).toBe(-1)
  })

  test('from CPL 3: RSP0, SS null, no error code for #UD', () => {
    const cpu = new TestProcessor().longMode().userMode()
    cpu.system.exceptions.raise(Vector.UD)
    cpu.system.deliver()
    const frame = At.RSP0 - 40
    const image = [At.CODE, Selector.USER_CODE | 3, RF | FIXED, At.USER_STACK, Selector.USER_DATA | 3]
    expect(cpu.quadwords(frame, 5)).toEqual(image.map(BigInt))
    expect([cpu.cpl, cpu.selector(SegmentIndex.CS), cpu.selector(SegmentIndex.SS)]).toEqual([0, Selector.KERNEL_CODE, 0])
    expect(cpu.rsp).toBe(BigInt(frame))
  })

  test('an interrupt stack table entry is used without a change of level too, and SS stays', () => {
    const cpu = new TestProcessor().longMode()
    cpu.gate64(Vector.NMI, { ist: 1 })
    cpu.system.exceptions.raise(Vector.NMI)
    cpu.system.deliver()
    expect(cpu.rsp).toBe(BigInt(At.IST1 - 40))
    expect(cpu.quadwords(At.IST1 - 16, 2)).toEqual([BigInt(At.KERNEL_STACK), BigInt(Selector.KERNEL_DATA)])
    expect(cpu.selector(SegmentIndex.SS)).toBe(Selector.KERNEL_DATA)
  })

  test('a trap gate leaves IF, an external interrupt pushes RF clear and wakes', () => {
    const cpu = new TestProcessor().longMode()
    cpu.gate64(0x20 - 1, { type: 15 })
    cpu.system.writeRflags(IF)
    cpu.setU32(State.ACTIVITY, Activity.HALTED)
    cpu.system.interrupt(0x1f)
    expect(cpu.quadwords(At.KERNEL_STACK - 24, 1)).toEqual([BigInt(IF | FIXED)])
    expect(flagsOf(cpu)).toBe(IF | FIXED)
    expect(cpu.u32(State.ACTIVITY)).toBe(0)
  })

  test('an external interrupt keeps the next instruction from stopping at its breakpoint again', () => {
    const cpu = new TestProcessor().longMode()
    cpu.gate64(0x20)
    cpu.setU32(State.SYSFLAGS, IF | RF | FIXED)
    cpu.system.interrupt(0x20)
    expect(cpu.quadwords(At.KERNEL_STACK - 24, 1)).toEqual([BigInt(IF | RF | FIXED)])
    expect(cpu.u32(State.SYSFLAGS) & RF).toBe(0)
  })

  test('a page fault keeps CR2 and its error code', () => {
    const cpu = new TestProcessor().longMode().userMode()
    expect(cpu.translate(0x123456789n, 1)).toBe('fault')
    cpu.system.deliver()
    expect(cpu.quadwords(At.RSP0 - 48, 1)).toEqual([6n])
    expect(cpu.cr2).toBe(0x123456789n)
  })

  test('a frame that crosses a page goes to both pages', () => {
    const cpu = new TestProcessor().longMode()
    const other = 0x60000
    cpu.page(0x51000, Pte.P | Pte.W)
    cpu.memory.writeU64(At.PT + 0x50 * 8, BigInt(other) | 3n)
    cpu.system.mmu.invalidateAll()
    cpu.setGpr(4, 0x51010)
    cpu.system.exceptions.raise(Vector.DE)
    cpu.system.deliver()
    expect(cpu.rsp).toBe(0x50fe8n)
    expect(cpu.quadwords(other + 0xfe8, 3)).toEqual([BigInt(At.CODE), BigInt(Selector.KERNEL_CODE), BigInt(RF | FIXED)])
    expect(cpu.quadwords(0x51000, 2)).toEqual([0x51010n, BigInt(Selector.KERNEL_DATA)])
  })
})

describe('gate checks in 64-bit mode', () => {
  // The second exception is delivered with its own error code: EXT 1, IDT 2, selector or vector * 8.
  const cases: [string, (cpu: TestProcessor) => void, number, number][] = [
    ['beyond the limit', (cpu) => cpu.setU32(State.IDTR_LIMIT, 0xff), Vector.GP, 16 * 8 + 3],
    ['not a gate', (cpu) => cpu.gate64(16, { type: 9 }), Vector.GP, 16 * 8 + 3],
    ['a 32-bit task gate', (cpu) => cpu.gate64(16, { type: 5 }), Vector.GP, 16 * 8 + 3],
    ['not present', (cpu) => cpu.gate64(16, { present: false }), Vector.NP, 16 * 8 + 3],
    ['null selector', (cpu) => cpu.gate64(16, { selector: 0 }), Vector.GP, 1],
    ['selector beyond the table', (cpu) => cpu.gate64(16, { selector: 0x100 }), Vector.GP, 0x101],
    ['data segment', (cpu) => cpu.gate64(16, { selector: Selector.KERNEL_DATA }), Vector.GP, Selector.KERNEL_DATA + 1],
    ['32-bit code segment', (cpu) => cpu.gate64(16, { selector: Selector.KERNEL_CODE32 }), Vector.GP, Selector.KERNEL_CODE32 + 1],
    ['less privileged code segment', (cpu) => cpu.gate64(16, { selector: Selector.USER_CODE }), Vector.GP, Selector.USER_CODE + 1],
    ['absent code segment', (cpu) => {
      cpu.gate64(16, { selector: Selector.CONFORMING })
      cpu.descriptor(Selector.CONFORMING, 0, DescriptorBits.CODE64 & ~DescriptorBits.PRESENT)
    }, Vector.NP, Selector.CONFORMING + 1],
    ['non-canonical target', (cpu) => cpu.gate64(16, { offset: 0x8000_0000_0000n }), Vector.GP, 1],
    ['non-canonical stack', (cpu) => {
      cpu.gate64(16, { ist: 1 })
      cpu.memory.writeU64(At.TSS + 36, 0x8000_0000_0000_0000n)
    }, Vector.SS, 1],
    ['TSS too short', (cpu) => {
      cpu.gate64(16, { ist: 7 })
      cpu.state.setSegment(SegmentIndex.TR, Selector.TSS, 0x8b, At.TSS, 0, 0x52)
    }, Vector.TS, Selector.TSS + 1],
  ]
  test.each(cases)('%s', (_name, arrange, vector, error) => {
    const cpu = new TestProcessor().longMode()
    arrange(cpu)
    cpu.system.exceptions.raise(Vector.MF)
    cpu.system.deliver()
    expect(cpu.rip).toBe(BigInt(At.HANDLER + vector * 16))
    expect(cpu.quadwords(cpu.rsp, 2)).toEqual([BigInt(error), BigInt(At.CODE)])
  })
})

describe('software interrupts', () => {
  test('INT n from CPL 3 returns to the next instruction, RF clear', () => {
    const cpu = new TestProcessor().longMode().userMode()
    cpu.gate64(0x80, { dpl: 3 })
    cpu.system.writeRflags(IF)
    expect(cpu.execute(SystemOp.INT, { imm: 0x80 })).toBe(0)
    expect(cpu.quadwords(At.RSP0 - 40, 3)).toEqual([BigInt(At.CODE + 2), BigInt(Selector.USER_CODE | 3), BigInt(IF | FIXED)])
    expect([cpu.rip, cpu.cpl]).toEqual([BigInt(At.HANDLER + 0x800), 0])
  })

  test('a gate of DPL 0 is #GP(vector * 8 + 2) at the instruction, EXT clear', () => {
    const cpu = new TestProcessor().longMode().userMode()
    expect(cpu.execute(SystemOp.INT, { imm: 14 })).toBe(1)
    expect(cpu.fault).toEqual({ vector: Vector.GP, error: 14 * 8 + 2 })
    expect([cpu.rip, cpu.cpl]).toEqual([BigInt(At.CODE), 3])
    expect(cpu.execute(SystemOp.INT3)).toBe(1)
    expect(cpu.fault.error).toBe(3 * 8 + 2)
    expect(cpu.execute(SystemOp.INT1)).toBe(0)
    expect(cpu.rip).toBe(BigInt(At.HANDLER + 16))
  })

  test('a handler at CPL 3 keeps the user stack', () => {
    const cpu = new TestProcessor().longMode().userMode()
    cpu.gate64(0x80, { dpl: 3, selector: Selector.CONFORMING })
    cpu.page(At.GDT, Pte.P | Pte.W)
    expect(cpu.execute(SystemOp.INT, { imm: 0x80 })).toBe(0)
    expect([cpu.cpl, cpu.rsp, cpu.selector(SegmentIndex.CS)]).toEqual([3, BigInt(At.USER_STACK - 40), Selector.CONFORMING | 3])
  })

  test('INTO traps with OF, passes without', () => {
    const cpu = new TestProcessor().protectedMode()
    expect(cpu.execute(SystemOp.INTO)).toBe(0)
    expect(cpu.rip).toBe(BigInt(At.CODE + 2))
    cpu.system.writeRflags(Rflag.OF)
    expect(cpu.execute(SystemOp.INTO)).toBe(0)
    expect(cpu.rip).toBe(handlerOf(Vector.OF))
    expect(cpu.doublewords(cpu.rsp, 1)).toEqual([At.CODE + 4])
  })

  test('INTO is #UD in 64-bit mode', () => {
    const cpu = new TestProcessor().longMode()
    expect(cpu.execute(SystemOp.INTO)).toBe(1)
    expect(cpu.fault.vector).toBe(Vector.UD)
  })
})

describe('double and triple fault, SDM vol. 3 table 6-5', () => {
  /** Raises a first exception whose gate is absent (#NP, contributory) or unreadable (#PF) and reports the handler that runs. */
  function second(first: number, kind: 'contributory' | 'page fault' | 'benign'): number {
    const cpu = new TestProcessor().longMode()
    if (kind === 'contributory') cpu.gate64(first, { present: false })
    else cpu.gate64(first, { ist: 1 })
    if (kind === 'page fault') cpu.page(At.IST1 - 4096, 0n)
    cpu.system.exceptions.raise(first)
    cpu.system.deliver()
    return Number((cpu.rip - BigInt(At.HANDLER)) / 16n)
  }
  test('benign first: the second is handled', () => {
    for (const first of [Vector.DB, Vector.BP, Vector.UD, Vector.NM, Vector.MF, Vector.AC]) {
      expect(second(first, 'contributory')).toBe(Vector.NP)
      expect(second(first, 'page fault')).toBe(Vector.PF)
    }
  })
  test('contributory first', () => {
    for (const first of [Vector.DE, Vector.TS, Vector.SS, Vector.GP]) {
      expect(second(first, 'contributory')).toBe(Vector.DF)
      expect(second(first, 'page fault')).toBe(Vector.PF)
    }
  })
  test('page fault first', () => {
    expect(second(Vector.PF, 'contributory')).toBe(Vector.DF)
    expect(second(Vector.PF, 'page fault')).toBe(Vector.DF)
  })

  test('a double fault pushes error code 0', () => {
    const cpu = new TestProcessor().longMode()
    cpu.gate64(Vector.GP, { present: false })
    cpu.system.exceptions.raise(Vector.GP, 8)
    cpu.system.deliver()
    expect(cpu.rip).toBe(BigInt(At.HANDLER + 8 * 16))
    expect(cpu.quadwords(cpu.rsp, 2)).toEqual([0n, BigInt(At.CODE)])
  })

  test('an external interrupt is benign', () => {
    const cpu = new TestProcessor().longMode()
    cpu.gate64(13, { present: false })
    cpu.system.interrupt(13)
    expect(cpu.rip).toBe(BigInt(At.HANDLER + Vector.NP * 16))
    expect(cpu.quadwords(cpu.rsp, 1)).toEqual([13n * 8n + 3n])
  })

  test('a triple fault shuts down and says why', () => {
    const cpu = new TestProcessor().longMode()
    cpu.setU32(State.IDTR_LIMIT, 0)
    cpu.system.exceptions.raise(Vector.UD)
    cpu.system.deliver()
    expect(cpu.u32(State.ACTIVITY)).toBe(Activity.SHUTDOWN)
    expect(cpu.u32(State.STOP)).toBe(1)
    expect(cpu.system.exceptions.shutdownReason).toBe('#GP (error code 0x43) while delivering a double fault, RIP 0x40000')
    expect([cpu.rip, cpu.rsp]).toEqual([BigInt(At.CODE), BigInt(At.KERNEL_STACK)])
  })
})

describe('delivery in 32-bit protected mode', () => {
  test('same level: EFLAGS, CS, EIP and the error code', () => {
    const cpu = new TestProcessor().protectedMode()
    cpu.system.writeRflags(IF)
    cpu.system.exceptions.raise(Vector.GP, 0x18)
    cpu.system.deliver()
    expect(cpu.doublewords(At.KERNEL_STACK - 16, 4)).toEqual([0x18, At.CODE, Selector.KERNEL_CODE32, IF | RF | FIXED])
    expect(cpu.rsp).toBe(BigInt(At.KERNEL_STACK - 16))
    expect(flagsOf(cpu)).toBe(FIXED)
  })

  test('from CPL 3: SS:ESP from the TSS, the old ones pushed', () => {
    const cpu = new TestProcessor().protectedMode().userMode()
    cpu.gate32(0x80, { dpl: 3, type: 15 })
    cpu.system.writeRflags(IF)
    expect(cpu.execute(SystemOp.INT, { imm: 0x80 })).toBe(0)
    expect(cpu.doublewords(At.RSP0 - 20, 5)).toEqual(
      [At.CODE + 2, Selector.USER_CODE32 | 3, IF | FIXED, At.USER_STACK, Selector.USER_DATA | 3],
    )
    expect([cpu.cpl, cpu.selector(SegmentIndex.SS), cpu.rsp]).toEqual([0, Selector.KERNEL_DATA, BigInt(At.RSP0 - 20)])
    expect(flagsOf(cpu)).toBe(IF | FIXED)
  })

  test('a 16-bit gate pushes words', () => {
    const cpu = new TestProcessor().protectedMode()
    cpu.gate32(5, { type: 6, offset: 0x1234n })
    cpu.system.exceptions.raise(5)
    cpu.system.deliver()
    expect(cpu.rip).toBe(0x1234n)
    expect(cpu.rsp).toBe(BigInt(At.KERNEL_STACK - 6))
    expect(cpu.memory.readU16(At.KERNEL_STACK - 4)).toBe(Selector.KERNEL_CODE32)
  })

  test.each([
    ['null stack selector in the TSS', 0, 1],
    ['stack selector of another level', Selector.USER_DATA, Selector.USER_DATA + 1],
  ])('%s is #TS, and without any stack a triple fault', (_name, selector, error) => {
    const cpu = new TestProcessor().protectedMode().userMode()
    cpu.memory.writeU16(At.TSS + 8, selector)
    cpu.system.exceptions.raise(Vector.UD)
    cpu.system.deliver()
    expect(cpu.system.exceptions.shutdownReason).toContain(`#TS (error code 0x${error.toString(16)})`)
  })

  test('a task gate that names no task state segment', () => {
    const cpu = new TestProcessor().protectedMode()
    cpu.gate32(8, { type: 5 })
    cpu.gate32(13, { present: false })
    cpu.system.exceptions.raise(Vector.GP)
    cpu.system.deliver()
    expect(cpu.warnings).toEqual([])
    expect(cpu.u32(State.ACTIVITY)).toBe(Activity.SHUTDOWN)
  })
})
