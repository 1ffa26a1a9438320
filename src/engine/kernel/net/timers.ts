/** What a timer is for; its key tells apart several of one kind. */
export type TimerKind = 'neighbour' | 'link-local' | 'announce'

export interface Timer {
  readonly kind: TimerKind
  readonly key: number
  /** Virtual nanoseconds since reset. */
  readonly dueNs: number
}

/**
 * Every timer of the network in one table, soonest first; what is due at the same time comes in the order it was set. Whoever owns the
 * clock asks for what is due: nothing here calls anybody, so the table is plain data.
 */
export class Timers {
  private readonly table: Timer[] = []

  /** Sets a timer, in place of the one with the same kind and key. */
  set(kind: TimerKind, key: number, dueNs: number): void {
    this.cancel(kind, key)
    const after = this.table.findIndex((timer) => timer.dueNs > dueNs)
    this.table.splice(after === -1 ? this.table.length : after, 0, { kind, key, dueNs })
  }

  cancel(kind: TimerKind, key: number): void {
    const index = this.table.findIndex((timer) => timer.kind === kind && timer.key === key)
    if (index !== -1) this.table.splice(index, 1)
  }

  /** Takes the soonest timer out if it is due. */
  takeDue(nowNs: number): Timer | null {
    return this.table.length > 0 && this.table[0].dueNs <= nowNs ? (this.table.shift() as Timer) : null
  }

  /** When the soonest is due, Infinity without any. */
  get nextDueNs(): number {
    return this.table.length === 0 ? Infinity : this.table[0].dueNs
  }

  get count(): number {
    return this.table.length
  }
}
