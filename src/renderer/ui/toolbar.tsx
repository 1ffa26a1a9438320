import type { ReactElement } from 'react'
import { commandKey, commandTooltip } from '../commands/commands.ts'
import { isAlive } from '../state/machine.ts'
import { baseName } from '../state/paths.ts'
import { useStore } from '../state/use-store.ts'
import { Button, IconButton } from './button.tsx'
import { useApp, useCommand, useI18n } from './context.tsx'
import { Icon } from './icons.tsx'
import { LabControls } from './lab-controls.tsx'
import { Ring } from './ring.tsx'
import { usePhaseLook } from './use-phase-look.ts'
import { useTarget } from './use-target.ts'

/** The top of the window: which project, the machine's controls and state, the way to everything else. */
export function Toolbar(): ReactElement {
  const { workbench } = useApp()
  const i18n = useI18n()
  const { t } = i18n
  const { name, location } = useStore(workbench.project.store)
  const { commands } = workbench
  const palette = useCommand(commands.palette)
  const settings = useCommand(commands.settings)
  const topology = useCommand(commands.lab.showTopology)
  const isLabInFront = useStore(workbench.isLabInFront)
  return (
    <header className="toolbar">
      <div className="brand" title={location}>
        <Ring state="done" size={22} />
        <strong>{t('app.title')}</strong>
        <span className="brand-project">{name}</span>
      </div>
      {isLabInFront ? (
        <LabControls />
      ) : (
        <>
          <MachineControls />
          <MachineChip />
        </>
      )}
      <div className="toolbar-end">
        <button type="button" className="lab-button" title={topology.tooltip} aria-pressed={isLabInFront} onClick={topology.run}>
          <Icon name="network" />
          <span>{t('toolbar.lab')}</span>
        </button>
        <button type="button" className="palette-button" title={palette.tooltip} onClick={palette.run}>
          <Icon name="search" size={14} />
          <span className="palette-button-label">{palette.label}</span>
          <kbd aria-hidden="true">{commandKey(commands.palette, i18n)}</kbd>
        </button>
        <IconButton icon="settings" label={settings.label} title={settings.tooltip} onClick={settings.run} />
      </div>
    </header>
  )
}

function MachineControls(): ReactElement {
  const { workbench } = useApp()
  const i18n = useI18n()
  const { t } = i18n
  const { boot, build, stop, reset } = workbench.commands
  const target = useTarget()
  const { status, isGone, activity } = useStore(workbench.machine.store)
  const isConnected = useStore(workbench.session, (state) => state.kind === 'connected')
  const isBuilding = activity === 'building' || activity === 'booting'
  const program = target === null ? '' : baseName(target)
  const key = commandKey(boot, i18n) ?? ''
  return (
    <div role="group" aria-label={t('toolbar.label')} className="machine-controls">
      <Button
        variant="primary"
        icon="play"
        className="boot-button"
        disabled={target === null || isBuilding || !isConnected}
        title={target === null ? t('toolbar.noProgram') : t('command.withKey', { command: t('command.boot.program', { program }), key })}
        onClick={boot.run}
      >
        <span>{isBuilding ? t('toolbar.building') : t('toolbar.boot')}</span>
        <span className="boot-program" aria-hidden="true">
          {program}
        </span>
        <kbd aria-hidden="true">{key}</kbd>
      </Button>
      <IconButton
        icon="hammer"
        label={t(build.title)}
        title={commandTooltip(build, i18n)}
        disabled={target === null || isBuilding || !isConnected}
        onClick={build.run}
      />
      <span className="toolbar-divider" />
      <IconButton
        icon="stop"
        className="stop-button"
        label={t('machine.stop')}
        title={commandTooltip(stop, i18n)}
        disabled={!isAlive(status?.phase) || !isConnected}
        onClick={stop.run}
      />
      <IconButton
        icon="reset"
        label={t('machine.reset')}
        title={commandTooltip(reset, i18n)}
        disabled={!status || isGone || isBuilding || !isConnected}
        onClick={reset.run}
      />
    </div>
  )
}

/** The machine's state in short; a click leads to its panel. */
function MachineChip(): ReactElement {
  const { workbench } = useApp()
  const i18n = useI18n()
  const { t, duration } = i18n
  const view = useStore(workbench.machine.store)
  const look = usePhaseLook()
  if (view.lastBuild?.ok === false && view.activity === 'idle' && !isAlive(view.status?.phase)) {
    return (
      <button type="button" className="machine-chip tone-coral" onClick={workbench.commands.showProblems.run}>
        <Icon name="error" size={18} />
        {t('toolbar.buildFailed')}
      </button>
    )
  }
  return (
    <button type="button" className={`machine-chip tone-${look.tone}`} title={look.detail} onClick={workbench.commands.showMachine.run}>
      <Ring state={look.ring} size={18} />
      <span data-testid="machine-phase">{look.label}</span>
      {view.status && (
        <span className="machine-chip-time" title={t('machine.virtualTime')}>
          {duration(view.status.virtualNs / 1e6)}
        </span>
      )}
    </button>
  )
}
