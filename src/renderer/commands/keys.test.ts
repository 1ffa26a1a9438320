import { describe, expect, it } from 'vitest'
import { keyLabel, matchesKey } from './keys.ts'

const press = (key: string, ...modifiers: ('ctrl' | 'meta' | 'shift' | 'alt')[]) => ({
  key,
  ctrlKey: modifiers.includes('ctrl'),
  metaKey: modifiers.includes('meta'),
  shiftKey: modifiers.includes('shift'),
  altKey: modifiers.includes('alt'),
})

describe('a key combination', () => {
  it('matches exactly its modifiers', () => {
    expect(matchesKey(press('F5'), 'F5', false)).toBe(true)
    expect(matchesKey(press('F5', 'shift'), 'F5', false)).toBe(false)
    expect(matchesKey(press('F5', 'shift'), 'Shift+F5', false)).toBe(true)
    expect(matchesKey(press('P', 'ctrl', 'shift'), 'Mod+Shift+P', false)).toBe(true)
    expect(matchesKey(press('p', 'ctrl'), 'Mod+Shift+P', false)).toBe(false)
  })

  it('takes Command for Mod on a Mac and Control elsewhere', () => {
    expect(matchesKey(press('s', 'meta'), 'Mod+S', true)).toBe(true)
    expect(matchesKey(press('s', 'ctrl'), 'Mod+S', true)).toBe(false)
    expect(matchesKey(press('s', 'meta'), 'Mod+S', false)).toBe(false)
  })

  it('is written as the keyboard prints it', () => {
    expect(keyLabel('Mod+Shift+P', true, 'en')).toBe('⇧⌘P')
    expect(keyLabel('Mod+Shift+P', false, 'en')).toBe('Ctrl+Shift+P')
    expect(keyLabel('Mod+Shift+P', false, 'es')).toBe('Ctrl+Mayús+P')
    expect(keyLabel('F5', true, 'en')).toBe('F5')
  })
})
