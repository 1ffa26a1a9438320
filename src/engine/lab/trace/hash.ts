import type { TraceRecord } from './record.ts'

/** SHA-256 as the caller's platform has it. */
export interface Hasher {
  update(data: string | Uint8Array): void
  /** In hexadecimal; the last call. */
  digest(): string
}

/** A record in one line of the text whose digest is the trace hash. The bytes of a frame follow its line. */
function lineOf(record: TraceRecord): string {
  const { timeNs } = record
  switch (record.kind) {
    case 'event':
      return `${timeNs} event ${record.target} ${record.text}\n`
    case 'power':
      return `${timeNs} power ${record.node} ${record.phase} ${record.exitStatus ?? '-'}\n`
    case 'console':
      return `${timeNs} console ${record.node} ${record.byte}\n`
    case 'frame': {
      const { kind, link, from, frame } = record.event
      return `${timeNs} ${kind} ${link} ${from.node}:${from.port} ${frame.length}\n`
    }
  }
}

/** Lines gathered before they are hashed. */
const BATCH_LENGTH = 64 * 1024

/** The trace hash: one digest of everything that happened, in order. Two runs with the same hash did the same, to the byte and the ns. */
export class TraceHash {
  private readonly hasher: Hasher
  private batch: string

  /** @param header what the lab was that is run, in one line */
  constructor(hasher: Hasher, header: string) {
    this.hasher = hasher
    this.batch = `${header}\n`
  }

  take(record: TraceRecord): void {
    this.batch += lineOf(record)
    if (record.kind === 'frame') {
      this.flush()
      this.hasher.update(record.event.frame)
    } else if (this.batch.length >= BATCH_LENGTH) this.flush()
  }

  /** In hexadecimal; once, at the end. */
  digest(): string {
    this.flush()
    return this.hasher.digest()
  }

  private flush(): void {
    this.hasher.update(this.batch)
    this.batch = ''
  }
}
