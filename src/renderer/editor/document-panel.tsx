import type { IDockviewPanelProps } from 'dockview-react'
import type { ReactElement } from 'react'
import { useEffect, useRef, useState } from 'react'
import type { ProjectPath } from '../../protocol/service.ts'
import { commandKey } from '../commands/commands.ts'
import type { DocumentParams } from '../panels/layout.ts'
import { baseName, isBinary } from '../state/paths.ts'
import { useStore } from '../state/use-store.ts'
import { Button } from '../ui/button.tsx'
import { useApp, useI18n } from '../ui/context.tsx'
import { monaco } from './monaco.ts'

export const EDITOR_OPTIONS: monaco.editor.IEditorOptions &
  monaco.editor.IGlobalEditorOptions & { 'bracketPairColorization.enabled': boolean } = {
  automaticLayout: true,
  fontFamily: 'var(--font-mono)',
  fontSize: 13,
  lineHeight: 20,
  fontLigatures: false,
  minimap: { enabled: false },
  padding: { top: 8, bottom: 8 },
  scrollBeyondLastLine: false,
  renderLineHighlight: 'line',
  renderLineHighlightOnlyWhenFocus: true,
  fixedOverflowWidgets: true,
  overviewRulerLanes: 2,
  lineNumbersMinChars: 4,
  lineDecorationsWidth: 8,
  wordBasedSuggestions: 'currentDocument',
  quickSuggestions: { other: true, comments: false, strings: false },
  'bracketPairColorization.enabled': false,
  guides: { indentation: true, bracketPairs: false },
  unicodeHighlight: { nonBasicASCII: false },
  scrollbar: { verticalScrollbarSize: 10, horizontalScrollbarSize: 10, useShadows: false },
}

/** One file: its editor, and above it whatever stands between its text and the disk. */
export function DocumentPanel({ api, params: { path } }: IDockviewPanelProps<DocumentParams>): ReactElement {
  const { workbench } = useApp()
  const { t } = useI18n()
  const phase = useStore(workbench.documents.store, (documents) => documents.get(path)?.phase)
  const error = useStore(workbench.documents.store, (documents) => documents.get(path)?.error)
  const [hasBeenVisible, setHasBeenVisible] = useState(api.isVisible)
  const name = baseName(path)

  useEffect(() => {
    if (!isBinary(path)) void workbench.documents.open(path)
  }, [path, workbench])
  useEffect(() => {
    const listener = api.onDidVisibilityChange(({ isVisible }) => {
      if (isVisible) setHasBeenVisible(true)
    })
    return () => listener.dispose()
  }, [api])

  if (isBinary(path)) {
    const key = commandKey(workbench.commands.boot, workbench.i18n.get()) ?? ''
    return <p className="panel-hint">{t('editor.binary', { name, key })}</p>
  }
  if (phase === 'failed') {
    return (
      <div className="panel-hint" role="alert">
        <p>
          <strong>{t('editor.failed', { name })}</strong>
        </p>
        <p>{error}</p>
        <Button icon="reset" onClick={() => void workbench.documents.open(path)}>
          {t('editor.retry')}
        </Button>
      </div>
    )
  }
  if (phase !== 'ready') return <p className="panel-hint">{t('editor.loading', { name })}</p>
  return (
    <div className="document">
      <DocumentBar path={path} />
      {hasBeenVisible && <CodeEditor path={path} />}
    </div>
  )
}

function CodeEditor({ path }: { path: ProjectPath }): ReactElement {
  const { models, editors } = useApp()
  const { t } = useI18n()
  const ref = useRef<HTMLDivElement>(null)
  const editorRef = useRef<monaco.editor.IStandaloneCodeEditor | null>(null)
  const label = t('editor.label', { path })

  useEffect(() => {
    const editor = monaco.editor.create(ref.current!, { ...EDITOR_OPTIONS, theme: 'atoll', model: models.get(path) ?? null })
    editorRef.current = editor
    const remove = editors.add(path, editor)
    return () => {
      remove()
      editor.dispose()
    }
  }, [path, models, editors])
  useEffect(() => editorRef.current?.updateOptions({ ariaLabel: label }), [label, path])

  return <div ref={ref} className="code-editor" />
}

/** Conflicts and failed saves of one document, with what can be done. */
function DocumentBar({ path }: { path: ProjectPath }): ReactElement | null {
  const { workbench } = useApp()
  const { documents, layout } = workbench
  const { t } = useI18n()
  const conflict = useStore(documents.store, (all) => all.get(path)?.conflict)
  const saveError = useStore(documents.store, (all) => all.get(path)?.saveError)
  const isConnected = useStore(workbench.session, (state) => state.kind === 'connected')
  if (conflict?.kind === 'changed') {
    return (
      <div className="document-bar" role="alert">
        <p>{t('editor.conflict.changed')}</p>
        <Button onClick={() => layout.openComparison(path)}>{t('editor.conflict.compare')}</Button>
        <Button onClick={() => documents.takeTheirs(path)}>{t('editor.conflict.takeTheirs')}</Button>
        <Button variant="primary" onClick={() => void documents.keepMine(path)}>
          {t('editor.conflict.keepMine')}
        </Button>
      </div>
    )
  }
  if (conflict?.kind === 'deleted') {
    return (
      <div className="document-bar" role="alert">
        <p>{t('editor.conflict.deleted')}</p>
        <Button
          onClick={() => {
            documents.deleted(path)
            layout.closeDocuments(path)
          }}
        >
          {t('editor.conflict.close')}
        </Button>
        <Button variant="primary" onClick={() => void documents.keepMine(path)}>
          {t('editor.conflict.restore')}
        </Button>
      </div>
    )
  }
  if (saveError !== undefined && isConnected) {
    return (
      <div className="document-bar" role="alert">
        <p>{t('editor.saveFailed', { reason: saveError })}</p>
        <Button onClick={() => void documents.save(path)}>{t('editor.saveRetry')}</Button>
      </div>
    )
  }
  return null
}
