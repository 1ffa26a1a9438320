import { describe, expect, it } from 'vitest'
import { Wait } from '../process/wait.ts'
import { Cost } from '../costs.ts'
import { AHEAD_BYTES_MAX, Console, LINE_BYTE_NS, WRITE_BYTES_MAX } from './console.ts'
import { SerialDriver } from './serial.ts'

/** A 16550 that has nothing but its data register, LSR, and a queue. */
function wire(): {
  console: Console
  output: () => string
  /** Bytes that wait in the UART. */
  queue: (text: string) => void
  /** The same, with the interrupt. */
  arrive: (text: string) => void
  charged: () => number
  pass: (ns: number) => void
} {
  const queue: number[] = []
  let next = 0
  const sent: number[] = []
  let charged = 0
  let nowNs = 0
  const serial = new SerialDriver({
    in: (port) => (port === 0x3fd ? 0x20 | (next < queue.length ? 1 : 0) : queue[next++]),
    out: (port, _size, value) => {
      if (port === 0x3f8) sent.push(value)
    },
  })
  const clock = {
    get nowNs() {
      return nowNs
    },
    charge: (ns: number) => void (charged += ns),
  }
  const console = new Console(serial, clock, { readable: () => {}, interrupt: () => {} })
  return {
    console,
    output: () => new TextDecoder().decode(Uint8Array.from(sent)),
    queue: (text) => queue.push(...new TextEncoder().encode(text)),
    arrive: (text) => {
      for (const byte of new TextEncoder().encode(text)) queue.push(byte)
      console.receive()
    },
    charged: () => charged,
    pass: (ns) => { nowNs += ns },
  }
}

describe('Console', () => {
  it('begins a line of its own when a program left one open', () => {
    const { console, output } = wire()
    console.writeLine('one')
    console.write(new TextEncoder().encode('two'))
    console.writeLine('three')
    expect(output()).toBe('one\ntwo\nthree\n')
  })

  it('sends a bounded portion at a time and accounts for it', () => {
    const { console, charged } = wire()
    expect(console.write(new Uint8Array(WRITE_BYTES_MAX + 1))).toBe(WRITE_BYTES_MAX)
    expect(charged()).toBe(WRITE_BYTES_MAX * Cost.CONSOLE_BYTE)
  })

  it('lets programs print ahead of the line so far, and the kernel at its own cost', () => {
    const { console, charged, output, pass } = wire()
    let sent = 0
    for (;;) {
      const count = console.write(new Uint8Array(WRITE_BYTES_MAX).fill(0x61))
      if (count instanceof Wait) break
      sent += count
    }
    expect(sent).toBe(AHEAD_BYTES_MAX + WRITE_BYTES_MAX)
    const { deadlineNs } = console.write(Uint8Array.of(1)) as Wait
    expect(deadlineNs).toBe((sent - AHEAD_BYTES_MAX / 2) * LINE_BYTE_NS)
    const before = charged()
    console.writeLine('panic')
    expect(charged() - before).toBeGreaterThan(WRITE_BYTES_MAX * LINE_BYTE_NS)
    expect(output()).toMatch(/panic\n$/)
    pass(deadlineNs + 10 * LINE_BYTE_NS)
    expect(console.write(new Uint8Array(WRITE_BYTES_MAX))).toBe(WRITE_BYTES_MAX)
  })

  it('waits for input, and ends after as many bytes as were announced', () => {
    const { console, arrive } = wire()
    expect(console.read(10)).toBeInstanceOf(Wait)
    console.endInputAfter(5)
    arrive('ab\n')
    expect(console.read(10)).toEqual(new TextEncoder().encode('ab\n'))
    expect(console.read(10)).toBeInstanceOf(Wait)
    arrive('cd')
    expect(console.read(10)).toEqual(new TextEncoder().encode('cd'))
    expect(console.read(10)).toEqual(new Uint8Array(0))
  })

  it('sees what arrived while nobody looked before it waits', () => {
    const { console, queue } = wire()
    console.line.setMode('raw')
    queue('x')
    expect(console.read(10)).toEqual(new TextEncoder().encode('x'))
  })

  it('leaves what nobody reads in the UART, and loses none of it', () => {
    const { console, arrive } = wire()
    const line = `${'z'.repeat(999)}\n`
    arrive(line.repeat(200))
    let total = 0
    for (let bytes = console.read(5000); bytes instanceof Uint8Array; bytes = console.read(5000)) total += bytes.length
    expect(total).toBe(200_000)
  })
})
