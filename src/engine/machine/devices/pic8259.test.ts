import { describe, expect, it } from 'vitest'
import { Pic8259Pair } from './pic8259.ts'

const MASTER = 0x20
const SLAVE = 0xa0
const EOI = 0x20

/** The pair as a kernel sets it up: vectors 0x20 and 0x28, everything unmasked. */
function setUp(icw4Master = 0x01, icw4Slave = 0x01): { pic: Pic8259Pair; out: (port: number, value: number) => void; warnings: string[] } {
  const warnings: string[] = []
  const pic = new Pic8259Pair((message) => warnings.push(message))
  const out = (port: number, value: number): void => pic.writePort(port, 1, value)
  for (const [port, value] of [
    [MASTER, 0x11],
    [MASTER + 1, 0x20],
    [MASTER + 1, 0x04],
    [MASTER + 1, icw4Master],
  ])
    out(port, value)
  for (const [port, value] of [
    [SLAVE, 0x11],
    [SLAVE + 1, 0x28],
    [SLAVE + 1, 0x02],
    [SLAVE + 1, icw4Slave],
  ])
    out(port, value)
  return { pic, out, warnings }
}

function readIsr(pic: Pic8259Pair, port: number): number {
  pic.writePort(port, 1, 0x0b)
  return pic.readPort(port)
}
function readIrr(pic: Pic8259Pair, port: number): number {
  pic.writePort(port, 1, 0x0a)
  return pic.readPort(port)
}
function pulse(pic: Pic8259Pair, irq: number): void {
  pic.setIrq(irq, false)
  pic.setIrq(irq, true)
}

describe('8259A initialisation (data sheet, "Initialization command words")', () => {
  it('takes ICW1 to ICW4 in order, then OCW1', () => {
    const { pic, out, warnings } = setUp()
    out(MASTER + 1, 0xfb)
    expect(pic.readPort(MASTER + 1)).toBe(0xfb)
    expect(pic.master.vectorBase).toBe(0x20)
    expect(pic.slave.vectorBase).toBe(0x28)
    expect(warnings).toEqual([])
  })

  it('skips ICW3 with SNGL and ICW4 without IC4, which it names', () => {
    const { pic, out, warnings } = setUp()
    out(MASTER, 0x12)
    out(MASTER + 1, 0x47)
    out(MASTER + 1, 0xaa)
    expect(pic.master.vectorBase).toBe(0x40)
    expect(pic.master.imr).toBe(0xaa)
    expect(warnings).toEqual(['8259 PIC master: ICW1 0x12 asks for MCS-80/85 mode (IC4 = 0); vectors are given as in 8086 mode'])
  })

  it('ICW1 clears masks, requests and service, and wants a new edge from a line that is high', () => {
    const { pic, out } = setUp()
    out(MASTER + 1, 0xff)
    pic.setIrq(3, true)
    for (const [port, value] of [
      [MASTER, 0x11],
      [MASTER + 1, 0x20],
      [MASTER + 1, 0x04],
      [MASTER + 1, 0x01],
    ])
      out(port, value)
    expect(pic.readPort(MASTER + 1)).toBe(0)
    expect(pic.interruptPending).toBe(false)
    pulse(pic, 3)
    expect(pic.acknowledge()).toBe(0x23)
  })

  it('asks for nothing until the sequence is complete', () => {
    const { pic, out } = setUp()
    out(MASTER, 0x11)
    out(MASTER + 1, 0x20)
    pic.setIrq(1, true)
    expect(pic.interruptPending).toBe(false)
    out(MASTER + 1, 0x04)
    out(MASTER + 1, 0x01)
    expect(pic.acknowledge()).toBe(0x21)
  })

  it('names a cascade that the board does not have', () => {
    const { out, warnings } = setUp()
    for (const [port, value] of [
      [MASTER, 0x11],
      [MASTER + 1, 0x20],
      [MASTER + 1, 0x02],
      [MASTER + 1, 0x01],
    ])
      out(port, value)
    expect(warnings).toEqual(["8259 PIC master: ICW3 is 0x2 but the board's cascade needs 0x4"])
  })
})

