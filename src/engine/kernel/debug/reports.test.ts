import { describe, expect, it } from 'vitest'
import { PhysicalMemory } from '../../machine/memory.ts'
import { describeException } from '../arch/exceptions.ts'
import { FrameOffset, TrapFrame } from '../arch/trap-frame.ts'
import { Descriptors, OpenFileTable } from '../fs/open-file.ts'
import { Protection } from '../memory/address-space.ts'
import { testSpace } from '../memory/testing.ts'
import { Process } from '../process/process.ts'
import { reportFault } from './fault-report.ts'
import { formatLogLine } from './log.ts'
import { describeKernelTrap, renderPanic } from './panic.ts'
import { formatLocation, readSymbolTable } from './symbols.ts'
import type { Symbolizer } from './symbols.ts'

const nothing: Symbolizer = { locate: () => null }
const main: Symbolizer = {
  locate: (address) => {
    if (address < 0x201000 || address >= 0x202000) return null
    return { function: 'main', offset: Number(address) - 0x201000, file: 'user/fault.c', line: 9 }
  },
}

describe('log lines', () => {
  it.each([
    [0, '[    0.000000] gdt: x'],
    [123_999, '[    0.000123] gdt: x'],
    [12_345_678_901, '[   12.345678] gdt: x'],
  ])('%d ns', (ns, line) => {
    expect(formatLogLine(ns, 'gdt', 'x')).toBe(line)
  })
})

describe('formatLocation', () => {
  it('says what it knows', () => {
    expect(formatLocation({ function: 'main', offset: 18, file: '/a/b/fault.c', line: 9 })).toBe('main+0x12 (fault.c:9)')
    expect(formatLocation({ function: 'main', offset: 0 })).toBe('main+0x0')
    expect(formatLocation({ function: '', offset: 0, file: 'a.c', line: 1 })).toBe('(a.c:1)')
  })
})

describe('readSymbolTable', () => {
  it('knows nothing of what is no ELF or is cut off', () => {
    for (const file of [new Uint8Array(0), new Uint8Array(64).fill(0xff), new TextEncoder().encode('x'.repeat(100))])
      expect(readSymbolTable(file).locate(0x1000)).toBeNull()
  })
})

describe('reportFault', () => {
  const { space } = testSpace(64)
  const process = new Process(1, 0, '/bin/fault', space, new Descriptors(new OpenFileTable()))
  space.map(0x201000, 0x202000, Protection.READ | Protection.EXEC, 'image')
  space.load(0x201012, Uint8Array.of(0xc7, 0x00))
  const frame = TrapFrame.blank()
  frame.enterUser(0x201012, 0x7ffffffff000)

  it('names address, instruction and source line', () => {
    const reporter = { symbolizer: main, disassembler: (bytes: Uint8Array, address: number | bigint) => `mov ${bytes[0]} at ${address}` }
    expect(reportFault(process, frame, { vector: 14, error: 6, address: 0 }, reporter)).toEqual([
      'atoll: fault (pid 1): page fault writing 0x0 at 0x201012 main+0x12 (fault.c:9)  mov 199 at 2101266',
    ])
  })

  it.each([
    [14, 4, 0x7fffff7fe800, 'page fault reading 0x7fffff7fe800 (stack overflow)', 'SIGSEGV'],
    [14, 0x15, 0x1000, 'page fault executing 0x1000 (not permitted)', 'SIGSEGV'],
    [0, 0, 0, 'divide error', 'SIGFPE'],
    [6, 0, 0, 'invalid opcode', 'SIGILL'],
    [13, 0, 0, 'general protection fault', 'SIGSEGV'],
    [3, 0, 0, 'breakpoint', 'SIGTRAP'],
    [17, 0, 0, 'alignment check', 'SIGBUS'],
    [99, 0, 0, 'exception 99', 'SIGSEGV'],
  ])('vector %d', (vector, error, address, what, signal) => {
    const lines = reportFault(process, frame, { vector, error, address }, { symbolizer: nothing, disassembler: null })
    expect(lines).toEqual([`atoll: fault (pid 1): ${what} at 0x201012`])
    expect(describeException(vector).signal).toBe(signal)
  })

  it('follows frame pointers, and stops where they lead nowhere', () => {
    space.map(0x300000, 0x301000, Protection.READ | Protection.WRITE, 'anonymous')
    const chain = new DataView(new ArrayBuffer(32))
    chain.setBigUint64(0, 0x300010n, true)
    chain.setBigUint64(8, 0x201100n, true)
    chain.setBigUint64(16, 0x300010n, true)
    chain.setBigUint64(24, 0x201200n, true)
    space.copyOut(0x300000, new Uint8Array(chain.buffer))
    const inside = TrapFrame.blank()
    inside.set(frame)
    inside.setNumber(FrameOffset.RBP, 0x300000)
    const lines = reportFault(process, inside, { vector: 6, error: 0, address: 0 }, { symbolizer: main, disassembler: null })
    expect(lines.slice(1)).toEqual([
      'atoll:   called from 0x201100 main+0xff (fault.c:9)',
      'atoll:   called from 0x201200 main+0x1ff (fault.c:9)',
    ])
  })
})

