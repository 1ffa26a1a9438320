import type { IDockviewPanelHeaderProps } from 'dockview-react'
import type { ReactElement } from 'react'
import { useEffect } from 'react'
import { allProblems, countProblems } from '../state/diagnostics.ts'
import { isDirty } from '../state/documents.ts'
import { baseName } from '../state/paths.ts'
import { useStore } from '../state/use-store.ts'
import { useApp, useI18n } from '../ui/context.tsx'
import { Icon } from '../ui/icons.tsx'
import { CloseMark } from './close-mark.tsx'
import type { DocumentParams, Tool } from './layout.ts'
import { isClosableTool } from './layout.ts'
import { FileMark } from './project-panel.tsx'

/** The tab of one of the workbench's own panels. */
export function ToolTab({ api, tabLocation }: IDockviewPanelHeaderProps): ReactElement {
  const { workbench } = useApp()
  const { t } = useI18n()
  const tool = api.id as Tool
  const title = t(`panel.${tool}`)
  const diagnostics = useStore(workbench.diagnostics.store)
  const { errors, warnings } = countProblems(allProblems(diagnostics))
  const count = tool === 'problems' ? errors + warnings : 0
  const name = count > 0 ? `${title} ${count}` : title
  useEffect(() => api.setTitle(name), [api, name])
  const isClosable = isClosableTool(tool)
  return (
    <span className={isClosable ? 'tab tab-document' : 'tab'}>
      {title} {count > 0 && <span className={`tab-count ${errors > 0 ? 'tab-count-errors' : ''}`}>{count}</span>}
      {isClosable && tabLocation === 'header' && <CloseMark title={title} onClose={() => api.close()} />}
    </span>
  )
}

/** The tab of a document or a comparison. */
export function DocumentTab({ api, params, tabLocation }: IDockviewPanelHeaderProps<DocumentParams>): ReactElement {
  const { workbench } = useApp()
  const { t } = useI18n()
  const { path } = params
  const isComparison = api.component === 'comparison'
  const isUnsaved = useStore(workbench.documents.store, (documents) => {
    const document = documents.get(path)
    return !isComparison && document !== undefined && isDirty(document)
  })
  const hasConflict = useStore(workbench.documents.store, (documents) => documents.get(path)?.conflict !== undefined)
  const title = isComparison ? t('editor.compare.title', { name: baseName(path) }) : baseName(path)
  // Dockview gives the tab its title as its accessible name.
  const name = hasConflict ? t('panel.tab.conflict', { title }) : isUnsaved ? t('panel.tab.unsaved', { title }) : title
  useEffect(() => api.setTitle(name), [api, name])
  return (
    <span
      className="tab tab-document"
      title={name === title ? path : name}
      onPointerDown={(event) => {
        if (event.button === 1) {
          event.preventDefault()
          api.close()
        }
      }}
    >
      <FileMark path={path} />
      <span>{title}</span>
      {hasConflict && (
        <span className="tab-conflict">
          <Icon name="warning" size={13} />
        </span>
      )}
      {tabLocation === 'header' && <CloseMark title={title} isUnsaved={isUnsaved} onClose={() => api.close()} />}
    </span>
  )
}
