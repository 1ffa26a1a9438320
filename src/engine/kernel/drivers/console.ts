import { Cost } from '../costs.ts'
import { Channel, Wait } from '../process/wait.ts'
import type { LineEvents } from './line-discipline.ts'
import { LineDiscipline } from './line-discipline.ts'
import type { SerialDriver } from './serial.ts'

const LINE_FEED = 0x0a
/** Bytes that one call of write sends before other processes have their turn. */
export const WRITE_BYTES_MAX = 4096
/** What the line takes in the long run: a byte in so many virtual nanoseconds. Who prints for ever sleeps for most of it. */
export const LINE_BYTE_NS = 1_000
/** What may be sent ahead of that: so that what people read comes at once. */
export const AHEAD_BYTES_MAX = 65_536
const AHEAD_NS_MAX = AHEAD_BYTES_MAX * LINE_BYTE_NS

export interface ConsoleClock {
  readonly nowNs: number
  /** Spends virtual time. */
  charge(ns: number): void
}

/** The console: serial line and line discipline, shared by the kernel's log and the programs. */
export class Console {
  readonly line: LineDiscipline
  private readonly serial: SerialDriver
  private readonly clock: ConsoleClock
  /** The last byte sent ended a line. */
  private atLineStart = true
  private received = 0
  private endsAfter = Infinity
  /** When the line will have taken all that was sent. */
  private takenNs = 0

  constructor(serial: SerialDriver, clock: ConsoleClock, events: Pick<LineEvents, 'readable' | 'interrupt'>) {
    this.serial = serial
    this.clock = clock
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

  /** What a program waits for that has printed too much; null while it may go on. */
  get full(): Wait | null {
    return this.takenNs - this.clock.nowNs > AHEAD_NS_MAX ? new Wait(Channel.TIMER, this.takenNs - AHEAD_NS_MAX / 2) : null
  }

  /** Sends the first WRITE_BYTES_MAX bytes at most and returns how many it sent, or waits until the line has taken what was sent. */
  write(bytes: Uint8Array): number | Wait {
    const { full } = this
    if (full !== null) return full
    const count = Math.min(bytes.length, WRITE_BYTES_MAX)
    this.send(bytes.subarray(0, count))
    return count
  }

  /** A whole line of the kernel's own: begins a new line if a program left one open. */
  writeLine(text: string): void {
    this.send(new TextEncoder().encode(`${this.atLineStart ? '' : '\n'}${text}\n`))
    // The kernel cannot sleep.
    this.clock.charge(Math.max(0, this.takenNs - this.clock.nowNs - AHEAD_NS_MAX))
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
    this.takenNs = Math.max(this.takenNs, this.clock.nowNs) + bytes.length * LINE_BYTE_NS
    this.clock.charge(bytes.length * Cost.CONSOLE_BYTE)
    this.atLineStart = bytes[bytes.length - 1] === LINE_FEED
  }
}
