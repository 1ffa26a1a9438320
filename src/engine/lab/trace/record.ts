import type { SessionPhase } from '../run/session.ts'
import type { FrameFate, WireEvent } from '../run/wire.ts'

/** Everything that can be seen from outside of a lab, in the one order that a lab with its seed has. */
export type TraceRecord = { timeNs: number } & (
  /** Something was done to the lab: by its timeline, or by a person. `text` says it in words. */
  | { kind: 'event'; target: string; text: string }
  | { kind: 'power'; node: string; phase: SessionPhase | 'off'; exitStatus?: number }
  | { kind: 'console'; node: string; byte: number }
  | { kind: 'frame'; event: WireEvent }
)

const FATE_RANKS: Record<'sent' | FrameFate, number> = {
  sent: 3,
  lost: 4,
  cut: 4,
  'queue-full': 4,
  delivered: 5,
  corrupted: 5,
  duplicated: 5,
}

/** What comes first of the records of one instant. */
function rank(record: TraceRecord): number {
  switch (record.kind) {
    case 'event':
      return 0
    case 'power':
      return 1
    case 'console':
      return 2
    case 'frame':
      return FATE_RANKS[record.event.kind]
  }
}

function place(record: TraceRecord): string {
  switch (record.kind) {
    case 'event':
      return ''
    case 'power':
    case 'console':
      return record.node
    case 'frame':
      return `${record.event.link} ${record.event.from.node}`
  }
}

/** Sorts by time, kind and place, and leaves in order what is then equal. */
export function compareRecords(one: TraceRecord, other: TraceRecord): number {
  if (one.timeNs !== other.timeNs) return one.timeNs - other.timeNs
  const ranks = rank(one) - rank(other)
  if (ranks !== 0) return ranks
  const [here, there] = [place(one), place(other)]
  return here === there ? 0 : here < there ? -1 : 1
}
