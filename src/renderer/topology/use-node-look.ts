import type { LabMachineStatus } from '../../protocol/lab.ts'
import type { I18n } from '../i18n/i18n.ts'
import { isAlive } from '../state/machine.ts'
import { useStore } from '../state/use-store.ts'
import { useApp, useI18n } from '../ui/context.tsx'
import type { PhaseLook } from '../ui/phase.ts'
import { machineLook } from '../ui/phase.ts'

export interface NodeLook extends PhaseLook {
  isAlive: boolean
}

export function nodeLook(status: LabMachineStatus | undefined, i18n: I18n): NodeLook {
  if (!status || status.phase === 'off') return { label: i18n.t('lab.node.off'), detail: '', ring: 'off', tone: 'neutral', isAlive: false }
  const { phase, exitStatus, message } = status
  return { ...machineLook({ phase, exitStatus, message }, i18n), isAlive: isAlive(phase) }
}

/** One of the lab's machines, as it is to be shown now. */
export function useNodeLook(node: string): NodeLook {
  const { workbench } = useApp()
  const i18n = useI18n()
  const status = useStore(workbench.lab.lab.store, (view) => view.status.machines.find((machine) => machine.node === node))
  const isConnected = useStore(workbench.session, ({ kind }) => kind === 'connected')
  const look = nodeLook(status, i18n)
  return isConnected || !look.isAlive ? look : { ...look, detail: i18n.t('phase.lastKnown'), ring: 'off', tone: 'neutral' }
}
