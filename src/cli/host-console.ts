import { closeSync, fstatSync, readFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'

/** This much of the console waits for a slow reader before the machine waits too, in bytes. */
const OUTPUT_BYTES_MAX = 256 * 1024

/** Input is read ahead of the machine this far, in bytes. */
const INPUT_BYTES_MAX = 256 * 1024

/** A second Ctrl-C within this many milliseconds is meant for Atoll. */
const INTERRUPT_TWICE_MS = 1000

const CTRL_C = 0x03

export type InputKind = 'terminal' | 'file' | 'stream' | 'none'

/** Standard input and output of this process, as the other end of a serial line. */
export class HostConsole {
  readonly input: InputKind = inputKind()
  /** Nobody reads standard output any more. */
  isBroken = false
  /** Ctrl-C was pressed twice. */
  isQuit = false
  #received: Uint8Array[] = []
  #receivedBytes = 0
  #isEnded = false
  #wake: (() => void) | undefined
  #buffer = new Uint8Array(64 * 1024)
  #used = 0
  #isRaw = false
  #lastInterruptMs = Number.NEGATIVE_INFINITY
  readonly #restore = (): void => this.restore()
  readonly #onSignal = (signal: NodeJS.Signals): void => {
    this.restore()
    process.kill(process.pid, signal)
  }

  constructor() {
    process.stdout.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE' && error.code !== 'ERR_STREAM_DESTROYED' && error.code !== 'EIO')
        process.stderr.write(`atoll: cannot write the console: ${error.message}\n`)
      this.isBroken = true
    })
  }

  /**
   * Begins to read. Early, while there is a program to build: what a pipe holds by then is typed before the machine starts, like a file,
   * and the run does not depend on how fast it is read.
   */
  open(): void {
    if (this.input === 'none') this.#isEnded = true
    else if (this.input === 'file') {
      this.#receive(readFileSync(0))
      this.#isEnded = true
    } else {
      const { stdin } = process
      stdin.on('data', (bytes: Buffer) => this.#receive(bytes))
      const end = (): void => {
        this.#isEnded = true
        this.#wake?.()
      }
      stdin.once('end', end)
      stdin.once('error', end)
    }
  }

  /** Hands over what was read since the last call; `isEnded` once nothing more comes. */
  take(): { bytes: Uint8Array[]; isEnded: boolean } {
    const bytes = this.#received.splice(0)
    this.#receivedBytes = 0
    if (this.input === 'stream' && !this.#isEnded) process.stdin.resume()
    return { bytes, isEnded: this.#isEnded }
  }

  get hasInput(): boolean {
    return this.#receivedBytes > 0 || this.#isEnded
  }

  /** Resolves after `ms`, or as soon as something is read. */
  async wait(ms: number): Promise<void> {
    const timer = new AbortController()
    this.#wake = () => timer.abort()
    await setTimeout(ms, undefined, { signal: timer.signal }).catch(() => undefined)
    this.#wake = undefined
  }

  #receive(bytes: Uint8Array): void {
    if (this.#isRaw && this.#isSecondInterrupt(bytes)) this.isQuit = true
    else if (bytes.byteLength > 0) this.#received.push(bytes)
    this.#receivedBytes += bytes.byteLength
    // A pipe can hold more than anybody wants to type.
    if (this.input === 'stream' && this.#receivedBytes >= INPUT_BYTES_MAX) process.stdin.pause()
    this.#wake?.()
  }

  /** Hands the terminal's keys over one by one, unechoed: the guest edits and echoes. Undone at any end of the process. */
  enterRawMode(): void {
    if (this.input !== 'terminal' || !process.stdout.isTTY || this.#isRaw) return
    process.stdin.setRawMode(true)
    this.#isRaw = true
    process.once('exit', this.#restore)
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, this.#onSignal)
  }

  restore(): void {
    if (!this.#isRaw) return
    this.#isRaw = false
    process.stdin.setRawMode(false)
    process.removeListener('exit', this.#restore)
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.removeListener(signal, this.#onSignal)
  }

  /** Keeps bytes for the next flush. */
  write(bytes: Uint8Array): void {
    this.#reserve(bytes.byteLength)
    this.#buffer.set(bytes, this.#used)
    this.#used += bytes.byteLength
  }

  writeByte(byte: number): void {
    this.#reserve(1)
    this.#buffer[this.#used++] = byte
  }

  /** Sends what was written. Resolves when standard output can take more; with `isLast`, when it has taken everything. */
  async flush(isLast = false): Promise<void> {
    if (this.isBroken || (this.#used === 0 && !isLast)) return
    const bytes = this.#buffer.slice(0, this.#used)
    this.#used = 0
    const { stdout } = process
    await new Promise<void>((resolve) => {
      const isTaken = stdout.write(bytes, () => resolve())
      if (!isLast && (isTaken || stdout.writableLength < OUTPUT_BYTES_MAX)) resolve()
    })
  }

  #reserve(bytes: number): void {
    if (this.#used + bytes <= this.#buffer.byteLength) return
    const larger = new Uint8Array(Math.max(2 * this.#buffer.byteLength, this.#used + bytes))
    larger.set(this.#buffer.subarray(0, this.#used))
    this.#buffer = larger
  }

  #isSecondInterrupt(bytes: Uint8Array): boolean {
    if (!bytes.includes(CTRL_C)) return false
    const now = performance.now()
    const isSecond = now - this.#lastInterruptMs < INTERRUPT_TWICE_MS || bytes.indexOf(CTRL_C) !== bytes.lastIndexOf(CTRL_C)
    this.#lastInterruptMs = now
    return isSecond
  }
}

function inputKind(): InputKind {
  try {
    const info = fstatSync(0)
    if (info.isFile()) return 'file'
    if (process.stdin.isTTY) return 'terminal'
    // /dev/null and its like end at once, which reading them finds out.
    return 'stream'
  } catch {
    // Closed by whoever started this process. Nothing else may take its number and be read for input.
    try {
      closeSync(0)
    } catch {
      // It was closed.
    }
    return 'none'
  }
}
