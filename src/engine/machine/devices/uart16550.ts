/**
 * National Semiconductor PC16550D universal asynchronous receiver/transmitter with FIFOs, and the terminal on its line.
 *
 * Source: PC16550D data sheet, TL/C/8652, June 1995 ("the sheet"); IBM PC/AT Technical Reference for the gate that OUT2
 * puts between INTR and the bus.
 *
 * Where the line differs from copper:
 * - A character leaves at the instant it is written, so LSR always says that the transmitter is empty and a kernel that polls
 *   never waits. The THRE interrupt comes as an event, before the next instruction.
 * - Characters from outside arrive one a character time, at the programmed rate. The terminal waits while the receiver is full
 *   and sends again what a FIFO reset threw away before it was read: input is never lost.
 */
import type { PortDevice } from '../bus.ts'
import type { Clock, Timer } from '../clock.ts'

/** Register offsets (the sheet, table I). With LCR.DLAB the first two are the divisor latch. */
const Register = { RBR_THR_DLL: 0, IER_DLM: 1, IIR_FCR: 2, LCR: 3, MCR: 4, LSR: 5, MSR: 6, SCR: 7 } as const

const Ier = { ERBFI: 1 << 0, ETBEI: 1 << 1, ELSI: 1 << 2, EDSSI: 1 << 3, MASK: 0x0f } as const
/** The sheet, table IV: the highest pending one is what IIR reads. */
const Iir = {
  NONE: 0x01,
  LINE_STATUS: 0x06,
  DATA_AVAILABLE: 0x04,
  TIMEOUT: 0x0c,
  THR_EMPTY: 0x02,
  MODEM_STATUS: 0x00,
  FIFOS_ENABLED: 0xc0,
} as const
const Fcr = { ENABLE: 1 << 0, RCVR_RESET: 1 << 1, DMA_MODE: 1 << 3, TRIGGER_SHIFT: 6 } as const
const TRIGGER_LEVELS = [1, 4, 8, 14] as const
const Lcr = { WLS: 0x03, STB: 1 << 2, PEN: 1 << 3, BREAK: 1 << 6, DLAB: 1 << 7 } as const
const Mcr = { DTR: 1 << 0, RTS: 1 << 1, OUT1: 1 << 2, OUT2: 1 << 3, LOOP: 1 << 4, MASK: 0x1f } as const
const Lsr = { DR: 1 << 0, OE: 1 << 1, BI: 1 << 4, THRE: 1 << 5, TEMT: 1 << 6, FIFO_ERROR: 1 << 7 } as const
const LSR_ERRORS = Lsr.OE | Lsr.BI
const Msr = { DCTS: 1 << 0, DDSR: 1 << 1, TERI: 1 << 2, DDCD: 1 << 3, CTS: 1 << 4, DSR: 1 << 5, RI: 1 << 6, DCD: 1 << 7 } as const
/** What a terminal that is switched on asserts. */
const MSR_TERMINAL = Msr.CTS | Msr.DSR | Msr.DCD

const FIFO_DEPTH = 16
/** Character times without traffic after which the receiver FIFO reports what it has. */
const TIMEOUT_CHARACTERS = 4
/** BAUDOUT is the 1.8432 MHz crystal divided by the latch, 16 clocks a bit: a bit lasts divisor × 78,125 / 9 ns. */
const BIT_NS_NUMERATOR = 78_125
const BIT_NS_DENOMINATOR = 9
/** 9600 baud, 8N1: how PC firmware leaves the port. */
const DIVISOR_FIRMWARE = 12
const LCR_FIRMWARE = 0x03

/** One received character and the error bits of LSR that came with it. */
interface Received {
  byte: number
  errors: number
  /** It came from outside rather than through the loop. */
  external: boolean
}

/** Bytes waiting outside, in chunks so that a long paste is not copied for every character. */
class OutsideQueue {
  #chunks: Uint8Array[] = []
  #offset = 0
  length = 0

