import { createContext, useContext } from 'react'
import type { Command } from '../commands/command.ts'
import { commandTooltip } from '../commands/commands.ts'
import type { LabConsoles } from '../console/lab-consoles.ts'
import type { SerialConsole } from '../console/terminal.ts'
import type { Editors } from '../editor/editors.ts'
import type { Models } from '../editor/models.ts'
import type { I18n } from '../i18n/i18n.ts'
import { useStore } from '../state/use-store.ts'
import type { ReadonlyStore } from '../state/store.ts'
import type { ThemeName } from '../theme/theme.ts'
import type { Workbench } from '../workbench.ts'

/** What the components are given: the workbench, and the parts of it that need a browser. */
export interface AppServices {
  workbench: Workbench
  console: SerialConsole
  labConsoles: LabConsoles
  editors: Editors
  models: Models
  theme: ReadonlyStore<ThemeName>
}

export const AppContext = createContext<AppServices | null>(null)
export const I18nContext = createContext<ReadonlyStore<I18n> | null>(null)

export function useApp(): AppServices {
  const services = useContext(AppContext)
  if (!services) throw new Error('useApp() needs an <AppContext> above it')
  return services
}

export function useI18n(): I18n {
  const store = useContext(I18nContext)
  if (!store) throw new Error('useI18n() needs an <I18nContext> above it')
  return useStore(store)
}

/** A command as a control shows it: name, name with key, and what it does. */
export function useCommand(command: Command): { label: string; tooltip: string; run: () => void } {
  const i18n = useI18n()
  return { label: i18n.t(command.title), tooltip: commandTooltip(command, i18n), run: command.run }
}
