import { describe, expect, it } from 'vitest'
import { Clock } from '../clock.ts'
import { PitCounter } from './pit-counter.ts'
import { Pit8254, pitNsOf, pitPulsesAt } from './pit8254.ts'

/** OUT over pulses `from` to `to`, as the data sheet draws it: `-` high, `_` low. */
function trace(counter: PitCounter, from: number, to: number): string {
  let line = ''
  for (let t = from; t <= to; t++) line += counter.output(t) ? '-' : '_'
  return line
}

/** A counter programmed at pulse 0 for LSB only, binary, whose count is written at pulse 0 too. */
function programmed(mode: number, count: number, gate = true): PitCounter {
  const counter = new PitCounter(gate)
  counter.program(0, 1, mode, false)
  counter.write(0, count)
  return counter
}

function liveCount(counter: PitCounter, t: number): number {
  return counter.read(t)
}

describe('8254 mode 0, interrupt on terminal count (figure 15)', () => {
  it('goes high N + 1 pulses after the count is written and stays there', () => {
    const counter = programmed(0, 4)
    expect(trace(counter, 0, 8)).toBe('_____----')
    expect(liveCount(counter, 9)).toBe(0xfc)
  })

  it('GATE low holds the count', () => {
    const counter = programmed(0, 3)
    counter.setGate(2, false)
    expect(trace(counter, 2, 20)).toBe('_'.repeat(19))
    expect(liveCount(counter, 20)).toBe(2)
    counter.setGate(20, true)
    expect(trace(counter, 20, 24)).toBe('__---')
  })

  it('loads a count that is written while GATE is low, and counts once it is high', () => {
    const counter = programmed(0, 3, false)
    expect(liveCount(counter, 5)).toBe(3)
    counter.setGate(5, true)
    expect(trace(counter, 5, 9)).toBe('___--')
  })

  it('a new count starts over; the first of two bytes already stops the counting', () => {
    const counter = new PitCounter(true)
    counter.program(0, 3, 0, false)
    counter.write(0, 2)
    counter.write(0, 0)
    expect(trace(counter, 0, 4)).toBe('___--')
    counter.write(5, 3)
    expect(trace(counter, 5, 30)).toBe('_'.repeat(26))
    counter.write(30, 0)
    expect(trace(counter, 30, 35)).toBe('____--')
  })
})

describe('8254 mode 1, hardware retriggerable one-shot (figure 16)', () => {
  it('is low for N pulses from the pulse after the trigger, and can be retriggered', () => {
    const counter = programmed(1, 3, false)
    expect(trace(counter, 0, 3)).toBe('----')
    counter.setGate(3, true)
    expect(trace(counter, 3, 8)).toBe('-___--')
    counter.setGate(8, false)
    counter.setGate(9, true)
    expect(trace(counter, 9, 11)).toBe('-__')
    counter.setGate(11, false)
    counter.setGate(11, true)
    expect(trace(counter, 11, 16)).toBe('____--')
  })

  it('a new count waits for the next trigger', () => {
    const counter = programmed(1, 2, false)
    counter.setGate(0, true)
    expect(trace(counter, 0, 1)).toBe('-_')
    counter.write(1, 4)
    expect(trace(counter, 2, 5)).toBe('_---')
    counter.setGate(5, false)
    counter.setGate(5, true)
    expect(trace(counter, 5, 10)).toBe('-____-')
  })
})

describe('8254 mode 2, rate generator (figure 17)', () => {
  it('is low for the last pulse of each cycle', () => {
    const counter = programmed(2, 3)
    expect(trace(counter, 0, 10)).toBe('---_--_--_-')
    expect([11, 12, 13].map((t) => liveCount(counter, t))).toEqual([2, 1, 3])
  })

  it('takes a new count at the end of the current cycle', () => {
    const counter = programmed(2, 4)
    counter.advance(2)
    counter.write(2, 5)
    expect(trace(counter, 2, 14)).toBe('--_----_----_')
  })

  it('GATE low sets OUT high at once; a trigger starts a new cycle', () => {
    const counter = programmed(2, 3)
    expect(trace(counter, 0, 3)).toBe('---_')
    counter.setGate(3, false)
    expect(trace(counter, 3, 6)).toBe('----')
    counter.setGate(6, true)
    expect(trace(counter, 6, 11)).toBe('---_--')
  })
})

