import { useRef, useSyncExternalStore } from 'react'
import type { ReadonlyStore } from './store.ts'

/** The store's value, or the part `select` picks; renders again only when that part changes (by `Object.is`). */
export function useStore<T>(store: ReadonlyStore<T>): T
export function useStore<T, S>(store: ReadonlyStore<T>, select: (value: T) => S): S
export function useStore<T, S>(store: ReadonlyStore<T>, select?: (value: T) => S): T | S {
  const memo = useRef<{ value: T; select: unknown; selected: T | S } | null>(null)
  const snapshot = (): T | S => {
    const value = store.get()
    if (memo.current?.value === value && memo.current.select === select) return memo.current.selected
    const selected = select ? select(value) : value
    memo.current = { value, select, selected }
    return selected
  }
  return useSyncExternalStore(store.subscribe, snapshot)
}
