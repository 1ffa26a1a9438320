/** What we need of `localStorage`, so that state logic is tested without a browser. */
export interface KeyValueStorage {
  get(key: string): string | null
  /** False when the value could not be kept (quota, private mode). */
  set(key: string, value: string): boolean
  remove(key: string): void
  keys(): string[]
}

export function browserStorage(storage: Storage): KeyValueStorage {
  return {
    get: (key) => storage.getItem(key),
    set(key, value) {
      try {
        storage.setItem(key, value)
        return true
      } catch {
        return false
      }
    },
    remove: (key) => storage.removeItem(key),
    keys: () => Array.from({ length: storage.length }, (_, i) => storage.key(i)).filter((key) => key !== null),
  }
}

export function memoryStorage(): KeyValueStorage {
  const map = new Map<string, string>()
  return {
    get: (key) => map.get(key) ?? null,
    set(key, value) {
      map.set(key, value)
      return true
    },
    remove: (key) => void map.delete(key),
    keys: () => [...map.keys()],
  }
}

/** Reads JSON that an earlier version, or the user, may have damaged: null when it is missing or no JSON. */
export function readJson(storage: KeyValueStorage, key: string): unknown {
  const text = storage.get(key)
  if (text === null) return null
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
