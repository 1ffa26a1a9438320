/**
 * The line discipline between a serial line and those who read it (termios(3), canonical and raw mode). A plain line feed
 * ends a line in both directions: what programs write reaches the wire byte for byte, and a carriage return that is typed
 * becomes a line feed.
 */
const Control = {
  INTERRUPT: 0x03, END_OF_FILE: 0x04, BACKSPACE: 0x08, TAB: 0x09, LINE_FEED: 0x0a, RETURN: 0x0d,
  KILL_LINE: 0x15, ERASE_WORD: 0x17, DELETE: 0x7f,
} as const
const BELL = 0x07
const RUB_OUT = [0x08, 0x20, 0x08]
const SPACE = 0x20

/** Bytes of one line; more are refused with a bell. */
export const LINE_BYTES_MAX = 4096
/** Bytes of finished lines that wait for a reader; beyond it the line is not read until somebody does. */
export const WAITING_BYTES_MAX = 65536

export type ConsoleMode = 'canonical' | 'raw'

export interface LineEvents {
  /** Bytes to send back to the terminal. */
  echo(bytes: Uint8Array): void
  /** Something can be read that could not before. */
  readable(): void
  /** Control-C in canonical mode. */
  interrupt(): void
}

const isContinuation = (byte: number): boolean => (byte & 0xc0) === 0x80

export class LineDiscipline {
  mode: ConsoleMode = 'canonical'
  /** The line being edited. */
  private line: number[] = []
  /** Finished input: in canonical mode each element is one line, or empty for an end of file. */
  private ready: number[][] = []
  private waiting = 0
  private ended = false
  private readonly events: LineEvents

  constructor(events: LineEvents) {
    this.events = events
  }

  /** False while nobody reads what is there already: leave further bytes in the UART. */
  get accepts(): boolean {
    return this.waiting < WAITING_BYTES_MAX
  }

  /** One byte from the line. */
  input(byte: number): void {
    if (this.mode === 'raw') {
      this.finish([byte])
      return
    }
    switch (byte) {
      case Control.INTERRUPT:
        this.line = []
        this.echo([0x5e, 0x43, Control.LINE_FEED])
        this.events.interrupt()
        return
      case Control.END_OF_FILE:
        this.finishLine()
        return
      case Control.BACKSPACE:
      case Control.DELETE:
        this.erase()
        return
      case Control.KILL_LINE:
        while (this.line.length > 0) this.erase()
        return
      case Control.ERASE_WORD:
        while (this.line.length > 0 && this.line[this.line.length - 1] === SPACE) this.erase()
        while (this.line.length > 0 && this.line[this.line.length - 1] !== SPACE) this.erase()
        return
      case Control.RETURN:
      case Control.LINE_FEED:
        this.line.push(Control.LINE_FEED)
        this.echo([Control.LINE_FEED])
        this.finishLine()
        return
    }
    if (this.line.length >= LINE_BYTES_MAX - 1) {
      this.echo([BELL])
      return
    }
    this.line.push(byte)
    this.echo(byte < SPACE && byte !== Control.TAB ? [0x5e, byte + 0x40] : [byte])
  }

  /** No more input will ever come: what was typed can still be read, then every read returns the end of the file. */
  end(): void {
    if (this.line.length > 0) this.finishLine()
    this.ended = true
    this.events.readable()
  }

  /** At most `length` bytes; empty at an end of file; null when there is nothing yet. */
  read(length: number): Uint8Array | null {
    if (length === 0) return new Uint8Array(0)
    if (this.ready.length === 0) return this.ended ? new Uint8Array(0) : null
    const bytes: number[] = []
    while (this.ready.length > 0 && bytes.length < length) {
      const first = this.ready[0]
      const taken = first.splice(0, length - bytes.length)
      bytes.push(...taken)
      if (first.length === 0) this.ready.shift()
      if (this.mode === 'canonical') break
    }
    this.waiting -= bytes.length
    return Uint8Array.from(bytes)
  }

  /** Changing to raw hands over the line being edited as it is. */
  setMode(mode: ConsoleMode): void {
    if (mode === 'raw' && this.line.length > 0) this.finishLine()
    if (mode === 'raw') this.ready = this.ready.filter((chunk) => chunk.length > 0)
    this.mode = mode
  }

  private finishLine(): void {
    const line = this.line
    this.line = []
    this.finish(line)
  }

  private finish(bytes: number[]): void {
    this.ready.push(bytes)
    this.waiting += bytes.length
    this.events.readable()
  }

  /** Takes back the last character, all its bytes in UTF-8. */
  private erase(): void {
    let byte = this.line.pop()
    if (byte === undefined) return
    while (byte !== undefined && isContinuation(byte) && this.line.length > 0) byte = this.line.pop()
    const columns = byte !== undefined && byte < SPACE && byte !== Control.TAB ? 2 : 1
    for (let column = 0; column < columns; column++) this.echo(RUB_OUT)
  }

  private echo(bytes: number[]): void {
    this.events.echo(Uint8Array.from(bytes))
  }
}
