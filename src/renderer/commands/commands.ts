import type { I18n } from '../i18n/i18n.ts'
import { isAlive } from '../state/machine.ts'
import { LANGUAGE_CHOICES, THEME_CHOICES } from '../state/settings.ts'
import type { Workbench } from '../workbench.ts'
import type { Command } from './command.ts'
import { defineCommand } from './command.ts'
import { createLabCommands } from './lab-commands.ts'
import type { KeyEvent } from './keys.ts'
import { keyLabel, matchesKey } from './keys.ts'

/** Everything that can be done by name: one table for the keyboard, the palette and the tooltips. */
export function createCommands(workbench: Workbench) {
  const { layout, machine, settings, dialogs } = workbench
  const hasTarget = (): boolean => workbench.target() !== null
  const hasEditor = (): boolean => workbench.activePath.get() !== null

  const named = {
    boot: defineCommand('command.boot', () => void workbench.boot(), { keys: ['F5', 'Mod+Enter'], isEnabled: hasTarget }),
    build: defineCommand('command.build', () => void workbench.build(), {
      keys: ['Mod+B'],
      scope: 'outside-console',
      isEnabled: hasTarget,
    }),
    stop: defineCommand('command.stop', () => void workbench.stop(), {
      keys: ['Shift+F5'],
      isEnabled: () => isAlive(machine.store.get().status?.phase),
    }),
    reset: defineCommand('command.reset', () => void workbench.reset(), {
      keys: ['Mod+Shift+F5'],
      isEnabled: () => machine.store.get().status !== null && !machine.store.get().isGone,
    }),
    save: defineCommand('command.save', () => void workbench.save(), { keys: ['Mod+S'], scope: 'outside-console', isEnabled: hasEditor }),
    saveAll: defineCommand('command.saveAll', () => void workbench.documents.saveAll(), { isEnabled: hasEditor }),
    newFile: defineCommand('command.newFile', () => workbench.startNewFile('')),
    closeEditor: defineCommand('command.closeEditor', () => layout.closeActiveDocument(), { keys: ['Alt+W'], isEnabled: hasEditor }),
    toggleConsole: defineCommand('command.toggleConsole', () => workbench.toggleConsole(), { keys: ['Mod+J'] }),
    findInConsole: defineCommand('command.findInConsole', () => workbench.openConsoleSearch(), { keys: ['Mod+F'], scope: 'in-console' }),
    clearConsole: defineCommand('command.clearConsole', () => workbench.console.clear()),
    showProject: defineCommand('command.showProject', () => layout.show('project')),
    showMachine: defineCommand('command.showMachine', () => layout.show('machine')),
    showConsole: defineCommand('command.showConsole', () => layout.show('console')),
    showProblems: defineCommand('command.showProblems', () => layout.show('problems'), { keys: ['Mod+Shift+M'] }),
    palette: defineCommand('command.palette', () => dialogs.set({ kind: 'palette' }), { keys: ['Mod+Shift+P', 'F1'] }),
    settings: defineCommand('command.settings', () => dialogs.set({ kind: 'settings' }), { keys: ['Mod+,'], scope: 'outside-console' }),
    nextPanel: defineCommand('command.nextPanel', () => layout.focusGroup(1), { keys: ['F6'] }),
    previousPanel: defineCommand('command.previousPanel', () => layout.focusGroup(-1), { keys: ['Shift+F6'] }),
    resetLayout: defineCommand('command.resetLayout', () => layout.reset()),
  }
  const choices = [
    ...(['left', 'right', 'above', 'below'] as const).map((side) =>
      defineCommand(`command.movePanel.${side}`, () => layout.movePanel(side)),
    ),
    ...THEME_CHOICES.map((theme) => defineCommand(`command.theme.${theme}`, () => settings.change({ theme }))),
    ...LANGUAGE_CHOICES.map((language) => defineCommand(`command.language.${language}`, () => settings.change({ language }))),
  ]
  const lab = createLabCommands(workbench)
  // Where two have one key, the lab's come first: they are possible only while the lab is in front.
  return { ...named, lab, all: [...Object.values(lab), ...Object.values(named), ...choices] }
}

/** What has the focus, as far as keys go. */
export type KeyPlace = 'console' | 'canvas' | 'lab' | 'elsewhere'

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

/** The command whose key was pressed; of several with one key, the first that can run now. */
export function commandOfKey(commands: readonly Command[], event: KeyEvent, place: KeyPlace, isMac: boolean): Command | null {
  const meant = commands.filter(({ keys, scope }) => isHeard(scope, place) && keys.some((key) => matchesKey(event, key, isMac)))
  return meant.find((command) => command.isEnabled()) ?? meant[0] ?? null
}

function isHeard(scope: Command['scope'], place: KeyPlace): boolean {
  switch (scope) {
    case 'everywhere':
      return true
    case 'outside-console':
      return place !== 'console'
    case 'in-console':
      return place === 'console'
    case 'in-canvas':
      return place === 'canvas'
    case 'in-lab':
      return place === 'canvas' || place === 'lab'
  }
}
