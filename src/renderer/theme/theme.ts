import type { SettingsState } from '../state/settings.ts'
import type { ReadonlyStore } from '../state/store.ts'
import { createStore } from '../state/store.ts'

export type ThemeName = 'dark' | 'light'

/** Follows the setting and the system, and puts the theme on the document's root, where the tokens read it. */
export function createTheme(settings: ReadonlyStore<SettingsState>): ReadonlyStore<ThemeName> {
  const system = window.matchMedia('(prefers-color-scheme: light)')
  const current = (): ThemeName => {
    const { theme } = settings.get()
    if (theme !== 'system') return theme
    return system.matches ? 'light' : 'dark'
  }
  const store = createStore<ThemeName>(current())
  const apply = (): void => {
    document.documentElement.dataset['theme'] = current()
    store.set(current())
  }
  settings.subscribe(apply)
  system.addEventListener('change', apply)
  apply()
  return store
}

/** The value of a design token in the theme that is shown, as `#rrggbb`. */
export function token(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim()
}
