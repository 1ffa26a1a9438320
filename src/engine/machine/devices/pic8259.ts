/**
 * Two Intel 8259A programmable interrupt controllers, cascaded as in the PC/AT: the slave's INT drives the master's IR2.
 *
 * Source: Intel 8259A data sheet, order number 231468-003 ("the sheet"); for edge/level control, Intel 82371SB (PIIX3)
 * data sheet, order number 290550-002, section 2.5.3.
 */
import type { PortDevice } from '../bus.ts'

export const PIC_MASTER_PORT = 0x20
export const PIC_SLAVE_PORT = 0xa0
/** ELCR1 for IRQ 0–7, ELCR2 for IRQ 8–15: a set bit makes the line level-triggered. */
export const PIC_ELCR_PORT = 0x4d0
/** IRQ 0, 1, 2, 8 and 13 are always edge-triggered (PIIX3, 2.5.3). */
const ELCR1_MASK = 0xf8
const ELCR2_MASK = 0xde

/** A0 = 0: ICW1, OCW2, OCW3; reads IRR, ISR or the poll word. A0 = 1: ICW2–4, OCW1 (IMR). */
const A0 = 1

const Icw1 = { IC4: 1 << 0, SNGL: 1 << 1, ADI: 1 << 2, LTIM: 1 << 3, SELECT: 1 << 4 } as const
const ICW2_VECTOR = 0xf8
const Icw4 = { UPM: 1 << 0, AEOI: 1 << 1, MS: 1 << 2, BUF: 1 << 3, SFNM: 1 << 4 } as const
const Ocw3 = { RIS: 1 << 0, RR: 1 << 1, P: 1 << 2, SELECT: 1 << 3, SMM: 1 << 5, ESMM: 1 << 6 } as const
/** OCW2 bits 7–5: R, SL, EOI. */
const Ocw2 = {
  ROTATE_IN_AEOI_CLEAR: 0,
  NON_SPECIFIC_EOI: 1,
  NO_OPERATION: 2,
  SPECIFIC_EOI: 3,
  ROTATE_IN_AEOI_SET: 4,
  ROTATE_ON_NON_SPECIFIC_EOI: 5,
  SET_PRIORITY: 6,
  ROTATE_ON_SPECIFIC_EOI: 7,
} as const
const POLL_I = 0x80

/** The line a controller answers with when nobody requests any more (the sheet, "Edge and level triggered modes"). */
const IR_SPURIOUS = 7
const CASCADE_IR = 2

/** Which initialisation command word comes next. */
type InitState = 'ready' | 'icw2' | 'icw3' | 'icw4'

/** One 8259A. */
export class Pic8259 {
  /** Interrupt mask register. */
  imr = 0
  /** In-service register. */
  isr = 0
  /** ICW2: vector of IR0, a multiple of 8. */
  vectorBase = 0
  /** Levels of IR0–IR7 as they are now. */
  lines = 0
  /** Edge/level control: set bits are level-triggered. */
  elcr = 0

  readonly name: string
  readonly #isMaster: boolean
  readonly #warn: (message: string) => void
  /** The edge-sense latches: requests since the last acknowledge. */
  #latched = 0
  #initState: InitState = 'ready'
  #icw1 = 0
  #icw4 = 0
  /** The line with the lowest priority; the one after it has the highest. */
  #lowest = 7
  #readIsr = false
  #poll = false
  #specialMask = false
  #rotateInAeoi = false

  constructor(name: string, isMaster: boolean, warn: (message: string) => void) {
    this.name = name
    this.#isMaster = isMaster
    this.#warn = warn
  }

  get #level(): number {
    return (this.#icw1 & Icw1.LTIM) !== 0 ? 0xff : this.elcr
  }

