import type { TraceRecord } from '../../engine/lab/trace/record.ts'

const NEWLINE = 0x0a
const RETURN = 0x0d
/** What a machine says without an end of line is printed in pieces of so many bytes. */
const LINE_BYTES_MAX = 1024

/** The consoles of a lab on one: whole lines, each behind its machine's name, in the order in which they ended. */
export class LabConsole {
  readonly #write: (text: string) => void
  readonly #width: number
  readonly #lines = new Map<string, number[]>()

  constructor(nodes: readonly string[], write: (text: string) => void) {
    this.#write = write
    this.#width = Math.max(0, ...nodes.map((node) => node.length))
  }

  take(record: TraceRecord): void {
    if (record.kind === 'event') this.#write(`${''.padStart(this.#width)} * ${record.target}: ${record.text}\n`)
    if (record.kind !== 'console') return
    const { node, byte } = record
    const line = this.#lines.get(node) ?? []
    this.#lines.set(node, line)
    if (byte !== NEWLINE && byte !== RETURN) line.push(byte)
    if (byte === NEWLINE || line.length >= LINE_BYTES_MAX) this.#print(node)
  }

  /** Prints what has no end of line yet. */
  end(): void {
    for (const [node, line] of this.#lines) if (line.length > 0) this.#print(node)
  }

  #print(node: string): void {
    const bytes = Uint8Array.from(this.#lines.get(node) ?? [])
    this.#lines.set(node, [])
    this.#write(`${node.padStart(this.#width)} | ${new TextDecoder().decode(bytes)}\n`)
  }
}
