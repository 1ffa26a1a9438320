import type { ReactElement, ReactNode } from 'react'
import { baseName } from '../state/paths.ts'
import { useStore } from '../state/use-store.ts'
import { useApp, useI18n } from '../ui/context.tsx'
import { Ring } from '../ui/ring.tsx'
import { usePhaseLook } from '../ui/use-phase-look.ts'

/** The machine's state and clocks. */
export function MachinePanel(): ReactElement {
  const { workbench } = useApp()
  const i18n = useI18n()
  const { t, number, duration } = i18n
  const view = useStore(workbench.machine.store)
  const { status, speed, lastBuild } = view
  const look = usePhaseLook()
  const seconds = (value: number, digits: number): ReactNode => (
    <>
      {number(value, { minimumFractionDigits: digits, maximumFractionDigits: digits })}
      <span className="unit">s</span>
    </>
  )
  return (
    <div className="machine" tabIndex={-1} data-autofocus>
      <div className={`machine-state tone-${look.tone}`}>
        <Ring state={look.ring} size={34} />
        <div>
          <p className="machine-phase">{look.label}</p>
          {status && <p className="machine-program">{status.program}</p>}
        </div>
      </div>
      {look.detail && <p className="machine-detail">{look.detail}</p>}
      {status && (
        <dl className="readout">
          <Reading name={t('machine.virtualTime')} help={t('machine.virtualTime.help')}>
            {seconds(status.virtualNs / 1e9, 6)}
          </Reading>
          <Reading name={t('machine.wallTime')}>{seconds(status.wallMs / 1000, 3)}</Reading>
          <Reading name={t('machine.instructions')}>{number(status.instructions)}</Reading>
          <Reading name={t('machine.speed')}>
            {speed ? t('machine.mips', { value: number(speed.mips, { maximumSignificantDigits: 3 }) }) : '–'}
          </Reading>
          <Reading name={t('machine.realTime')} help={t('machine.realTime.help')}>
            {speed
              ? t('machine.realTimeFactor', { value: number(speed.realTimeFactor, { minimumFractionDigits: 2, maximumFractionDigits: 2 }) })
              : '–'}
          </Reading>
          {status.exitStatus !== undefined && <Reading name={t('machine.exitStatus')}>{number(status.exitStatus)}</Reading>}
        </dl>
      )}
      {lastBuild && (
        <dl className="readout readout-build">
          <Reading name={t('machine.build')} help={baseName(lastBuild.program)}>
            {lastBuild.ok
              ? t(lastBuild.cached ? 'machine.build.cached' : 'machine.build.ok', { duration: duration(lastBuild.elapsedMs) })
              : t('machine.build.failed', { duration: duration(lastBuild.elapsedMs) })}
          </Reading>
        </dl>
      )}
    </div>
  )
}

function Reading({ name, help, children }: { name: string; help?: string; children: ReactNode }): ReactElement {
  return (
    <div title={help}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}