describe('8259A fully nested mode', () => {
  it('serves the lowest number first and lets only higher priorities interrupt a service', () => {
    const { pic, out } = setUp()
    pic.setIrq(5, true)
    pic.setIrq(3, true)
    expect(readIrr(pic, MASTER)).toBe(0x28)
    expect(pic.acknowledge()).toBe(0x23)
    expect(pic.interruptPending).toBe(false)
    pic.setIrq(1, true)
    expect(pic.acknowledge()).toBe(0x21)
    expect(readIsr(pic, MASTER)).toBe(0x0a)
    out(MASTER, EOI)
    expect(readIsr(pic, MASTER)).toBe(0x08)
    expect(pic.interruptPending).toBe(false)
    out(MASTER, EOI)
    expect(pic.acknowledge()).toBe(0x25)
  })

  it('holds masked requests back without losing them', () => {
    const { pic, out } = setUp()
    out(MASTER + 1, 0x10)
    pic.setIrq(4, true)
    expect(pic.interruptPending).toBe(false)
    out(MASTER + 1, 0)
    expect(pic.acknowledge()).toBe(0x24)
  })

  it('edge-triggered: one interrupt an edge, however long the line stays high', () => {
    const { pic, out } = setUp()
    pic.setIrq(4, true)
    pic.acknowledge()
    out(MASTER, EOI)
    pic.setIrq(4, true)
    expect(pic.interruptPending).toBe(false)
    pulse(pic, 4)
    expect(pic.interruptPending).toBe(true)
  })

  it('level-triggered by ELCR: requests again while the line is high', () => {
    const { pic, out } = setUp()
    out(0x4d0, 0xff)
    out(0x4d1, 0xff)
    expect([pic.readPort(0x4d0), pic.readPort(0x4d1)]).toEqual([0xf8, 0xde])
    pic.setIrq(4, true)
    expect(pic.acknowledge()).toBe(0x24)
    out(MASTER, EOI)
    expect(pic.acknowledge()).toBe(0x24)
    pic.setIrq(4, false)
    out(MASTER, EOI)
    expect(pic.interruptPending).toBe(false)
  })

  it('gives IR7 without service when the request goes away before INTA', () => {
    const { pic } = setUp()
    pic.setIrq(3, true)
    pic.setIrq(3, false)
    expect(pic.interruptPending).toBe(false)
    expect(pic.acknowledge()).toBe(0x27)
    expect(readIsr(pic, MASTER)).toBe(0)
  })
})

describe('8259A end of interrupt and rotation (data sheet, figure "OCW2")', () => {
  function inService(...irqs: number[]) {
    const all = setUp()
    for (const irq of [...irqs].sort((a, b) => b - a)) {
      all.pic.setIrq(irq, true)
      all.pic.acknowledge()
    }
    return all
  }

  it('specific EOI ends the level it names', () => {
    const { pic, out } = inService(1, 4)
    out(MASTER, 0x64)
    expect(readIsr(pic, MASTER)).toBe(0x02)
  })

  it('rotate on non-specific EOI puts the ended level last', () => {
    const { pic, out } = inService(4)
    out(MASTER, 0xa0)
    pic.setIrq(0, true)
    pulse(pic, 4)
    pic.setIrq(5, true)
    expect([pic.acknowledge(), readIsr(pic, MASTER)]).toEqual([0x25, 0x20])
    out(MASTER, 0x65)
    expect(pic.acknowledge()).toBe(0x20)
    out(MASTER, 0x60)
    expect(pic.acknowledge()).toBe(0x24)
  })

  it('rotate on specific EOI and set priority', () => {
    const { pic, out } = inService(3)
    out(MASTER, 0xe3)
    pulse(pic, 3)
    pic.setIrq(4, true)
    expect(pic.acknowledge()).toBe(0x24)
    out(MASTER, EOI)
    out(MASTER, 0xc2)
    pulse(pic, 4)
    expect(pic.acknowledge()).toBe(0x23)
  })

  it('automatic EOI leaves nothing in service, and rotates when told to', () => {
    const { pic, out } = setUp(0x03)
    pic.setIrq(3, true)
    expect(pic.acknowledge()).toBe(0x23)
    expect(readIsr(pic, MASTER)).toBe(0)
    out(MASTER, 0x80)
    pulse(pic, 3)
    expect(pic.acknowledge()).toBe(0x23)
    pulse(pic, 3)
    pic.setIrq(6, true)
    expect(pic.acknowledge()).toBe(0x26)
    out(MASTER, 0x00)
    expect(pic.acknowledge()).toBe(0x23)
  })
})