  /** Interrupt request register. A line that falls before it is acknowledged takes its request back. */
  get irr(): number {
    return (this.#latched | this.#level) & this.lines
  }

  /** OCW3 with P came last: the next read acknowledges, as INTA does. */
  get polled(): boolean {
    return this.#poll
  }

  setLine(ir: number, high: boolean): void {
    const bit = 1 << ir
    if (high) {
      if ((this.lines & bit) === 0) this.#latched |= bit
      this.lines |= bit
    } else {
      this.#latched &= ~bit
      this.lines &= ~bit
    }
  }

  /** The line whose request INT stands for, or -1 when INT is low. */
  get requesting(): number {
    const requests = this.irr & ~this.imr
    if (requests === 0 || this.#initState !== 'ready') return -1
    let blocking = this.isr
    // Special mask mode: a level in service that is masked holds nobody back.
    if (this.#specialMask) blocking &= ~this.imr
    // Special fully nested mode: a slave in service may interrupt again; the slave itself sorts its levels.
    if ((this.#icw4 & Icw4.SFNM) !== 0 && this.#isMaster) blocking &= ~(1 << CASCADE_IR)
    for (let i = 1; i <= 8; i++) {
      const ir = (this.#lowest + i) & 7
      if ((blocking & (1 << ir)) !== 0) return -1
      if ((requests & (1 << ir)) !== 0) return ir
    }
    return -1
  }

  /** INTA: takes the request into service and gives its line; without one IR7, which does not go into service. */
  acknowledge(): number {
    const ir = this.requesting
    if (ir < 0) return IR_SPURIOUS
    const bit = 1 << ir
    this.#latched &= ~bit
    if ((this.#icw4 & Icw4.AEOI) === 0) this.isr |= bit
    else if (this.#rotateInAeoi) this.#lowest = ir
    return ir
  }

  read(offset: number): number {
    if (this.#poll) {
      this.#poll = false
      return this.requesting < 0 ? 0 : POLL_I | this.acknowledge()
    }
    if (offset === A0) return this.imr
    return this.#readIsr ? this.isr : this.irr
  }

  write(offset: number, value: number): void {
    if (offset === A0) this.#writeA0(value)
    else if ((value & Icw1.SELECT) !== 0) this.#writeIcw1(value)
    else if ((value & Ocw3.SELECT) !== 0) this.#writeOcw3(value)
    else this.#writeOcw2(value)
  }

  /** The sheet, "Initialization command words 1 and 2": what ICW1 resets. */
  #writeIcw1(value: number): void {
    this.#icw1 = value
    this.#icw4 = 0
    this.#latched = 0
    this.imr = 0
    this.isr = 0
    this.#lowest = 7
    this.#specialMask = false
    this.#readIsr = false
    this.#poll = false
    this.#rotateInAeoi = false
    this.#initState = 'icw2'
    if ((value & Icw1.IC4) === 0)
      this.#warn(`${this.name}: ICW1 0x${value.toString(16)} asks for MCS-80/85 mode (IC4 = 0); vectors are given as in 8086 mode`)
  }

  #writeA0(value: number): void {
    switch (this.#initState) {
      case 'icw2':
        this.vectorBase = value & ICW2_VECTOR
        this.#initState = (this.#icw1 & Icw1.SNGL) === 0 ? 'icw3' : this.#afterIcw3()
        return
      case 'icw3': {
        // The cascade is wired, not programmed: the slave sits at IR2 of the master, whatever ICW3 says.
        const wired = this.#isMaster ? 1 << CASCADE_IR : CASCADE_IR
        if (value !== wired)
          this.#warn(`${this.name}: ICW3 is 0x${value.toString(16)} but the board's cascade needs 0x${wired.toString(16)}`)
        this.#initState = this.#afterIcw3()
        return
      }
      case 'icw4':
        this.#icw4 = value
        if ((value & Icw4.UPM) === 0)
          this.#warn(`${this.name}: ICW4 0x${value.toString(16)} asks for MCS-80/85 mode (uPM = 0); vectors are given as in 8086 mode`)
        this.#initState = 'ready'
        return
      case 'ready':
        this.imr = value
    }
  }

  #afterIcw3(): InitState {
    return (this.#icw1 & Icw1.IC4) !== 0 ? 'icw4' : 'ready'
  }

  #writeOcw2(value: number): void {
    const level = value & 7
    switch (value >> 5) {
      case Ocw2.ROTATE_IN_AEOI_CLEAR:
        this.#rotateInAeoi = false
        return
      case Ocw2.ROTATE_IN_AEOI_SET:
        this.#rotateInAeoi = true
        return
      case Ocw2.NON_SPECIFIC_EOI:
        this.#endHighest()
        return
      case Ocw2.ROTATE_ON_NON_SPECIFIC_EOI: {
        const ended = this.#endHighest()
        if (ended >= 0) this.#lowest = ended
        return
      }
      case Ocw2.SPECIFIC_EOI:
        this.isr &= ~(1 << level)
        return
      case Ocw2.ROTATE_ON_SPECIFIC_EOI:
        this.isr &= ~(1 << level)
        this.#lowest = level
        return
      case Ocw2.SET_PRIORITY:
        this.#lowest = level
        return
      case Ocw2.NO_OPERATION:
    }
  }

  /** Non-specific EOI: ends the level in service with the highest priority; in special mask mode not a masked one. */
  #endHighest(): number {
    const candidates = this.#specialMask ? this.isr & ~this.imr : this.isr
    for (let i = 1; i <= 8; i++) {
      const ir = (this.#lowest + i) & 7
      if ((candidates & (1 << ir)) !== 0) {
        this.isr &= ~(1 << ir)
        return ir
      }
    }
    return -1
  }

  #writeOcw3(value: number): void {
    if ((value & Ocw3.P) !== 0) this.#poll = true
    if ((value & Ocw3.RR) !== 0) this.#readIsr = (value & Ocw3.RIS) !== 0
    if ((value & Ocw3.ESMM) !== 0) this.#specialMask = (value & Ocw3.SMM) !== 0
  }
}

/** The pair as the board wires it. */
export class Pic8259Pair implements PortDevice {
  readonly name = '8259 PIC'
  readonly widthMax = 1
  readonly master: Pic8259
  readonly slave: Pic8259
  /** Called when the master's INT changes. */
  onInterrupt: (high: boolean) => void = () => {}
  #intr = false

  constructor(warn: (message: string) => void) {
    this.master = new Pic8259('8259 PIC master', true, warn)
    this.slave = new Pic8259('8259 PIC slave', false, warn)
  }

  /** Drives one of the lines IRQ 0–15. IRQ 2 is the cascade: what the ISA bus calls IRQ 2 arrives at IRQ 9. */
  setIrq(irq: number, high: boolean): void {
    if (irq < 8) this.master.setLine(irq, high)
    else this.slave.setLine(irq - 8, high)
    this.#update()
  }

  /** INTR of the processor. */
  get interruptPending(): boolean {
    return this.#intr
  }

  /** Whether any line could interrupt at all, as far as the masks go. */
  get unmasked(): boolean {
    return (this.master.imr & 0xfb) !== 0xfb || ((this.master.imr & (1 << CASCADE_IR)) === 0 && this.slave.imr !== 0xff)
  }

  /** INTA cycles: the vector. IRQ 7's or IRQ 15's, without a bit in service there, when the request went away. */
  acknowledge(): number {
    const ir = this.master.acknowledge()
    let vector = this.master.vectorBase + ir
    if (ir === CASCADE_IR) {
      vector = this.slave.vectorBase + this.slave.acknowledge()
      // The slave lets go of INT during INTA: should it request again, the master sees a new edge.
      this.master.setLine(CASCADE_IR, false)
    }
    this.#update()
    return vector
  }

  readPort(port: number): number {
    if (port === PIC_ELCR_PORT) return this.master.elcr
    if (port === PIC_ELCR_PORT + 1) return this.slave.elcr
    const chip = this.#chip(port)
    if (!chip.polled) return chip.read(port & A0)
    const value = chip.read(port & A0)
    this.#update()
    return value
  }

  writePort(port: number, _size: number, value: number): void {
    if (port === PIC_ELCR_PORT) this.master.elcr = value & ELCR1_MASK
    else if (port === PIC_ELCR_PORT + 1) this.slave.elcr = value & ELCR2_MASK
    else this.#chip(port).write(port & A0, value)
    this.#update()
  }

  #chip(port: number): Pic8259 {
    return (port & ~A0) === PIC_MASTER_PORT ? this.master : this.slave
  }

  #update(): void {
    this.master.setLine(CASCADE_IR, this.slave.requesting >= 0)
    const intr = this.master.requesting >= 0
    if (intr === this.#intr) return
    this.#intr = intr
    this.onInterrupt(intr)
  }
}