describe('renderPanic', () => {
  it('shows registers, instruction and backtrace', () => {
    const memory = new PhysicalMemory(2 << 20)
    memory.write(0x100188, Uint8Array.of(0x0f, 0x0b))
    memory.writeU64(0x108000, 0n)
    memory.writeU64(0x108008, 0xffffffff80100200n)
    const frame = TrapFrame.blank()
    frame.enterKernel(0xffffffff80100188n, 0xffffffff80109000n)
    frame.setNumber(FrameOffset.VECTOR, 6)
    frame.setU64(FrameOffset.RBP, 0xffffffff80108000n)
    frame.setNumber(FrameOffset.RAX, 0x1234)
    const symbolizer: Symbolizer = { locate: (address) => ({ function: 'idle', offset: Number(BigInt(address) - 0xffffffff80100188n) }) }
    const context = { memory, symbolizer, disassembler: null, cr2: 0x8n, cr3: 0x112000 }
    const lines = renderPanic(describeKernelTrap(frame, 8n), context, frame, null)
    expect(lines.join('\n')).toMatchInlineSnapshot(`
      "
      ==============================================================================
      KERNEL PANIC: invalid opcode in the kernel (error code 0x0)
      ==============================================================================
      rip ffffffff80100188 idle+0x0
      instruction: 0f 0b 00 00 00 00 00 00 00 00 00 00 00 00 00

      rax 0000000000001234  rbx 0000000000000000  rcx 0000000000000000  rdx 0000000000000000
      rsi 0000000000000000  rdi 0000000000000000  rbp ffffffff80108000  rsp ffffffff80109000
      r8  0000000000000000  r9  0000000000000000  r10 0000000000000000  r11 0000000000000000
      r12 0000000000000000  r13 0000000000000000  r14 0000000000000000  r15 0000000000000000
      cs 0x8  ss 0x10  rflags 0x2  cr2 0x8  cr3 0x112000  vector 6  error 0x0

      backtrace:
        0xffffffff80100200 idle+0x77
      ==============================================================================
      The machine has stopped."
    `)
  })

  it('shows where the kernel’s own code threw, without the host’s folders', () => {
    const context = { memory: new PhysicalMemory(1 << 20), symbolizer: nothing, disassembler: null, cr2: 0n, cr3: 0 }
    const error = new Error('x')
    error.stack = 'Error: x\n    at Kernel.trap (file:///home/me/atoll/src/engine/kernel/kernel.ts:1:2)\n    at /home/me/run.js:3:4'
    expect(renderPanic('Error: x', context, null, error)).toEqual(
      expect.arrayContaining(['thrown by the kernel:', '  at Kernel.trap (kernel.ts:1:2)', '  at (run.js:3:4)']),
    )
  })

  it('names a page fault', () => {
    const frame = TrapFrame.blank()
    frame.setNumber(FrameOffset.VECTOR, 14)
    frame.setNumber(FrameOffset.ERROR, 3)
    expect(describeKernelTrap(frame, 0x8n)).toBe('page fault in the kernel writing 0x8 (not permitted)')
  })
})