describe('8254 mode 3, square wave (figure 18)', () => {
  it('even counts: half high, half low, counting by two', () => {
    const counter = programmed(3, 4)
    expect(trace(counter, 0, 12)).toBe('---__--__--__')
    expect([13, 14, 15, 16].map((t) => liveCount(counter, t))).toEqual([4, 2, 4, 2])
  })

  it('odd counts: high for (N + 1) / 2, low for (N - 1) / 2', () => {
    const counter = programmed(3, 5)
    expect(trace(counter, 0, 11)).toBe('----__---__-')
    expect([11, 12, 13, 14, 15].map((t) => liveCount(counter, t))).toEqual([4, 2, 0, 4, 2])
  })

  it('takes a new count at the end of the half cycle', () => {
    const counter = programmed(3, 8)
    counter.advance(2)
    counter.write(2, 4)
    expect(trace(counter, 2, 12)).toBe('---__--__--')
  })
})

describe('8254 modes 4 and 5, strobes (figures 19 and 20)', () => {
  it('mode 4: one low pulse N + 1 pulses after the count, once', () => {
    const counter = programmed(4, 3)
    expect(trace(counter, 0, 9)).toBe('----_-----')
    counter.write(9, 2)
    expect(trace(counter, 9, 14)).toBe('---_--')
  })

  it('mode 5: the same after a trigger', () => {
    const counter = programmed(5, 3, false)
    expect(trace(counter, 0, 5)).toBe('------')
    counter.setGate(5, true)
    expect(trace(counter, 5, 11)).toBe('----_--')
  })
})

describe('8254 counts', () => {
  it('0 means 65,536, or 10,000 in BCD', () => {
    const binary = new PitCounter(true)
    binary.program(0, 3, 2, false)
    binary.write(0, 0)
    binary.write(0, 0)
    expect(binary.nextChange(1)).toBe(1 + 65_535)
    const bcd = new PitCounter(true)
    bcd.program(0, 3, 2, true)
    bcd.write(0, 0)
    bcd.write(0, 0)
    expect(bcd.nextChange(1)).toBe(1 + 9999)
    expect([bcd.read(2), bcd.read(2)]).toEqual([0x99, 0x99])
  })

  it('BCD counts read as decimal digits', () => {
    const counter = new PitCounter(true)
    counter.program(0, 3, 0, true)
    counter.write(0, 0x00)
    counter.write(0, 0x12)
    expect([counter.read(2), counter.read(2)]).toEqual([0x99, 0x11])
  })

  it('agrees with a pulse-by-pulse count after a long time', () => {
    for (const mode of [2, 3]) {
      const near = programmed(mode, 7)
      const far = programmed(mode, 7)
      for (let t = 0; t < 7 * 1000; t++) near.advance(t)
      expect(trace(near, 7000, 7030)).toBe(trace(far, 7000, 7030))
    }
  })

  it('nextChange names every change of OUT and nothing else but loads', () => {
    for (const mode of [0, 1, 2, 3, 4, 5])
      for (const count of [2, 3, 6, 7]) {
        const walker = programmed(mode, count)
        const stepper = programmed(mode, count)
        const changes: number[] = []
        for (let t = walker.nextChange(0); t < 60; t = walker.nextChange(t)) changes.push(t)
        let level = stepper.output(0)
        for (let t = 1; t < 60; t++) {
          if (stepper.output(t) === level) continue
          level = !level
          expect(changes, `mode ${mode} count ${count}`).toContain(t)
        }
      }
  })
})

function setUp(): {
  clock: Clock
  pit: Pit8254
  edges: [number, boolean][]
  out: (port: number, value: number) => void
  to: (pulses: number) => void
} {
  const clock = new Clock()
  const edges: [number, boolean][] = []
  let level = false
  const pit = new Pit8254(clock, (high) => {
    if (high !== level) edges.push([pitPulsesAt(clock.nowNs), high])
    level = high
  })
  const to = (pulses: number): void => {
    while (clock.nextDueNs <= pitNsOf(pulses)) {
      clock.advance(clock.nextDueNs - clock.nowNs)
      clock.runDue()
    }
    clock.advance(pitNsOf(pulses) - clock.nowNs)
  }
  return { clock, pit, edges, out: (port, value) => pit.writePort(port, 1, value), to }
}

