/** What may wait for a window that is slow to show a console, in bytes; the oldest of more is left out. */
export const PENDING_BYTES_MAX = 256 * 1024

interface Pending {
  pieces: Uint8Array[]
  bytes: number
  leftOut: number
  isUnderWay: boolean
}

const nothing = (): Pick<Pending, 'pieces' | 'bytes' | 'leftOut'> => ({ pieces: [], bytes: 0, leftOut: 0 })

/**
 * The consoles of a lab on their way to one window. One piece of each is under way at a time; what a machine prints meanwhile waits, and
 * when it prints faster than the window can show, the middle is left out and said so. Nothing here slows a machine.
 */
export class ConsoleFeed {
  readonly #show: (node: string, bytes: Uint8Array) => Promise<unknown>
  readonly #pending = new Map<string, Pending>()

  /** @param show resolves when the window has shown the bytes */
  constructor(show: (node: string, bytes: Uint8Array) => Promise<unknown>) {
    this.#show = show
  }

  write(node: string, bytes: Uint8Array): void {
    let pending = this.#pending.get(node)
    if (pending === undefined) {
      pending = { ...nothing(), isUnderWay: false }
      this.#pending.set(node, pending)
    }
    pending.pieces.push(bytes)
    pending.bytes += bytes.byteLength
    while (pending.bytes > PENDING_BYTES_MAX && pending.pieces.length > 1) {
      const oldest = pending.pieces.shift() as Uint8Array
      pending.bytes -= oldest.byteLength
      pending.leftOut += oldest.byteLength
    }
    this.#send(node, pending)
  }

  /** Forgets what waits. */
  clear(): void {
    for (const pending of this.#pending.values()) Object.assign(pending, nothing())
  }

  #send(node: string, pending: Pending): void {
    if (pending.isUnderWay || pending.bytes === 0) return
    const { pieces, leftOut } = pending
    const note = `\r\n[${leftOut} bytes were printed faster than they could be shown]\r\n`
    const bytes = Buffer.concat(leftOut === 0 ? pieces : [new TextEncoder().encode(note), ...pieces])
    Object.assign(pending, nothing())
    pending.isUnderWay = true
    const shown = (): void => {
      pending.isUnderWay = false
      this.#send(node, pending)
    }
    this.#show(node, new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)).then(shown, shown)
  }
}