  push(bytes: Uint8Array): void {
    if (bytes.length === 0) return
    this.#chunks.push(bytes.slice())
    this.length += bytes.length
  }
  unshift(bytes: Uint8Array): void {
    if (bytes.length === 0) return
    const rest = this.#chunks.length > 0 ? [this.#chunks[0].subarray(this.#offset), ...this.#chunks.slice(1)] : []
    this.#chunks = [bytes, ...rest]
    this.#offset = 0
    this.length += bytes.length
  }
  shift(): number {
    const byte = this.#chunks[0][this.#offset++]
    if (this.#offset === this.#chunks[0].length) {
      this.#chunks.shift()
      this.#offset = 0
    }
    this.length--
    return byte
  }
}

export class Uart16550 implements PortDevice {
  readonly name = '16550 UART'
  readonly widthMax = 1
  /** Called with every character that leaves, at the instant it is written to THR. */
  onTransmit: (byte: number) => void = () => {}

  #ier = 0
  #fcr = 0
  #lcr: number = LCR_FIRMWARE
  #mcr = 0
  #msrDeltas = 0
  #scr = 0
  #divisor = DIVISOR_FIRMWARE
  /** RCVR FIFO; with FIFOs disabled, RBR is a FIFO of one. */
  #received: Received[] = []
  #overrun = false
  #thrEmptyPending = false
  #timeoutPending = false
  #irq = false

  readonly #outside = new OutsideQueue()
  readonly #clock: Clock
  readonly #setIrq: (high: boolean) => void
  readonly #arrival: Timer
  readonly #timeout: Timer
  readonly #thrEmpty: Timer