describe('8259A OCW3', () => {
  it('poll acknowledges and says which level', () => {
    const { pic, out } = setUp()
    out(MASTER, 0x0c)
    expect(pic.readPort(MASTER)).toBe(0)
    pic.setIrq(6, true)
    out(MASTER, 0x0c)
    expect(pic.readPort(MASTER)).toBe(0x86)
    expect(readIsr(pic, MASTER)).toBe(0x40)
  })

  it('special mask mode lets lower levels through while a masked level is in service', () => {
    const { pic, out } = setUp()
    pic.setIrq(1, true)
    pic.acknowledge()
    pic.setIrq(6, true)
    expect(pic.interruptPending).toBe(false)
    out(MASTER + 1, 0x02)
    out(MASTER, 0x68)
    expect(pic.acknowledge()).toBe(0x26)
    out(MASTER, EOI)
    expect(readIsr(pic, MASTER)).toBe(0x02)
    out(MASTER, EOI)
    expect(readIsr(pic, MASTER)).toBe(0x02)
    out(MASTER, 0x48)
    out(MASTER, EOI)
    expect(readIsr(pic, MASTER)).toBe(0)
  })
})

describe('8259A cascade', () => {
  it('a slave request goes through IR2 and takes both into service', () => {
    const { pic, out } = setUp()
    pic.setIrq(8, true)
    expect(readIrr(pic, MASTER)).toBe(0x04)
    expect(pic.acknowledge()).toBe(0x28)
    expect([readIsr(pic, MASTER), readIsr(pic, SLAVE)]).toEqual([0x04, 0x01])
    out(SLAVE, EOI)
    out(MASTER, EOI)
    expect(pic.interruptPending).toBe(false)
  })

  it('slave lines come between IRQ 1 and IRQ 3', () => {
    const { pic } = setUp()
    for (const irq of [3, 14, 1]) pic.setIrq(irq, true)
    expect(pic.acknowledge()).toBe(0x21)
    pic.writePort(MASTER, 1, EOI)
    expect(pic.acknowledge()).toBe(0x2e)
    pic.writePort(SLAVE, 1, EOI)
    pic.writePort(MASTER, 1, EOI)
    expect(pic.acknowledge()).toBe(0x23)
  })

  it('a second slave request waits for both EOIs, and is not lost', () => {
    const { pic, out } = setUp()
    pic.setIrq(10, true)
    expect(pic.acknowledge()).toBe(0x2a)
    pic.setIrq(9, true)
    expect(pic.interruptPending).toBe(false)
    out(SLAVE, EOI)
    expect(pic.interruptPending).toBe(false)
    out(MASTER, EOI)
    expect(pic.acknowledge()).toBe(0x29)
  })

  it('special fully nested mode lets a higher slave level through at once', () => {
    const { pic } = setUp(0x11)
    pic.setIrq(10, true)
    expect(pic.acknowledge()).toBe(0x2a)
    pic.setIrq(9, true)
    expect(pic.acknowledge()).toBe(0x29)
    expect(readIsr(pic, SLAVE)).toBe(0x06)
  })

  it('masking IR2 silences the slave', () => {
    const { pic, out } = setUp()
    out(MASTER + 1, 0x04)
    pic.setIrq(12, true)
    expect(pic.interruptPending).toBe(false)
    out(MASTER + 1, 0xff)
    expect(pic.unmasked).toBe(false)
    out(MASTER + 1, 0xfb)
    expect(pic.unmasked).toBe(true)
    out(SLAVE + 1, 0xff)
    expect(pic.unmasked).toBe(false)
  })

  it('tells when INTR rises, not while it stays high', () => {
    const { pic } = setUp()
    let rises = 0
    pic.onInterrupt = () => rises++
    pic.setIrq(5, true)
    pic.setIrq(4, true)
    expect(rises).toBe(1)
  })
})
