/** A value that can be watched. Snapshots are immutable: a change is a new object. */
export interface Store<T> {
  get(): T
  set(next: T): void
  update(change: (current: T) => T): void
  /** Calls `listener` after each change; the result unsubscribes. */
  subscribe(listener: () => void): () => void
}

export type ReadonlyStore<T> = Pick<Store<T>, 'get' | 'subscribe'>

export function createStore<T>(initial: T): Store<T> {
  let value = initial
  const listeners = new Set<() => void>()
  const set = (next: T): void => {
    if (Object.is(next, value)) return
    value = next
    for (const listener of [...listeners]) listener()
  }
  return {
    get: () => value,
    set,
    update: (change) => set(change(value)),
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

/** Something that happens and leaves no value behind. */
export interface Signal<A extends unknown[]> {
  emit(...args: A): void
  subscribe(listener: (...args: A) => void): () => void
}

export function createSignal<A extends unknown[]>(): Signal<A> {
  const listeners = new Set<(...args: A) => void>()
  return {
    emit(...args) {
      for (const listener of [...listeners]) listener(...args)
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}
