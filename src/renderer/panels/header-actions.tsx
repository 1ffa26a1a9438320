import type { DockviewApi, IDockviewHeaderActionsProps } from 'dockview-react'
import type { ReactElement } from 'react'
import { useEffect, useReducer, useState } from 'react'
import type { SerialConsole } from '../console/terminal.ts'
import { useStore } from '../state/use-store.ts'
import { IconButton } from '../ui/button.tsx'
import { useApp, useCommand, useI18n } from '../ui/context.tsx'
import type { LabConsoleParams } from './layout.ts'

/** What the panel in front can do, at the right end of its tabs. */
export function HeaderActions({ activePanel, api, containerApi, group }: IDockviewHeaderActionsProps): ReactElement {
  const { console, labConsoles } = useApp()
  const { t } = useI18n()
  const labNode = activePanel?.api.component === 'labConsole' ? (activePanel.params as LabConsoleParams).node : undefined
  const [isMaximized, setMaximized] = useState(api.isMaximized())
  useEffect(() => {
    const listener = containerApi.onDidMaximizedGroupChange(() => setMaximized(group.api.isMaximized()))
    return () => listener.dispose()
  }, [containerApi, group])
  return (
    <div className="header-actions">
      {activePanel?.id === 'project' && <ProjectActions />}
      {activePanel?.id === 'console' && <ConsoleActions terminal={console} />}
      {labNode !== undefined && (
        <>
          <ArrangeConsoles dock={containerApi} />
          <ConsoleActions terminal={labConsoles.terminal(labNode)} />
        </>
      )}
      <IconButton
        icon={isMaximized ? 'restore' : 'maximize'}
        label={t(isMaximized ? 'panel.restore' : 'panel.maximize')}
        onClick={() => (isMaximized ? api.exitMaximized() : api.maximize())}
      />
    </div>
  )
}

function ProjectActions(): ReactElement {
  const { workbench } = useApp()
  const { t } = useI18n()
  const hasOpenFolders = useStore(workbench.project.store, ({ expanded }) => expanded.size > 0)
  return (
    <>
      <IconButton icon="plus" label={t('project.newFile')} onClick={() => workbench.startNewFile('')} />
      {hasOpenFolders && (
        <IconButton
          icon="collapse"
          label={t('project.collapseAll')}
          onClick={() => {
            for (const folder of workbench.project.store.get().expanded) workbench.project.setExpanded(folder, false)
          }}
        />
      )}
    </>
  )
}

/** Where the lab has several consoles: side by side, or one behind the other. */
function ArrangeConsoles({ dock }: { dock: DockviewApi }): ReactElement | null {
  const { workbench } = useApp()
  const { layout, commands } = workbench
  const tile = useCommand(commands.lab.tileConsoles)
  const stack = useCommand(commands.lab.stackConsoles)
  const [, look] = useReducer((looks: number) => looks + 1, 0)
  useEffect(() => {
    const listener = dock.onDidLayoutChange(look)
    return () => listener.dispose()
  }, [dock])
  if (layout.labConsoles().length < 2) return null
  const [icon, { label, tooltip, run }] = layout.areConsolesTiled() ? (['tabs', stack] as const) : (['tile', tile] as const)
  return <IconButton icon={icon} label={label} title={tooltip} onClick={run} />
}

function ConsoleActions({ terminal }: { terminal: SerialConsole }): ReactElement {
  const { workbench } = useApp()
  const { t } = useI18n()
  const hasSelection = useStore(terminal.hasSelection)
  const find = useCommand(workbench.commands.findInConsole)
  return (
    <>
      {hasSelection && <IconButton icon="copy" label={t('console.copy')} onClick={() => void terminal.copySelection()} />}
      <IconButton icon="search" label={find.label} title={find.tooltip} onClick={() => terminal.isSearchOpen.set(true)} />
      <IconButton icon="clear" label={t('console.clear')} onClick={() => terminal.clear()} />
    </>
  )
}
