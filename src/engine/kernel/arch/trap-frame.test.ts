import { describe, expect, it } from 'vitest'
import { FrameOffset, TRAP_FRAME_BYTES, TrapFrame } from './trap-frame.ts'

describe('TrapFrame', () => {
  it('has 22 words, each once', () => {
    const offsets = Object.values(FrameOffset)
    expect([...offsets].sort((a, b) => a - b)).toEqual(Array.from({ length: TRAP_FRAME_BYTES / 8 }, (_, index) => index * 8))
  })

  it.each([0, 1, -1, -38, 2 ** 31, -(2 ** 31), 2 ** 32, 2 ** 47 - 1, 2 ** 53 - 1, -(2 ** 53) + 1])('sign-extends %d', (value) => {
    const frame = TrapFrame.blank()
    frame.setNumber(FrameOffset.RAX, value)
    expect(BigInt.asIntN(64, frame.getU64(FrameOffset.RAX))).toBe(BigInt(value))
  })

  it('reads ints and words', () => {
    const frame = TrapFrame.blank()
    frame.setU64(FrameOffset.RDI, 0xffffffff_80000001n)
    expect(frame.getInt(FrameOffset.RDI)).toBe(-0x7fffffff)
    expect(frame.getNumber(FrameOffset.RDI)).toBe(Number(0xffffffff80000001n))
  })

  it('enters ring 3 with interrupts on and ring 0 with interrupts off', () => {
    const frame = TrapFrame.blank()
    frame.setU64(FrameOffset.R15, 7n)
    frame.enterUser(0x401000, 0x7ffffffff000)
    expect([frame.rip, frame.rsp, frame.fromUser]).toEqual([0x401000, 0x7ffffffff000, true])
    expect([frame.getU64(FrameOffset.RFLAGS), frame.getU64(FrameOffset.R15)]).toEqual([0x202n, 0n])
    frame.enterKernel(0xffffffff80100188n, 0xffffffff80109000n)
    expect([frame.fromUser, frame.getU64(FrameOffset.RFLAGS), frame.getU64(FrameOffset.SS)]).toEqual([false, 2n, 0x10n])
  })

  it('copies', () => {
    const from = TrapFrame.blank()
    for (let offset = 0; offset < TRAP_FRAME_BYTES; offset += 8) from.setU64(offset, BigInt(offset) << 40n)
    const to = TrapFrame.blank()
    to.set(from)
    for (let offset = 0; offset < TRAP_FRAME_BYTES; offset += 8) expect(to.getU64(offset)).toBe(BigInt(offset) << 40n)
  })
})
