import type { IDockviewPanelProps } from 'dockview-react'
import type { ReactElement } from 'react'
import { useEffect, useRef } from 'react'
import type { DocumentParams } from '../panels/layout.ts'
import { languageOf } from '../state/paths.ts'
import { useStore } from '../state/use-store.ts'
import { Button } from '../ui/button.tsx'
import { useApp, useI18n } from '../ui/context.tsx'
import { EDITOR_OPTIONS } from './document-panel.tsx'
import { monaco } from './monaco.ts'

/** What is on disk beside what is in the editor, which stays editable here. */
export function ComparisonPanel({ params: { path } }: IDockviewPanelProps<DocumentParams>): ReactElement {
  const { workbench, models } = useApp()
  const { documents, layout } = workbench
  const { t } = useI18n()
  const theirs = useStore(documents.store, (all) => {
    const conflict = all.get(path)?.conflict
    return conflict?.kind === 'changed' ? conflict.theirs.text : null
  })
  const phase = useStore(documents.store, (all) => all.get(path)?.phase)
  const ref = useRef<HTMLDivElement>(null)

  useEffect(() => void documents.open(path), [documents, path])
  useEffect(() => {
    const mine = models.get(path)
    if (theirs === null || !mine) return
    const original = monaco.editor.createModel(theirs, languageOf(path))
    const editor = monaco.editor.createDiffEditor(ref.current!, {
      ...EDITOR_OPTIONS,
      theme: 'atoll',
      originalEditable: false,
      renderSideBySide: true,
      useInlineViewWhenSpaceIsLimited: false,
    })
    editor.setModel({ original, modified: mine })
    return () => {
      editor.dispose()
      original.dispose()
    }
  }, [theirs, models, path, phase])

  if (theirs === null) {
    return (
      <div className="panel-hint">
        <p>{t('editor.compare.done')}</p>
        <Button onClick={() => layout.closeComparison(path)}>{t('editor.conflict.close')}</Button>
      </div>
    )
  }
  return (
    <div className="document">
      <div className="comparison-bar">
        <div>
          <span>{t('editor.compare.theirs')}</span>
          <Button
            onClick={() => {
              documents.takeTheirs(path)
              layout.closeComparison(path)
            }}
          >
            {t('editor.conflict.takeTheirs')}
          </Button>
        </div>
        <div>
          <span>{t('editor.compare.mine')}</span>
          <Button
            variant="primary"
            onClick={() => {
              void documents.keepMine(path)
              layout.closeComparison(path)
            }}
          >
            {t('editor.conflict.keepMine')}
          </Button>
        </div>
      </div>
      <div ref={ref} className="code-editor" />
    </div>
  )
}
