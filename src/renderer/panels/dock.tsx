import type { DockviewMessages, DockviewReadyEvent } from 'dockview-react'
import { DockviewReact } from 'dockview-react'
import type { ReactElement } from 'react'
import { useMemo, useRef } from 'react'
import { ConsolePanel } from '../console/console-panel.tsx'
import { LabConsolePanel } from '../console/lab-console-panel.tsx'
import { ComparisonPanel } from '../editor/comparison-panel.tsx'
import { DocumentPanel } from '../editor/document-panel.tsx'
import type { I18n } from '../i18n/i18n.ts'
import { PacketsPanel } from '../packets/packets-panel.tsx'
import { TopologyPanel } from '../topology/topology-panel.tsx'
import { useApp, useI18n } from '../ui/context.tsx'
import { HeaderActions } from './header-actions.tsx'
import { MachinePanel } from './machine-panel.tsx'
import { ProblemsPanel } from './problems-panel.tsx'
import { ProcessesPanel } from './processes-panel.tsx'
import { ProjectPanel } from './project-panel.tsx'
import { LabConsoleTab, TopologyTab } from './lab-tab.tsx'
import { DocumentTab, ToolTab } from './tab.tsx'
import { Welcome } from './welcome.tsx'

const COMPONENTS = {
  project: ProjectPanel,
  machine: MachinePanel,
  console: ConsolePanel,
  problems: ProblemsPanel,
  document: DocumentPanel,
  comparison: ComparisonPanel,
  topology: TopologyPanel,
  labConsole: LabConsolePanel,
  packets: PacketsPanel,
  processes: ProcessesPanel,
}
const TAB_COMPONENTS = { document: DocumentTab, tool: ToolTab, topology: TopologyTab, labConsole: LabConsoleTab }
const THEME = {
  name: 'atoll',
  className: 'dockview-theme-atoll',
  gap: 1,
  dndOverlayMounting: 'relative',
  dndPanelOverlay: 'group',
} as const

/** The docked panels: movable with the mouse, and by commands with the keyboard. */
export function Dock({ onReady }: { onReady: (event: DockviewReadyEvent) => void }): ReactElement {
  const { workbench } = useApp()
  const i18n = useI18n()
  const messages = useMemo(() => dockMessages(i18n), [i18n])
  const isReady = useRef(false)
  return (
    <DockviewReact
      className="dock"
      theme={THEME}
      components={COMPONENTS}
      tabComponents={TAB_COMPONENTS}
      defaultTabComponent={ToolTab}
      watermarkComponent={Welcome}
      rightHeaderActionsComponent={HeaderActions}
      closeEmptyGroups={false}
      disableFloatingGroups
      messages={messages}
      onReady={(event) => {
        if (isReady.current) return
        isReady.current = true
        onReady(event)
        for (const path of workbench.documents.draftPaths())
          if (!workbench.layout.documents().includes(path)) workbench.layout.openDocument(path)
      }}
    />
  )
}

function dockMessages({ t }: I18n): Partial<DockviewMessages> {
  return {
    panelOpened: (title) => t('panel.opened', { title }),
    panelClosed: (title) => t('panel.closed', { title }),
    groupMaximized: (title) => t('panel.maximized', { title }),
    groupRestored: (title) => t('panel.restored', { title }),
    closeTab: (title) => t('panel.closeTab', { title }),
  }
}