describe('8254 on the board', () => {
  it('converts between pulses and nanoseconds without drift: 1,193,181.8 Hz', () => {
    expect(pitNsOf(21)).toBe(17_600)
    for (const pulses of [0, 1, 2, 20, 21, 22, 1_193_182, 2 ** 40]) {
      expect(pitPulsesAt(pitNsOf(pulses))).toBe(pulses)
      if (pulses > 0) expect(pitPulsesAt(pitNsOf(pulses) - 1)).toBe(pulses - 1)
    }
  })

  it('counter 0 drives IRQ 0 in time', () => {
    const { edges, out, to } = setUp()
    out(0x43, 0x34)
    out(0x40, 1000 & 0xff)
    out(0x40, 1000 >> 8)
    to(3500)
    expect(edges).toEqual([
      [0, true],
      [1000, false],
      [1001, true],
      [2000, false],
      [2001, true],
      [3000, false],
      [3001, true],
    ])
  })

  it('mode 0 interrupts once', () => {
    const { edges, out, to, clock } = setUp()
    out(0x43, 0x30)
    out(0x40, 50)
    out(0x40, 0)
    to(5000)
    expect(edges).toEqual([[51, true]])
    expect(clock.nextDueNs).toBe(Infinity)
  })

  it('loses no edge when a charge takes the clock past some before the guest looks', () => {
    const { clock, pit, edges, out } = setUp()
    out(0x43, 0x34)
    out(0x40, 100)
    out(0x40, 0)
    clock.advance(pitNsOf(250))
    pit.readPort(0x40)
    expect(edges.map(([, high]) => high)).toEqual([true, false, true, false, true])
    clock.runDue()
    expect(edges).toHaveLength(5)
  })

  it('reads LSB and MSB in turn, latched counts do not move (counter latch command)', () => {
    const { pit, out, to } = setUp()
    out(0x43, 0x34)
    out(0x40, 0x34)
    out(0x40, 0x12)
    to(5)
    out(0x43, 0x00)
    to(50)
    out(0x43, 0x00)
    expect([pit.readPort(0x40), pit.readPort(0x40)]).toEqual([0x30, 0x12])
    expect([pit.readPort(0x40), pit.readPort(0x40)]).toEqual([0x03, 0x12])
  })

  it('read-back gives status, then count, of the counters selected (figures 10 and 11)', () => {
    const { pit, out, to } = setUp()
    out(0x43, 0x36)
    out(0x43, 0xe2)
    expect(pit.readPort(0x40)).toBe(0xf6)
    out(0x40, 0x10)
    out(0x40, 0x00)
    to(2)
    out(0x43, 0xc2)
    to(7)
    expect(pit.readPort(0x40)).toBe(0xb6)
    expect([pit.readPort(0x40), pit.readPort(0x40)]).toEqual([0x0e, 0])
    expect(pit.readPort(0x43)).toBe(0xff)
  })

  it('sets NULL COUNT from the write of a count to its loading', () => {
    const { pit, out, to } = setUp()
    const nullCount = (): boolean => {
      out(0x43, 0xe2)
      return (pit.readPort(0x40) & 0x40) !== 0
    }
    out(0x43, 0x14)
    out(0x40, 10)
    expect(nullCount()).toBe(true)
    to(1)
    expect(nullCount()).toBe(false)
    out(0x40, 20)
    to(10)
    expect(nullCount()).toBe(true)
    to(11)
    expect(nullCount()).toBe(false)
  })

  it('counter 2 counts while its gate is high', () => {
    const { pit, out, to } = setUp()
    out(0x43, 0xb0)
    out(0x42, 20)
    out(0x42, 0)
    to(100)
    expect(pit.output(2)).toBe(false)
    pit.setGate(2, true)
    to(119)
    expect(pit.output(2)).toBe(false)
    to(120)
    expect(pit.output(2)).toBe(true)
  })
})
