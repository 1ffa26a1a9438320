import type { ReactElement } from 'react'
import type { NodeKind } from '../../protocol/lab.ts'
import type { Command } from '../commands/command.ts'
import { canRedo, canUndo } from '../lab/history.ts'
import { useStore } from '../state/use-store.ts'
import { IconButton } from '../ui/button.tsx'
import { useApp, useCommand, useI18n } from '../ui/context.tsx'
import type { IconName } from '../ui/icons.tsx'
import { Icon } from '../ui/icons.tsx'
import { NODE_MIME } from './canvas.tsx'

/** What can be put on the canvas, by click or by dragging it there, and what can be done with what is on it. */
export function CanvasToolbar({
  isInspectorOpen,
  onToggleInspector,
}: {
  isInspectorOpen: boolean
  onToggleInspector: () => void
}): ReactElement {
  const { workbench } = useApp()
  const { t } = useI18n()
  const { lab } = workbench.commands
  const history = useStore(workbench.lab.lab.store, (view) => view.history)
  const selection = useStore(workbench.lab.selection)
  const hasNodes = selection.nodes.size > 0
  return (
    <div className="canvas-toolbar" role="toolbar" aria-label={t('lab.toolbar')}>
      <Stencil kind="machine" command={lab.addMachine} />
      <Stencil kind="switch" command={lab.addSwitch} />
      <Stencil kind="hub" command={lab.addHub} />
      <span className="toolbar-divider" />
      <Tool icon="cable" command={lab.connect} isDisabled={selection.nodes.size !== 1} />
      <Tool icon="duplicate" command={lab.duplicate} isDisabled={!hasNodes} />
      <Tool icon="trash" command={lab.remove} isDisabled={!hasNodes && selection.links.size === 0} />
      <span className="toolbar-divider" />
      <Tool icon="undo" command={lab.undo} isDisabled={!history || !canUndo(history)} />
      <Tool icon="redo" command={lab.redo} isDisabled={!history || !canRedo(history)} />
      <span className="canvas-toolbar-end">
        <Tool icon="folderOpen" command={lab.openLab} />
        <Tool icon="save" command={lab.saveLab} />
        <IconButton
          icon="sidebar"
          label={t('lab.inspector.toggle')}
          aria-pressed={isInspectorOpen}
          className={isInspectorOpen ? 'icon-button-on' : ''}
          onClick={onToggleInspector}
        />
      </span>
    </div>
  )
}

function Tool({ icon, command, isDisabled = false }: { icon: IconName; command: Command; isDisabled?: boolean }): ReactElement {
  const { label, tooltip, run } = useCommand(command)
  return <IconButton icon={icon} label={label} title={tooltip} disabled={isDisabled} onClick={run} />
}

function Stencil({ kind, command }: { kind: NodeKind; command: Command }): ReactElement {
  const { t } = useI18n()
  const { label, tooltip, run } = useCommand(command)
  return (
    <button
      type="button"
      className="stencil"
      aria-label={label}
      title={tooltip}
      draggable
      onDragStart={({ dataTransfer }) => {
        dataTransfer.setData(NODE_MIME, kind)
        dataTransfer.effectAllowed = 'copy'
      }}
      onClick={run}
    >
      <Icon name={kind} />
      <span>{t(`lab.kind.${kind}`)}</span>
    </button>
  )
}
