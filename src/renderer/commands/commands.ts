import type { I18n, PlainMessageKey } from '../i18n/i18n.ts'
import { isAlive } from '../state/machine.ts'
import { LANGUAGE_CHOICES, THEME_CHOICES } from '../state/settings.ts'
import type { Workbench } from '../workbench.ts'
import type { KeyCombination, KeyEvent } from './keys.ts'
import { keyLabel, matchesKey } from './keys.ts'

export interface Command {
  title: PlainMessageKey
  /** The first one is shown to the person. */
  keys: readonly KeyCombination[]
  /** Where the keys work: a machine's console gets every key that is not for `everywhere`. */
  scope: 'everywhere' | 'outside-console' | 'in-console'
  isEnabled: () => boolean
  run: () => void
}

const always = (): boolean => true

/** Everything that can be done by name: one table for the keyboard, the palette and the tooltips. */
export function createCommands(workbench: Workbench) {
  const { layout, machine, settings, dialogs } = workbench
  const command = (
    title: PlainMessageKey,
    run: () => void,
    { keys = [], scope = 'everywhere', isEnabled = always }: Partial<Omit<Command, 'title' | 'run'>> = {},
  ): Command => ({ title, run, keys, scope, isEnabled })
  const hasTarget = (): boolean => workbench.target() !== null
  const hasEditor = (): boolean => workbench.activePath.get() !== null

  const named = {
    boot: command('command.boot', () => void workbench.boot(), { keys: ['F5', 'Mod+Enter'], isEnabled: hasTarget }),
    build: command('command.build', () => void workbench.build(), { keys: ['Mod+B'], scope: 'outside-console', isEnabled: hasTarget }),
    stop: command('command.stop', () => void workbench.stop(), {
      keys: ['Shift+F5'],
      isEnabled: () => isAlive(machine.store.get().status?.phase),
    }),
    reset: command('command.reset', () => void workbench.reset(), {
      keys: ['Mod+Shift+F5'],
      isEnabled: () => machine.store.get().status !== null && !machine.store.get().isGone,
    }),
    save: command('command.save', () => void workbench.save(), { keys: ['Mod+S'], scope: 'outside-console', isEnabled: hasEditor }),
    saveAll: command('command.saveAll', () => void workbench.documents.saveAll(), { isEnabled: hasEditor }),
    newFile: command('command.newFile', () => workbench.startNewFile('')),
    closeEditor: command('command.closeEditor', () => layout.closeActiveDocument(), { keys: ['Alt+W'], isEnabled: hasEditor }),
    toggleConsole: command('command.toggleConsole', () => workbench.toggleConsole(), { keys: ['Mod+J'] }),
    findInConsole: command('command.findInConsole', () => workbench.openConsoleSearch(), { keys: ['Mod+F'], scope: 'in-console' }),
    clearConsole: command('command.clearConsole', () => workbench.console.clear()),
    showProject: command('command.showProject', () => layout.show('project')),
    showMachine: command('command.showMachine', () => layout.show('machine')),
    showConsole: command('command.showConsole', () => layout.show('console')),
    showProblems: command('command.showProblems', () => layout.show('problems'), { keys: ['Mod+Shift+M'] }),
    palette: command('command.palette', () => dialogs.set({ kind: 'palette' }), { keys: ['Mod+Shift+P', 'F1'] }),
    settings: command('command.settings', () => dialogs.set({ kind: 'settings' }), { keys: ['Mod+,'], scope: 'outside-console' }),
    nextPanel: command('command.nextPanel', () => layout.focusGroup(1), { keys: ['F6'] }),
    previousPanel: command('command.previousPanel', () => layout.focusGroup(-1), { keys: ['Shift+F6'] }),
    resetLayout: command('command.resetLayout', () => layout.reset()),
  }
  const choices = [
    ...(['left', 'right', 'above', 'below'] as const).map((side) => command(`command.movePanel.${side}`, () => layout.movePanel(side))),
    ...THEME_CHOICES.map((theme) => command(`command.theme.${theme}`, () => settings.change({ theme }))),
    ...LANGUAGE_CHOICES.map((language) => command(`command.language.${language}`, () => settings.change({ language }))),
  ]
  return { ...named, all: [...Object.values(named), ...choices] }
}

export type Commands = ReturnType<typeof createCommands>

export const IS_MAC = typeof navigator !== 'undefined' && /Mac|iPhone|iPad/.test(navigator.platform)

export function commandKey(command: Command, i18n: I18n): string | null {
  return command.keys.length > 0 ? keyLabel(command.keys[0], IS_MAC, i18n.locale) : null
}

/** The title with its key, for a tooltip: `Build and boot (F5)`. */
export function commandTooltip(command: Command, i18n: I18n): string {
  const key = commandKey(command, i18n)
  const title = i18n.t(command.title)
  return key ? i18n.t('command.withKey', { command: title, key }) : title
}

/** The command whose key was pressed. */
export function commandOfKey(commands: readonly Command[], event: KeyEvent, isInConsole: boolean, isMac: boolean): Command | null {
  return (
    commands.find(
      ({ keys, scope }) =>
        (scope === 'everywhere' || (scope === 'in-console') === isInConsole) &&
        keys.some((combination) => matchesKey(event, combination, isMac)),
    ) ?? null
  )
}
