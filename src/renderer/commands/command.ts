import type { PlainMessageKey } from '../i18n/i18n.ts'
import type { KeyCombination } from './keys.ts'

export interface Command {
  title: PlainMessageKey
  /** The first one is shown to the person. */
  keys: readonly KeyCombination[]
  /**
   * Where the keys work: a machine's console gets every key that is not for `everywhere`; `in-canvas` keys may be plain letters; `in-lab`
   * is the canvas and what stands around it, but for fields in which one types.
   */
  scope: 'everywhere' | 'outside-console' | 'in-console' | 'in-canvas' | 'in-lab'
  isEnabled: () => boolean
  run: () => void
}

/** A command with what most have: no key, heard everywhere, always possible. */
export function defineCommand(
  title: PlainMessageKey,
  run: () => void,
  { keys = [], scope = 'everywhere', isEnabled = () => true }: Partial<Omit<Command, 'title' | 'run'>> = {},
): Command {
  return { title, run, keys, scope, isEnabled }
}
