import type { TraceRecord } from './record.ts'
import { compareRecords } from './record.ts'

export type TraceListener = (record: TraceRecord) => void

/** Puts what happened in a window in order and hands it on: the same order and records, wherever windows end and whoever ran them. */
export class Trace {
  private readonly listeners: TraceListener[]
  private window: TraceRecord[] = []

  constructor(listeners: TraceListener[]) {
    this.listeners = listeners
  }

  add(record: TraceRecord): void {
    this.window.push(record)
  }

  /** Everything that happened before `untilNs` has been added. */
  flush(untilNs: number): void {
    const records = this.window.sort(compareRecords)
    const later = records.findIndex(({ timeNs }) => timeNs >= untilNs)
    this.window = later === -1 ? [] : records.splice(later)
    for (const record of records) for (const listener of this.listeners) listener(record)
  }
}
