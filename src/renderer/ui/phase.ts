import type { I18n } from '../i18n/i18n.ts'
import type { MachineView } from '../state/machine.ts'
import type { RingState } from './ring.tsx'

/** How a machine is to be called and drawn. */
export interface PhaseLook {
  label: string
  detail: string
  ring: RingState
  tone: 'neutral' | 'accent' | 'sand' | 'coral'
}

export function phaseLook({ status, activity }: MachineView, { t, number }: I18n): PhaseLook {
  if (activity === 'building' || activity === 'booting') return { label: t('phase.building'), detail: '', ring: 'busy', tone: 'accent' }
  if (!status) return { label: t('phase.none'), detail: t('machine.none.detail'), ring: 'off', tone: 'neutral' }
  const detail = status.message ?? t(`phase.${status.phase}.detail`)
  switch (status.phase) {
    case 'booting':
      return { label: t('phase.booting'), detail, ring: 'busy', tone: 'accent' }
    case 'running':
      return { label: t('phase.running'), detail, ring: 'live', tone: 'accent' }
    case 'halted':
      return { label: t('phase.halted'), detail, ring: 'waiting', tone: 'sand' }
    case 'exited': {
      const label = status.exitStatus === undefined ? t('phase.exited.unknown') : t('phase.exited', { status: number(status.exitStatus) })
      return status.exitStatus === 0 ? { label, detail, ring: 'done', tone: 'neutral' } : { label, detail, ring: 'broken', tone: 'sand' }
    }
    case 'panicked':
      return { label: t('phase.panicked'), detail, ring: 'broken', tone: 'coral' }
    case 'shutdown':
      return { label: t('phase.shutdown'), detail, ring: 'broken', tone: 'coral' }
    case 'stopped':
      return { label: t('phase.stopped'), detail, ring: 'off', tone: 'neutral' }
  }
}
