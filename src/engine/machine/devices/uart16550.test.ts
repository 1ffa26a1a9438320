import { describe, expect, it } from 'vitest'
import { Clock } from '../clock.ts'
import { Uart16550 } from './uart16550.ts'

const RBR = 0,
  THR = 0,
  DLL = 0,
  IER = 1,
  DLM = 1,
  IIR = 2,
  FCR = 2,
  LCR = 3,
  MCR = 4,
  LSR = 5,
  MSR = 6,
  SCR = 7
/** One character of 10 bits at 115,200 baud. */
const CHARACTER_NS = 86_806

function setUp() {
  const clock = new Clock()
  const irq: boolean[] = []
  const uart = new Uart16550(clock, (high) => irq.push(high))
  const sent: number[] = []
  uart.onTransmit = (byte) => sent.push(byte)
  const out = (register: number, value: number): void => uart.writePort(0x3f8 + register, 1, value)
  const read = (register: number): number => uart.readPort(0x3f8 + register)
  const wait = (ns: number): void => {
    const end = clock.nowNs + ns
    clock.runDue()
    while (clock.nextDueNs <= end) {
      clock.advance(Math.max(0, clock.nextDueNs - clock.nowNs))
      clock.runDue()
    }
    clock.advance(end - clock.nowNs)
  }
  const level = (): boolean => irq.at(-1) ?? false
  return { clock, uart, sent, out, read, wait, level, irq }
}

/** 115,200 baud, 8N1, FIFOs with the trigger level of `fcr`, DTR RTS OUT2. */
function listening(fcr: number, ier: number) {
  const all = setUp()
  all.out(LCR, 0x83)
  all.out(DLL, 1)
  all.out(DLM, 0)
  all.out(LCR, 0x03)
  all.out(FCR, fcr)
  all.out(MCR, 0x0b)
  all.out(IER, ier)
  return all
}
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

describe('16550 registers (data sheet, table I)', () => {
  it('keeps IER, LCR, MCR and SCR, with their unused bits 0', () => {
    const { out, read } = setUp()
    for (const [register, value, kept] of [
      [IER, 0xff, 0x0f],
      [LCR, 0x5b, 0x5b],
      [MCR, 0xff, 0x1f],
      [SCR, 0xa5, 0xa5],
    ]) {
      out(register, value)
      expect(read(register)).toBe(kept)
    }
  })

  it('shows the divisor latch behind DLAB', () => {
    const { out, read } = setUp()
    out(LCR, 0x83)
    out(DLL, 0x34)
    out(DLM, 0x12)
    expect([read(DLL), read(DLM)]).toEqual([0x34, 0x12])
    out(LCR, 0x03)
    expect(read(IER)).toBe(0)
  })

  it('times a character by divisor, word length, parity and stop bits (section 8.1)', () => {
    const { uart, out } = listening(0, 0)
    expect(uart.characterNs).toBe(CHARACTER_NS)
    out(LCR, 0x1f)
    expect(uart.characterNs).toBe(Math.ceil((12 * 78125) / 9))
    out(LCR, 0x04)
    expect(uart.characterNs).toBe(Math.ceil((7.5 * 78125) / 9))
    out(LCR, 0x83)
    out(DLL, 12)
    expect(uart.characterNs).toBe(Math.ceil((10 * 12 * 78125) / 9))
  })

  it('ignores FCR bits that come without bit 0, and shows the FIFOs in IIR', () => {
    const { out, read } = setUp()
    out(FCR, 0xc6)
    expect(read(IIR)).toBe(0x01)
    out(FCR, 0xc7)
    expect(read(IIR)).toBe(0xc1)
  })
})

