/** What a console keeps for a window that opens later, in bytes. */
export const CONSOLE_LOG_BYTES_MAX = 1024 * 1024

/** The last bytes of a console. Whole pieces are dropped from the front, so that it never holds more than its limit. */
export class ConsoleLog {
  #pieces: Uint8Array[] = []
  #bytes = 0

  append(bytes: Uint8Array): void {
    this.#pieces.push(bytes.byteLength > CONSOLE_LOG_BYTES_MAX ? bytes.slice(-CONSOLE_LOG_BYTES_MAX) : bytes)
    this.#bytes += this.#pieces[this.#pieces.length - 1].byteLength
    while (this.#bytes > CONSOLE_LOG_BYTES_MAX) this.#bytes -= (this.#pieces.shift() as Uint8Array).byteLength
  }

  clear(): void {
    this.#pieces = []
    this.#bytes = 0
  }

  /** Everything kept, in one piece. */
  bytes(): Uint8Array {
    const all = new Uint8Array(this.#bytes)
    let offset = 0
    for (const piece of this.#pieces) {
      all.set(piece, offset)
      offset += piece.byteLength
    }
    this.#pieces = all.byteLength > 0 ? [all] : []
    return all
  }
}
