import { describe, expect, it } from 'vitest'
import { LINE_BYTES_MAX, LineDiscipline, WAITING_BYTES_MAX } from './line-discipline.ts'

interface Terminal {
  line: LineDiscipline
  type(text: string): void
  echoed: () => string
  read(length?: number): string | null
  interrupts: () => number
}

function terminal(): Terminal {
  const echo: number[] = []
  let interrupts = 0
  const line = new LineDiscipline({ echo: (bytes) => echo.push(...bytes), readable: () => {}, interrupt: () => interrupts++ })
  return {
    line,
    type: (text) => new TextEncoder().encode(text).forEach((byte) => line.input(byte)),
    echoed: () => new TextDecoder().decode(Uint8Array.from(echo)),
    read: (length = 1000) => {
      const bytes = line.read(length)
      return bytes === null ? null : new TextDecoder().decode(bytes)
    },
    interrupts: () => interrupts,
  }
}

describe('canonical mode', () => {
  it('hands over whole lines, one a read, and makes line feeds of carriage returns', () => {
    const { type, read, echoed } = terminal()
    type('ab')
    expect(read()).toBeNull()
    type('c\rde\n')
    expect(read()).toBe('abc\n')
    expect(read(2)).toBe('de')
    expect(read()).toBe('\n')
    expect(read()).toBeNull()
    expect(echoed()).toBe('abc\nde\n')
  })

  it('erases characters, words and lines', () => {
    const { type, read } = terminal()
    type('abx\x7fc\b\bQ\n')
    expect(read()).toBe('aQ\n')
    type('one two  \x17three\n')
    expect(read()).toBe('one three\n')
    type('gone\x15here\n')
    expect(read()).toBe('here\n')
    type('\x7f\x7f\x15\x17x\n')
    expect(read()).toBe('x\n')
  })

  it('erases a character of several bytes in one go', () => {
    const { type, read, echoed } = terminal()
    type('aé\x7fb\n')
    expect(read()).toBe('ab\n')
    expect(echoed()).toBe('aé\b \bb\n')
  })

  it('shows control characters and erases both columns', () => {
    const { type, echoed } = terminal()
    type('\x01\x7f')
    expect(echoed()).toBe('^A\b \b\b \b')
  })

  it('ends the file at Control-D, or hands over what there is of a line', () => {
    const { type, read } = terminal()
    type('\x04')
    expect(read()).toBe('')
    expect(read()).toBeNull()
    type('abc\x04')
    expect(read()).toBe('abc')
    expect(read()).toBeNull()
  })

  it('ends for good when no more input can come', () => {
    const { type, read, line } = terminal()
    type('one\ntwo')
    line.end()
    expect([read(), read(), read(), read()]).toEqual(['one\n', 'two', '', ''])
  })

  it('drops the line at Control-C', () => {
    const { type, read, interrupts, echoed } = terminal()
    type('abc\x03d\n')
    expect([read(), interrupts(), echoed()]).toEqual(['d\n', 1, 'abc^C\nd\n'])
  })

  it('refuses more than a line holds with a bell, and stops the line when nobody reads', () => {
    const { type, read, line, echoed } = terminal()
    type('x'.repeat(LINE_BYTES_MAX + 10))
    expect(echoed().slice(-12)).toBe(`x${'\x07'.repeat(11)}`)
    type('\n')
    expect(read(10_000)).toHaveLength(LINE_BYTES_MAX)
    for (let count = 0; count < WAITING_BYTES_MAX / 4096; count++) type(`${'y'.repeat(4095)}\n`)
    expect(line.accepts).toBe(false)
    read(5000)
    expect(line.accepts).toBe(true)
  })
})

describe('raw mode', () => {
  it('hands over every byte as it comes and echoes nothing', () => {
    const { type, read, line, echoed } = terminal()
    line.setMode('raw')
    type('a\r\x03\x04')
    expect(read()).toBe('a\r\x03\x04')
    expect(read()).toBeNull()
    expect(echoed()).toBe('')
  })

  it('takes over a line that was being edited', () => {
    const { type, read, line } = terminal()
    type('abc')
    line.setMode('raw')
    type('d')
    expect(read()).toBe('abcd')
  })
})
