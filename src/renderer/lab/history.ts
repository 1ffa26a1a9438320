/** What can be undone: values from the oldest to the newest, and where in them we are. */
export interface History<T> {
  readonly past: readonly T[]
  readonly present: T
  readonly future: readonly T[]
  /** Names the gesture that made `present`; the next step of the same gesture takes its place. */
  readonly gesture: string | null
}

/** More steps than this and the oldest is forgotten. */
export const HISTORY_LENGTH_MAX = 200

export function startHistory<T>(present: T): History<T> {
  return { past: [], present, future: [], gesture: null }
}

/** `next` is the present now. Steps of one gesture (a slider being dragged, a name being typed) are undone together. */
export function commit<T>(history: History<T>, next: T, gesture: string | null = null): History<T> {
  if (Object.is(next, history.present)) return history
  if (gesture !== null && gesture === history.gesture) return { ...history, present: next, future: [] }
  return { past: [...history.past, history.present].slice(-HISTORY_LENGTH_MAX), present: next, future: [], gesture }
}

export function canUndo(history: History<unknown>): boolean {
  return history.past.length > 0
}

export function canRedo(history: History<unknown>): boolean {
  return history.future.length > 0
}

export function undo<T>(history: History<T>): History<T> {
  if (history.past.length === 0) return history
  return {
    past: history.past.slice(0, -1),
    present: history.past.at(-1)!,
    future: [history.present, ...history.future],
    gesture: null,
  }
}

export function redo<T>(history: History<T>): History<T> {
  if (history.future.length === 0) return history
  return {
    past: [...history.past, history.present],
    present: history.future[0],
    future: history.future.slice(1),
    gesture: null,
  }
}
