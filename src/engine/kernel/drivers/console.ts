import { Channel, Wait } from '../process/wait.ts'
import type { LineEvents } from './line-discipline.ts'
import { LineDiscipline } from './line-discipline.ts'
import type { SerialDriver } from './serial.ts'

const LINE_FEED = 0x0a
/** Bytes that one call of write sends before other processes have their turn. */
export const WRITE_BYTES_MAX = 4096

/** The console: serial line and line discipline, shared by the kernel's log and the programs. */
export class Console {
  readonly line: LineDiscipline
  private readonly serial: SerialDriver
  private readonly charge: (bytes: number) => void
  /** The last byte sent ended a line. */
  private atLineStart = true
  private received = 0
  private endsAfter = Infinity

  /** `charge` accounts for the time that sending so many bytes takes. */
  constructor(serial: SerialDriver, charge: (bytes: number) => void, events: Pick<LineEvents, 'readable' | 'interrupt'>) {
    this.serial = serial
    this.charge = charge
    this.line = new LineDiscipline({ echo: (bytes) => this.send(bytes), readable: events.readable, interrupt: events.interrupt })
  }

  /** Takes in what the UART has received, as far as there is room. */
  receive(): void {
    while (this.line.accepts) {
      const byte = this.serial.receive()
      if (byte === null) return
      this.received++
      this.line.input(byte)
      this.checkEnd()
    }
  }

  /** The input ends once so many bytes have arrived in all. */
  endInputAfter(bytes: number): void {
    this.endsAfter = bytes
    this.checkEnd()
  }

  read(length: number): Uint8Array | Wait {
    // Nothing may arrive between the look and the sleep: its wake-up would be lost.
    this.receive()
    const bytes = this.line.read(length)
    if (bytes === null) return new Wait(Channel.CONSOLE_INPUT)
    this.receive()
    return bytes
  }

  /** Sends the first WRITE_BYTES_MAX bytes at most and returns how many it sent. */
  write(bytes: Uint8Array): number {
    const count = Math.min(bytes.length, WRITE_BYTES_MAX)
    this.send(bytes.subarray(0, count))
    return count
  }

  /** A whole line of the kernel's own: begins a new line if a program left one open. */
  writeLine(text: string): void {
    this.send(new TextEncoder().encode(`${this.atLineStart ? '' : '\n'}${text}\n`))
  }

  private checkEnd(): void {
    if (this.received < this.endsAfter) return
    this.endsAfter = Infinity
    this.line.end()
  }

  /** Sends bytes as they are, however many. */
  send(bytes: Uint8Array): void {
    if (bytes.length === 0) return
    this.serial.transmit(bytes)
    this.charge(bytes.length)
    this.atLineStart = bytes[bytes.length - 1] === LINE_FEED
  }
}
