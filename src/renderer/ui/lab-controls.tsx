import type { ReactElement } from 'react'
import { commandKey, commandTooltip } from '../commands/commands.ts'
import { labTitle } from '../lab/lab-bench.ts'
import type { LabView } from '../lab/lab.ts'
import { isLabUp, topologyOf } from '../lab/lab.ts'
import type { I18n } from '../i18n/i18n.ts'
import { useStore } from '../state/use-store.ts'
import { Button, IconButton } from './button.tsx'
import { useApp, useI18n } from './context.tsx'
import type { PhaseLook } from './phase.ts'
import { Ring } from './ring.tsx'

/** How the lab as a whole is to be called and drawn. */
export function labLook({ status, activity }: LabView, isConnected: boolean, { t }: I18n): Pick<PhaseLook, 'label' | 'ring' | 'tone'> {
  if (activity === 'starting' || status.phase === 'building') return { label: t('lab.phase.building'), ring: 'busy', tone: 'accent' }
  const label = t(`lab.phase.${status.phase}`)
  if (!isConnected) return { label, ring: 'off', tone: 'neutral' }
  switch (status.phase) {
    case 'running':
      return { label, ring: 'live', tone: 'accent' }
    case 'paused':
      return { label, ring: 'waiting', tone: 'sand' }
    case 'failed':
      return { label, ring: 'broken', tone: 'coral' }
    case 'stopped':
      return { label, ring: 'off', tone: 'neutral' }
  }
}

/** The lab's controls and its state, in the toolbar while the lab is in front. */
export function LabControls(): ReactElement {
  const { workbench } = useApp()
  const i18n = useI18n()
  const { t, duration, number } = i18n
  const bench = workbench.lab
  const view = useStore(bench.lab.store)
  const pace = useStore(bench.pace)
  const isConnected = useStore(workbench.session, ({ kind }) => kind === 'connected')
  const { startLab, stopLab, pauseLab } = workbench.commands.lab
  const topology = topologyOf(view)
  const isUp = isLabUp(view)
  const isPaused = view.status.phase === 'paused'
  const isStarting = view.activity === 'starting' || view.status.phase === 'building'
  const key = commandKey(startLab, i18n) ?? ''
  const name = topology ? labTitle(topology, view.path) || t('lab.untitled') : ''
  const look = labLook(view, isConnected, i18n)
  const title = t('command.withKey', { command: t(isUp ? 'lab.restart' : 'command.lab.start'), key })
  return (
    <>
      <div role="group" aria-label={t('lab.controls')} className="machine-controls">
        <Button
          variant="primary"
          icon={isUp ? 'reset' : 'play'}
          className="boot-button"
          disabled={!topology || isStarting || !isConnected}
          title={title}
          onClick={startLab.run}
        >
          <span>{t(isStarting ? 'toolbar.building' : isUp ? 'lab.restartShort' : 'lab.startShort')}</span>
          <span className="boot-program" aria-hidden="true">
            {name}
          </span>
          <kbd aria-hidden="true">{key}</kbd>
        </Button>
        <IconButton
          icon={isPaused ? 'play' : 'pause'}
          label={t(isPaused ? 'lab.resume' : 'lab.pause')}
          title={commandTooltip(pauseLab, i18n)}
          disabled={!isUp || !isConnected}
          onClick={pauseLab.run}
        />
        <IconButton
          icon="stop"
          className="stop-button"
          label={t('lab.stop')}
          title={commandTooltip(stopLab, i18n)}
          disabled={!isUp || !isConnected}
          onClick={stopLab.run}
        />
        <div className="segmented pace" role="radiogroup" aria-label={t('lab.pace')}>
          {(['live', 'fast'] as const).map((choice) => (
            <label key={choice} title={t(`lab.pace.${choice}.help`)}>
              <input type="radio" name="pace" checked={choice === pace} onChange={() => bench.pace.set(choice)} />
              <span>{t(`lab.pace.${choice}`)}</span>
            </label>
          ))}
        </div>
      </div>
      <div className={`machine-chip tone-${look.tone}`}>
        <Ring state={look.ring} size={18} />
        <span data-testid="lab-phase">{look.label}</span>
        {isUp && (
          <span className="machine-chip-time" title={t('lab.clock')}>
            {duration(view.status.virtualNs / 1e6)}
            {view.status.phase === 'running' &&
              ` · ${number(view.status.realTimeFactor, { minimumFractionDigits: 2, maximumFractionDigits: 2 })}×`}
          </span>
        )}
      </div>
    </>
  )
}
