import type { IDockviewPanelHeaderProps } from 'dockview-react'
import type { ReactElement } from 'react'
import { useEffect } from 'react'
import { labTitle } from '../lab/lab-bench.ts'
import { isLabDirty, topologyOf } from '../lab/lab.ts'
import { useStore } from '../state/use-store.ts'
import { useNodeLook } from '../topology/use-node-look.ts'
import { useApp, useI18n } from '../ui/context.tsx'
import { Icon } from '../ui/icons.tsx'
import { Ring } from '../ui/ring.tsx'
import { CloseMark } from './close-mark.tsx'
import type { LabConsoleParams } from './layout.ts'

/** The tab of the lab's drawing. */
export function TopologyTab({ api, tabLocation }: IDockviewPanelHeaderProps): ReactElement {
  const { workbench } = useApp()
  const { t } = useI18n()
  const { store } = workbench.lab.lab
  const topology = useStore(store, topologyOf)
  const path = useStore(store, (view) => view.path)
  const isUnsaved = useStore(store, isLabDirty)
  const title = topology ? t('lab.tab', { name: labTitle(topology, path) || t('lab.untitled') }) : t('panel.topology')
  const name = isUnsaved ? t('panel.tab.unsaved', { title }) : title
  useEffect(() => api.setTitle(name), [api, name])
  return (
    <span className="tab tab-document" title={path ?? undefined}>
      <Icon name="network" size={14} />
      <span>{title}</span>
      {tabLocation === 'header' && <CloseMark title={title} isUnsaved={isUnsaved} onClose={() => api.close()} />}
    </span>
  )
}

/** The tab of a machine's console, with the machine's state as its mark. */
export function LabConsoleTab({ api, params: { node }, tabLocation }: IDockviewPanelHeaderProps<LabConsoleParams>): ReactElement {
  const { t } = useI18n()
  const look = useNodeLook(node)
  const title = t('lab.console.tab', { node })
  useEffect(() => api.setTitle(title), [api, title])
  return (
    <span className={`tab tab-document tone-${look.tone}`} title={`${title}: ${look.label}`}>
      <Ring state={look.ring} size={14} />
      <span>{node}</span>
      {tabLocation === 'header' && <CloseMark title={title} onClose={() => api.close()} />}
    </span>
  )
}
