import type { MachineStatus } from '../../protocol/service.ts'
import type { I18n } from '../i18n/i18n.ts'
import type { MachineView } from '../state/machine.ts'
import { isAlive } from '../state/machine.ts'
import type { RingState } from './ring.tsx'

/** How a machine is to be called and drawn. */
export interface PhaseLook {
  label: string
  detail: string
  ring: RingState
  tone: 'neutral' | 'accent' | 'sand' | 'coral'
}

export function phaseLook(view: MachineView, isConnected: boolean, i18n: I18n): PhaseLook {
  const look = lookWhenConnected(view, i18n)
  return isConnected || !isAlive(view.status?.phase) ? look : { ...look, detail: i18n.t('phase.lastKnown'), ring: 'off', tone: 'neutral' }
}

function lookWhenConnected({ status, isGone, activity }: MachineView, { t, number }: I18n): PhaseLook {
  if (activity === 'building' || activity === 'booting') return { label: t('phase.building'), detail: '', ring: 'busy', tone: 'accent' }
  if (!status) return { label: t('phase.none'), detail: t('machine.none.detail'), ring: 'off', tone: 'neutral' }
  if (isGone && status.phase === 'stopped') return { label: t('phase.gone'), detail: t('phase.gone.detail'), ring: 'off', tone: 'neutral' }
  return machineLook(status, { t, number })
}

/** A machine by what is known of it alone. */
export function machineLook(
  { phase, exitStatus, message }: Pick<MachineStatus, 'phase' | 'exitStatus' | 'message'>,
  { t, number }: Pick<I18n, 't' | 'number'>,
): PhaseLook {
  // What runs, ended or was stopped needs no explanation.
  const detail = message ?? (phase === 'running' || phase === 'exited' || phase === 'stopped' ? '' : t(`phase.${phase}.detail`))
  switch (phase) {
    case 'booting':
      return { label: t('phase.booting'), detail, ring: 'busy', tone: 'accent' }
    case 'running':
      return { label: t('phase.running'), detail, ring: 'live', tone: 'accent' }
    case 'halted':
      return { label: t('phase.halted'), detail, ring: 'waiting', tone: 'sand' }
    case 'exited': {
      const label = exitStatus === undefined ? t('phase.exited.unknown') : t('phase.exited', { status: number(exitStatus) })
      return exitStatus === 0 ? { label, detail, ring: 'done', tone: 'neutral' } : { label, detail, ring: 'broken', tone: 'sand' }
    }
    case 'panicked':
      return { label: t('phase.panicked'), detail, ring: 'broken', tone: 'coral' }
    case 'shutdown':
      return { label: t('phase.shutdown'), detail, ring: 'broken', tone: 'coral' }
    case 'stopped':
      if (message !== undefined) return { label: t('phase.stopped'), detail, ring: 'broken', tone: 'coral' }
      return { label: t('phase.stopped'), detail, ring: 'off', tone: 'neutral' }
  }
}
