import type { Locale } from '../i18n/i18n.ts'

/**
 * A key combination as `Mod+Shift+P`: modifiers `Mod` (Command on a Mac, Control elsewhere), `Ctrl`, `Shift`, `Alt`, then the key as
 * `KeyboardEvent.key` names it, letters in upper case, and `Plus` for the sign that joins the parts.
 */
export type KeyCombination = string

export interface KeyEvent {
  key: string
  ctrlKey: boolean
  metaKey: boolean
  shiftKey: boolean
  altKey: boolean
}

export function matchesKey(event: KeyEvent, combination: KeyCombination, isMac: boolean): boolean {
  const parts = combination.split('+')
  const key = parts.pop()!
  const wantsMod = parts.includes('Mod')
  const ctrl = parts.includes('Ctrl') || (wantsMod && !isMac)
  const meta = wantsMod && isMac
  return (
    event.ctrlKey === ctrl &&
    event.metaKey === meta &&
    event.shiftKey === parts.includes('Shift') &&
    event.altKey === parts.includes('Alt') &&
    (event.key === '+' ? 'Plus' : event.key.length === 1 ? event.key.toUpperCase() : event.key) === key
  )
}

/** As it is printed on the keyboard: `⇧⌘P`, `Ctrl+Shift+P`, `Ctrl+Mayús+P`. */
export function keyLabel(combination: KeyCombination, isMac: boolean, locale: Locale): string {
  const parts = combination.split('+')
  const name = parts.pop()!
  const key = name === 'Plus' ? '+' : name
  if (isMac) {
    const symbols: Record<string, string> = { Ctrl: '⌃', Alt: '⌥', Shift: '⇧', Mod: '⌘', Enter: '↩' }
    const order = ['Ctrl', 'Alt', 'Shift', 'Mod'].filter((modifier) => parts.includes(modifier))
    return order.map((modifier) => symbols[modifier]).join('') + (symbols[key] ?? key)
  }
  const spanish: Record<string, string> = { Shift: 'Mayús', Enter: 'Intro', Delete: 'Supr' }
  return [...parts, key].map((part) => (part === 'Mod' ? 'Ctrl' : (locale === 'es' && spanish[part]) || part)).join('+')
}
