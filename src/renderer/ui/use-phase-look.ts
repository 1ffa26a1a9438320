import { useStore } from '../state/use-store.ts'
import { useApp, useI18n } from './context.tsx'
import type { PhaseLook } from './phase.ts'
import { phaseLook } from './phase.ts'

/** The machine as it is to be shown now. */
export function usePhaseLook(): PhaseLook {
  const { workbench } = useApp()
  const i18n = useI18n()
  const view = useStore(workbench.machine.store)
  const isConnected = useStore(workbench.session, ({ kind }) => kind === 'connected')
  return phaseLook(view, isConnected, i18n)
}
