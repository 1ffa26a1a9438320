import type { KeyValueStorage } from './storage.ts'
import { readJson } from './storage.ts'
import type { ReadonlyStore } from './store.ts'
import { createStore } from './store.ts'

export const THEME_CHOICES = ['system', 'dark', 'light'] as const
export const LANGUAGE_CHOICES = ['system', 'en', 'es'] as const

export interface SettingsState {
  theme: (typeof THEME_CHOICES)[number]
  language: (typeof LANGUAGE_CHOICES)[number]
  /** The console keeps a copy of its text where screen readers find it. */
  screenReader: boolean
}

const KEY = 'atoll:settings'
const DEFAULTS: SettingsState = { theme: 'system', language: 'system', screenReader: false }

function oneOf<T extends string>(choices: readonly T[], value: unknown, fallback: T): T {
  return choices.find((choice) => choice === value) ?? fallback
}

export interface Settings {
  readonly store: ReadonlyStore<SettingsState>
  change(change: Partial<SettingsState>): void
}

/** What the person chose, for all projects on this computer. Unknown values from other versions fall back to the defaults. */
export function createSettings(storage: KeyValueStorage): Settings {
  const saved = (readJson(storage, KEY) ?? {}) as Partial<Record<keyof SettingsState, unknown>>
  const store = createStore<SettingsState>({
    theme: oneOf(THEME_CHOICES, saved.theme, DEFAULTS.theme),
    language: oneOf(LANGUAGE_CHOICES, saved.language, DEFAULTS.language),
    screenReader: saved.screenReader === true,
  })
  return {
    store,
    change(change) {
      store.update((settings) => ({ ...settings, ...change }))
      storage.set(KEY, JSON.stringify(store.get()))
    },
  }
}
