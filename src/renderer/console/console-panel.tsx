import type { ReactElement } from 'react'
import { commandKey } from '../commands/commands.ts'
import { isAlive } from '../state/machine.ts'
import { baseName } from '../state/paths.ts'
import { useStore } from '../state/use-store.ts'
import { useApp, useI18n } from '../ui/context.tsx'
import { Ring } from '../ui/ring.tsx'
import { useTarget } from '../ui/use-target.ts'
import { ConsoleView } from './console-view.tsx'

/** The machine's serial console. */
export function ConsolePanel(): ReactElement {
  const { workbench, console } = useApp()
  const i18n = useI18n()
  const { t } = i18n
  const phase = useStore(workbench.machine.store, ({ status }) => status?.phase)
  const isBusy = useStore(workbench.machine.store, ({ activity }) => activity === 'booting')
  const hasText = useStore(console.hasText)
  const target = useTarget()
  const key = commandKey(workbench.commands.boot, i18n) ?? ''
  const isEmpty = !hasText && !isAlive(phase) && !isBusy
  return (
    <ConsoleView
      terminal={console}
      label={t('console.label')}
      testId="console"
      empty={
        isEmpty && (
          <>
            <Ring state="off" size={40} />
            <p className="console-empty-title">{t('console.empty.title')}</p>
            <p>{target ? t('console.empty.detail', { key, program: baseName(target) }) : t('console.empty.noProgram', { key })}</p>
          </>
        )
      }
    />
  )
}