describe('16550 transmitter', () => {
  it('sends at once and is always ready', () => {
    const { sent, out, read } = setUp()
    expect(read(LSR)).toBe(0x60)
    for (const byte of bytes('hi')) out(THR, byte)
    expect(read(LSR)).toBe(0x60)
    expect(sent).toEqual([0x68, 0x69])
  })

  it('sends as many bits as the word has, and nothing while it breaks', () => {
    const { sent, out } = setUp()
    out(LCR, 0x00)
    out(THR, 0xff)
    out(LCR, 0x43)
    out(THR, 0x41)
    expect(sent).toEqual([0x1f])
  })

  it('raises THRE when it is enabled, and again after each write, as an event', () => {
    const { out, read, wait, level, irq } = listening(0xc7, 0)
    out(IER, 0x02)
    expect(level()).toBe(true)
    expect(read(IIR)).toBe(0xc2)
    expect(level()).toBe(false)
    expect(read(IIR)).toBe(0xc1)
    out(THR, 1)
    expect(level()).toBe(false)
    wait(0)
    expect(level()).toBe(true)
    const edges = irq.length
    out(THR, 2)
    expect(level()).toBe(false)
    wait(0)
    expect(level()).toBe(true)
    expect(irq.length).toBe(edges + 2)
  })
})

describe('16550 receiver', () => {
  it('delivers one character a character time, without FIFOs one at a time', () => {
    const { uart, read, wait, level } = listening(0, 0x01)
    uart.receive(bytes('abc'))
    wait(CHARACTER_NS - 1)
    expect(read(LSR)).toBe(0x60)
    wait(1)
    expect(read(LSR)).toBe(0x61)
    expect(level()).toBe(true)
    expect(read(IIR)).toBe(0x04)
    wait(100 * CHARACTER_NS)
    expect(uart.waiting).toBe(2)
    expect(read(RBR)).toBe(0x61)
    expect([read(LSR), level()]).toEqual([0x60, false])
    wait(CHARACTER_NS)
    expect(read(RBR)).toBe(0x62)
  })

  it('interrupts at the trigger level (FCR bits 7 and 6)', () => {
    for (const [fcr, trigger] of [
      [0x07, 1],
      [0x47, 4],
      [0x87, 8],
      [0xc7, 14],
    ]) {
      const { uart, read, wait, level } = listening(fcr, 0x01)
      uart.receive(new Uint8Array(20).fill(0x2e))
      wait((trigger - 1) * CHARACTER_NS)
      expect(level()).toBe(false)
      wait(CHARACTER_NS)
      expect(read(IIR)).toBe(0xc4)
      read(RBR)
      expect(level()).toBe(false)
    }
  })

  it('times out four character times after the last character, until RBR is read (table IV)', () => {
    const { uart, read, wait, level } = listening(0xc7, 0x01)
    uart.receive(bytes('xy'))
    wait(2 * CHARACTER_NS)
    wait(4 * CHARACTER_NS - 1)
    expect(level()).toBe(false)
    wait(1)
    expect(level()).toBe(true)
    expect(read(IIR)).toBe(0xcc)
    expect(read(IIR)).toBe(0xcc)
    read(RBR)
    expect([read(IIR), level()]).toEqual([0xc1, false])
    wait(4 * CHARACTER_NS)
    expect(read(IIR)).toBe(0xcc)
    read(RBR)
    wait(10 * CHARACTER_NS)
    expect(level()).toBe(false)
  })

  it('never loses a character: 16 in the FIFO, the rest waits outside', () => {
    const { uart, read, wait } = listening(0xc7, 0)
    const sent = Uint8Array.from({ length: 1000 }, (_, i) => i & 0xff)
    uart.receive(sent.subarray(0, 500))
    uart.receive(sent.subarray(500))
    const got: number[] = []
    for (let i = 0; i < 100 && got.length < 1000; i++) {
      wait(50 * CHARACTER_NS)
      while ((read(LSR) & 1) !== 0) got.push(read(RBR))
    }
    expect(got).toEqual([...sent])
  })

  it('sends again what a FIFO reset cleared before it was read', () => {
    const { uart, out, read, wait } = listening(0xc7, 0)
    uart.receive(bytes('hello'))
    wait(3 * CHARACTER_NS)
    expect(read(RBR)).toBe(0x68)
    out(FCR, 0xc7)
    expect(read(LSR) & 1).toBe(0)
    wait(4 * CHARACTER_NS)
    expect([read(RBR), read(RBR), read(RBR), read(RBR)]).toEqual([...bytes('ello')])
  })

  it('does not keep what the sender does with its buffer afterwards', () => {
    const { uart, read, wait } = listening(0xc7, 0)
    const buffer = bytes('a')
    uart.receive(buffer)
    buffer[0] = 0
    uart.receive(new Uint8Array(0))
    wait(CHARACTER_NS)
    expect(read(RBR)).toBe(0x61)
  })
})