  constructor(clock: Clock, setIrq: (high: boolean) => void) {
    this.#clock = clock
    this.#setIrq = setIrq
    this.#arrival = clock.timer('UART character', (dueNs) => this.#arrive(dueNs))
    this.#timeout = clock.timer('UART receiver timeout', () => {
      this.#timeoutPending = true
      this.#update()
    })
    this.#thrEmpty = clock.timer('UART THR empty', () => {
      this.#thrEmptyPending = true
      this.#update()
    })
  }

  /** Bytes from outside that wait for the line. */
  get waiting(): number {
    return this.#outside.length
  }

  /** Types bytes into the machine. They queue without bound and arrive one a character time from now. */
  receive(bytes: Uint8Array): void {
    this.#outside.push(bytes)
    this.#send()
  }

  /** Nanoseconds that one character takes: start bit, data, parity, stop bits (the sheet, section 8.1). */
  get characterNs(): number {
    const dataBits = 5 + (this.#lcr & Lcr.WLS)
    const parityBits = (this.#lcr & Lcr.PEN) !== 0 ? 1 : 0
    const stopBits = (this.#lcr & Lcr.STB) === 0 ? 1 : dataBits === 5 ? 1.5 : 2
    const bits = 1 + dataBits + parityBits + stopBits
    // The sheet does not define divisor 0; the counter then divides by 1.
    return Math.ceil((bits * Math.max(this.#divisor, 1) * BIT_NS_NUMERATOR) / BIT_NS_DENOMINATOR)
  }

  readPort(port: number): number {
    switch (port & 7) {
      case Register.RBR_THR_DLL:
        return this.#dlab ? this.#divisor & 0xff : this.#readRbr()
      case Register.IER_DLM:
        return this.#dlab ? this.#divisor >> 8 : this.#ier
      case Register.IIR_FCR:
        return this.#readIir()
      case Register.LCR:
        return this.#lcr
      case Register.MCR:
        return this.#mcr
      case Register.LSR:
        return this.#readLsr()
      case Register.MSR:
        return this.#readMsr()
      default:
        return this.#scr
    }
  }

  writePort(port: number, _size: number, value: number): void {
    switch (port & 7) {
      case Register.RBR_THR_DLL:
        if (this.#dlab) this.#divisor = (this.#divisor & 0xff00) | value
        else this.#writeThr(value)
        return
      case Register.IER_DLM:
        if (this.#dlab) this.#divisor = (this.#divisor & 0xff) | (value << 8)
        else this.#writeIer(value & Ier.MASK)
        return
      case Register.IIR_FCR:
        return this.#writeFcr(value)
      case Register.LCR:
        return this.#writeLcr(value)
      case Register.MCR:
        return this.#writeMcr(value & Mcr.MASK)
      case Register.LSR:
      case Register.MSR:
        // Factory test only (the sheet, section 8.4); MSR's deltas are not writable either.
        return
      default:
        this.#scr = value
    }
  }

  get #dlab(): boolean {
    return (this.#lcr & Lcr.DLAB) !== 0
  }
  get #fifos(): boolean {
    return (this.#fcr & Fcr.ENABLE) !== 0
  }
  get #loop(): boolean {
    return (this.#mcr & Mcr.LOOP) !== 0
  }
  get #depth(): number {
    return this.#fifos ? FIFO_DEPTH : 1
  }
  get #wordMask(): number {
    return 0xff >> (3 - (this.#lcr & Lcr.WLS))
  }

  #readRbr(): number {
    const first = this.#received.shift()
    this.#timeoutPending = false
    this.#restartTimeout()
    this.#send()
    this.#update()
    return first === undefined ? 0 : first.byte
  }

  #writeThr(value: number): void {
    const byte = value & this.#wordMask
    this.#thrEmptyPending = false
    this.#update()
    if (this.#loop) this.#take({ byte, errors: 0, external: false })
    else if ((this.#lcr & Lcr.BREAK) === 0) this.onTransmit(byte)
    if ((this.#ier & Ier.ETBEI) !== 0) this.#thrEmpty.arm(this.#clock.nowNs)
    else this.#thrEmptyPending = true
  }

  #writeIer(value: number): void {
    // Enabling the interrupt while THR is empty, which it always is, raises it.
    if ((value & Ier.ETBEI) !== 0 && (this.#ier & Ier.ETBEI) === 0) this.#thrEmptyPending = true
    this.#ier = value
    this.#update()
  }

  #writeFcr(value: number): void {
    // Bit 0 must be 1 while other bits are written, or they are not programmed; a change of it clears the FIFOs.
    const enabledNow = (value & Fcr.ENABLE) !== 0
    if (enabledNow !== this.#fifos || (enabledNow && (value & Fcr.RCVR_RESET) !== 0)) this.#clearReceiver()
    this.#fcr = enabledNow ? value & (Fcr.ENABLE | Fcr.DMA_MODE | (3 << Fcr.TRIGGER_SHIFT)) : 0
    this.#update()
  }

  #clearReceiver(): void {
    const unread = this.#received.filter((received) => received.external).map((received) => received.byte)
    this.#received = []
    this.#timeoutPending = false
    this.#timeout.disarm()
    this.#outside.unshift(Uint8Array.from(unread))
    this.#arrival.disarm()
    this.#send()
  }

  #writeLcr(value: number): void {
    const breaks = (value & Lcr.BREAK) !== 0 && (this.#lcr & Lcr.BREAK) === 0
    this.#lcr = value
    if (breaks && this.#loop) this.#take({ byte: 0, errors: Lsr.BI, external: false })
  }

  #writeMcr(value: number): void {
    const before = this.#modemLines
    this.#mcr = value
    const after = this.#modemLines
    const changed = before ^ after
    if ((changed & Msr.CTS) !== 0) this.#msrDeltas |= Msr.DCTS
    if ((changed & Msr.DSR) !== 0) this.#msrDeltas |= Msr.DDSR
    if ((changed & Msr.DCD) !== 0) this.#msrDeltas |= Msr.DDCD
    if ((before & Msr.RI) !== 0 && (after & Msr.RI) === 0) this.#msrDeltas |= Msr.TERI
    this.#send()
    this.#update()
  }

  /** CTS, DSR, RI, DCD: the terminal's, or in the loop RTS, DTR, OUT1 and OUT2 (the sheet, section 8.6.6). */
  get #modemLines(): number {
    if (!this.#loop) return MSR_TERMINAL
    return (
      ((this.#mcr & Mcr.RTS) !== 0 ? Msr.CTS : 0) |
      ((this.#mcr & Mcr.DTR) !== 0 ? Msr.DSR : 0) |
      ((this.#mcr & Mcr.OUT1) !== 0 ? Msr.RI : 0) |
      ((this.#mcr & Mcr.OUT2) !== 0 ? Msr.DCD : 0)
    )
  }

  #readLsr(): number {
    const head = this.#received.length > 0 ? this.#received[0] : undefined
    const value =
      Lsr.THRE |
      Lsr.TEMT |
      (head !== undefined ? Lsr.DR | head.errors : 0) |
      (this.#overrun ? Lsr.OE : 0) |
      (this.#fifos && this.#received.some((received) => received.errors !== 0) ? Lsr.FIFO_ERROR : 0)
    this.#overrun = false
    if (head !== undefined) head.errors = 0
    this.#update()
    return value
  }

  #readMsr(): number {
    const value = this.#modemLines | this.#msrDeltas
    this.#msrDeltas = 0
    this.#update()
    return value
  }

  #readIir(): number {
    const source = this.#source
    if (source === Iir.THR_EMPTY) {
      this.#thrEmptyPending = false
      this.#update()
    }
    return source | (this.#fifos ? Iir.FIFOS_ENABLED : 0)
  }

  /** The highest pending and enabled interrupt. */
  get #source(): number {
    if ((this.#ier & Ier.ELSI) !== 0 && (this.#overrun || (this.#received.length > 0 && (this.#received[0].errors & LSR_ERRORS) !== 0)))
      return Iir.LINE_STATUS
    if ((this.#ier & Ier.ERBFI) !== 0) {
      const trigger = this.#fifos ? TRIGGER_LEVELS[this.#fcr >> Fcr.TRIGGER_SHIFT] : 1
      if (this.#received.length >= trigger) return Iir.DATA_AVAILABLE
      if (this.#timeoutPending) return Iir.TIMEOUT
    }
    if ((this.#ier & Ier.ETBEI) !== 0 && this.#thrEmptyPending) return Iir.THR_EMPTY
    if ((this.#ier & Ier.EDSSI) !== 0 && this.#msrDeltas !== 0) return Iir.MODEM_STATUS
    return Iir.NONE
  }

  /** INTR reaches the bus only through OUT2, which the loop forces inactive. */
  #update(): void {
    const irq = this.#source !== Iir.NONE && (this.#mcr & Mcr.OUT2) !== 0 && !this.#loop
    if (irq === this.#irq) return
    this.#irq = irq
    this.#setIrq(irq)
  }

  /** A character comes out of the receiver shift register. */
  #take(received: Received): void {
    if (this.#received.length < this.#depth) this.#received.push(received)
    else {
      this.#overrun = true
      // Without FIFOs the new character destroys the one in RBR; with them it is the new one that is lost (the sheet, LSR bit 1).
      if (!this.#fifos) this.#received[0] = received
    }
    this.#restartTimeout()
    this.#update()
  }

  #restartTimeout(): void {
    if (this.#fifos && this.#received.length > 0) this.#timeout.arm(this.#clock.nowNs + TIMEOUT_CHARACTERS * this.characterNs)
    else this.#timeout.disarm()
  }

  /** The terminal starts on its next character if it has one and the receiver has room for it. */
  #send(): void {
    if (this.#arrival.armed || this.#outside.length === 0 || this.#loop || this.#received.length >= this.#depth) return
    this.#arrival.arm(this.#clock.nowNs + this.characterNs)
  }

  #arrive(dueNs: number): void {
    // While it was on its way the guest may have closed the loop or filled the receiver through it: the terminal waits.
    if (this.#loop || this.#outside.length === 0 || this.#received.length >= this.#depth) return
    this.#take({ byte: this.#outside.shift() & this.#wordMask, errors: 0, external: true })
    if (this.#outside.length > 0 && this.#received.length < this.#depth) this.#arrival.arm(dueNs + this.characterNs)
  }
}
