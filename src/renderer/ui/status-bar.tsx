import type { ReactElement } from 'react'
import { isLabDirty } from '../lab/lab.ts'
import { allProblems, countProblems } from '../state/diagnostics.ts'
import { isDirty } from '../state/documents.ts'
import { languageOf } from '../state/paths.ts'
import { useStore } from '../state/use-store.ts'
import { useApp, useI18n } from './context.tsx'
import { Icon } from './icons.tsx'
import { labLook } from './lab-controls.tsx'
import { Ring } from './ring.tsx'

/** The bottom of the window: connection, problems, and where the cursor is. */
export function StatusBar(): ReactElement {
  const { workbench, editors } = useApp()
  const i18n = useI18n()
  const { t } = i18n
  const session = useStore(workbench.session, ({ kind }) => kind)
  const location = useStore(workbench.project.store, (project) => project.location)
  const diagnostics = useStore(workbench.diagnostics.store)
  const unsavedDocuments = useStore(workbench.documents.store, (documents) => [...documents.values()].filter(isDirty).length)
  const unsaved = unsavedDocuments + useStore(workbench.lab.lab.store, (view) => (isLabDirty(view) ? 1 : 0))
  const hasDocuments = useStore(workbench.documents.store, (documents) => documents.size > 0)
  const cursor = useStore(editors.cursor)
  const hasLab = useStore(workbench.lab.lab.store, ({ history }) => history !== null)
  const look = labLook(useStore(workbench.lab.lab.store), session === 'connected', i18n)
  const { errors, warnings } = countProblems(allProblems(diagnostics))
  const counts = [
    errors > 0 && t('problems.errors', { count: errors }),
    warnings > 0 && t('problems.warnings', { count: warnings }),
  ].filter(Boolean)
  return (
    <footer className="status-bar" aria-label={t('status.label')}>
      <span className={`connection connection-${session}`}>
        <span className="connection-dot" />
        {t(session === 'connected' ? 'status.connected' : session === 'lost' ? 'status.disconnected' : 'status.connecting')}
      </span>
      <span className="status-location">{location}</span>
      <button
        type="button"
        className={errors > 0 ? 'status-errors' : warnings > 0 ? 'status-warnings' : ''}
        onClick={workbench.commands.showProblems.run}
      >
        <Icon name={errors > 0 ? 'error' : warnings > 0 ? 'warning' : 'check'} size={13} />
        {counts.length > 0 ? counts.join(', ') : t('problems.noneShort')}
      </button>
      {hasLab && (
        <button type="button" onClick={workbench.commands.lab.showTopology.run}>
          <Ring state={look.ring} size={14} />
          {t('status.lab', { phase: look.label })}
        </button>
      )}
      <span className="status-end">
        {(hasDocuments || unsaved > 0) && (
          <span role="status">{unsaved > 0 ? t('status.unsaved', { count: unsaved }) : t('status.saved')}</span>
        )}
        {cursor && (
          <>
            {cursor.selected > 0 && <span>{t('status.selected', { count: cursor.selected })}</span>}
            <span>{t('status.cursor', { line: cursor.line, column: cursor.column })}</span>
            <span>{t(`status.language.${languageOf(cursor.path)}`)}</span>
          </>
        )}
      </span>
    </footer>
  )
}
