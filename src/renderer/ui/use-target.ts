import { useCallback, useSyncExternalStore } from 'react'
import type { ProjectPath } from '../../protocol/service.ts'
import { useApp } from './context.tsx'

/** The program that Build and Boot are about now. */
export function useTarget(): ProjectPath | null {
  const { workbench } = useApp()
  const subscribe = useCallback(
    (listener: () => void) => {
      const unsubscribe = [workbench.activePath, workbench.project.store, workbench.machine.store].map((store) => store.subscribe(listener))
      return () => {
        for (const stop of unsubscribe) stop()
      }
    },
    [workbench],
  )
  return useSyncExternalStore(subscribe, () => workbench.target())
}
