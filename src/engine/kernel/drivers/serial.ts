import type { Ports } from '../machine-port.ts'

/** COM1, a 16550 (PC16550D data sheet). */
export const COM1 = 0x3f8
export const COM1_IRQ = 4

const Register = { DATA: 0, INTERRUPT_ENABLE: 1, FIFO_CONTROL: 2, LINE_CONTROL: 3, MODEM_CONTROL: 4, LINE_STATUS: 5 } as const
const DIVISOR_115200 = 1
const LINE_8N1 = 0x03
const LINE_DLAB = 0x80
const FIFO_ENABLE_CLEAR_TRIGGER_8 = 0x87
const MODEM_DTR_RTS_OUT2 = 0x0b
const INTERRUPT_RECEIVE = 0x01
const STATUS_DATA_READY = 0x01
const STATUS_THR_EMPTY = 0x20
/** Bytes the transmitter FIFO takes once it is empty. */
const FIFO_BYTES = 16
/** Polls of LSR before a transmitter that never empties is written to all the same. */
const POLLS_MAX = 1000

/** The serial driver: transmits by polling, receives by interrupt. */
export class SerialDriver {
  private readonly ports: Ports

  constructor(ports: Ports) {
    this.ports = ports
  }

  /** 115200 baud, 8N1, FIFOs on, receive interrupt on. */
  initialise(): void {
    this.out(Register.INTERRUPT_ENABLE, 0)
    this.out(Register.LINE_CONTROL, LINE_DLAB)
    this.out(Register.DATA, DIVISOR_115200 & 0xff)
    this.out(Register.INTERRUPT_ENABLE, DIVISOR_115200 >> 8)
    this.out(Register.LINE_CONTROL, LINE_8N1)
    this.out(Register.FIFO_CONTROL, FIFO_ENABLE_CLEAR_TRIGGER_8)
    this.out(Register.MODEM_CONTROL, MODEM_DTR_RTS_OUT2)
    this.out(Register.INTERRUPT_ENABLE, INTERRUPT_RECEIVE)
  }

  transmit(bytes: Uint8Array): void {
    for (let index = 0; index < bytes.length; index++) {
      if (index % FIFO_BYTES === 0) this.awaitTransmitter()
      this.out(Register.DATA, bytes[index])
    }
  }

  /** The next received byte, or null when there is none. */
  receive(): number | null {
    return (this.in(Register.LINE_STATUS) & STATUS_DATA_READY) === 0 ? null : this.in(Register.DATA)
  }

  private awaitTransmitter(): void {
    for (let poll = 0; poll < POLLS_MAX && (this.in(Register.LINE_STATUS) & STATUS_THR_EMPTY) === 0; poll++);
  }

  private in(register: number): number {
    return this.ports.in(COM1 + register, 1)
  }
  private out(register: number, value: number): void {
    this.ports.out(COM1 + register, 1, value)
  }
}