describe('16550 interrupt priorities (table IV)', () => {
  it('line status, then data, then THRE, then modem status', () => {
    const { out, read } = listening(0x00, 0x0f)
    out(MCR, 0x1a)
    out(THR, 1)
    out(THR, 2)
    expect(read(IIR)).toBe(0x06)
    expect(read(LSR)).toBe(0x63)
    expect(read(IIR)).toBe(0x04)
    expect(read(RBR)).toBe(2)
    out(IER, 0x0d)
    out(IER, 0x0f)
    expect(read(IIR)).toBe(0x02)
    expect(read(IIR)).toBe(0x00)
    read(MSR)
    expect(read(IIR)).toBe(0x01)
  })
})

describe('16550 modem control', () => {
  it('shows a terminal that is switched on', () => {
    expect(setUp().read(MSR)).toBe(0xb0)
  })

  it('OUT2 gates the interrupt to the bus', () => {
    const { out, level } = setUp()
    out(IER, 0x02)
    expect(level()).toBe(false)
    out(MCR, 0x08)
    expect(level()).toBe(true)
    out(MCR, 0x00)
    expect(level()).toBe(false)
  })

  it('loops modem outputs to inputs and THR to RBR, and cuts the line (section 8.6.6)', () => {
    const { uart, sent, out, read, wait } = setUp()
    out(MCR, 0x10)
    expect(read(MSR)).toBe(0x0b)
    for (const [mcr, msr] of [
      [0x12, 0x10],
      [0x11, 0x20],
      [0x14, 0x40],
      [0x18, 0x80],
    ]) {
      out(MCR, mcr)
      expect(read(MSR) & 0xf0).toBe(msr)
    }
    uart.receive(bytes('z'))
    out(THR, 0xae)
    wait(1_000_000_000)
    expect(sent).toEqual([])
    expect(read(RBR)).toBe(0xae)
    expect(read(LSR) & 1).toBe(0)
    out(MCR, 0x0f)
    wait(2_000_000)
    expect(read(RBR)).toBe(0x7a)
  })

  it('sets TERI only when RI falls', () => {
    const { out, read } = setUp()
    out(MCR, 0x10)
    read(MSR)
    out(MCR, 0x14)
    expect(read(MSR)).toBe(0x40)
    out(MCR, 0x10)
    expect(read(MSR)).toBe(0x04)
  })

  it('a looped FIFO holds 16 and then overruns, keeping the oldest', () => {
    const { out, read } = listening(0xc7, 0)
    out(MCR, 0x10)
    for (let i = 0; i < 17; i++) out(THR, i)
    expect(read(LSR)).toBe(0x63)
    expect(read(LSR)).toBe(0x61)
    expect(Array.from({ length: 16 }, () => read(RBR))).toEqual(Array.from({ length: 16 }, (_, i) => i))
    expect(read(LSR)).toBe(0x60)
  })

  it('a looped break is received as one', () => {
    const { out, read } = listening(0xc7, 0x04)
    out(MCR, 0x18)
    out(LCR, 0x43)
    expect(read(IIR)).toBe(0xc6)
    expect(read(LSR)).toBe(0xf1)
    expect(read(LSR)).toBe(0x61)
    expect(read(RBR)).toBe(0)
  })
})
