/**
 * What is due in the network, in an order that does not depend on who asked when: by time, then by kind, then by link and
 * direction, then by the order within them.
 */

/** At one instant the topology changes before machines' frames are taken, and these before what is under way goes on. */
export const EventKind = { CONTROL: 0, SEND: 1, TRAFFIC: 2 } as const
export type EventKind = (typeof EventKind)[keyof typeof EventKind]

export interface QueuedEvent {
  timeNs: number
  kind: EventKind
  /** Twice the link's number, plus 1 from b to a; 0 for what concerns no link. */
  lane: number
  /** Within the lane and kind. */
  sequence: number
  run: (timeNs: number) => void
}

export function precedes(a: QueuedEvent, b: QueuedEvent): boolean {
  if (a.timeNs !== b.timeNs) return a.timeNs < b.timeNs
  if (a.kind !== b.kind) return a.kind < b.kind
  if (a.lane !== b.lane) return a.lane < b.lane
  return a.sequence < b.sequence
}

/** A binary heap. */
export class EventQueue {
  readonly #heap: QueuedEvent[] = []

  /** Infinity when nothing is due. */
  get nextNs(): number {
    return this.#heap.length === 0 ? Infinity : this.#heap[0].timeNs
  }

  /** What `pop` would return. */
  get first(): QueuedEvent | undefined {
    return this.#heap[0]
  }

  push(event: QueuedEvent): void {
    const heap = this.#heap
    let at = heap.length
    heap.push(event)
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!precedes(event, heap[parent])) break
      heap[at] = heap[parent]
      at = parent
    }
    heap[at] = event
  }

  pop(): QueuedEvent | undefined {
    const heap = this.#heap
    const first = heap[0]
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return first
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && precedes(heap[child + 1], heap[child])) child++
      if (!precedes(heap[child], last)) break
      heap[at] = heap[child]
      at = child
    }
    heap[at] = last
    return first
  }
}
