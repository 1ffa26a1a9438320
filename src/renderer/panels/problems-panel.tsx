import type { ReactElement } from 'react'
import { useMemo, useRef } from 'react'
import { allProblems } from '../state/diagnostics.ts'
import { useStore } from '../state/use-store.ts'
import { useApp, useI18n } from '../ui/context.tsx'
import { Icon } from '../ui/icons.tsx'

/** What the compiler found; a line leads to its place. */
export function ProblemsPanel(): ReactElement {
  const { workbench } = useApp()
  const { t } = useI18n()
  const diagnostics = useStore(workbench.diagnostics.store)
  const hasDocuments = useStore(workbench.documents.store, (documents) => documents.size > 0)
  const problems = useMemo(() => allProblems(diagnostics), [diagnostics])
  const ref = useRef<HTMLUListElement>(null)
  if (problems.length === 0) {
    return (
      <div className="panel-hint panel-hint-quiet" tabIndex={-1} data-autofocus>
        <p>
          {hasDocuments && <Icon name="check" />} {t(hasDocuments ? 'problems.none' : 'problems.none.unopened')}
        </p>
      </div>
    )
  }
  const files = [...new Set(problems.map(({ path }) => path))]
  return (
    <ul
      ref={ref}
      className="problems"
      aria-label={t('problems.label')}
      onKeyDown={(event) => {
        const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
        if (step === undefined) return
        const buttons = [...ref.current!.querySelectorAll('button')]
        const next = buttons[buttons.indexOf(document.activeElement as HTMLButtonElement) + step]
        next?.focus()
        event.preventDefault()
      }}
    >
      {files.map((path, fileIndex) => (
        <li key={path}>
          <p className="problems-file">{path}</p>
          <ul>
            {problems
              .filter((problem) => problem.path === path)
              .map(({ line, column, endLine, endColumn, severity, message, code }, index) => (
                <li key={`${line}:${column}:${severity}:${message}`}>
                  <button
                    type="button"
                    className={`problem problem-${severity}`}
                    data-autofocus={fileIndex === 0 && index === 0 ? '' : undefined}
                    onClick={() => workbench.openDocument(path, { line, column, endLine, endColumn })}
                  >
                    <Icon name={severity} />
                    <span className="visually-hidden">{t(`problems.severity.${severity}`)}: </span>
                    <span className="problem-message">{message}</span>
                    {code && <span className="problem-code">{code}</span>}
                    <span className="problem-place" aria-label={t('problems.place', { line, column })}>
                      {line}:{column}
                    </span>
                  </button>
                </li>
              ))}
          </ul>
        </li>
      ))}
    </ul>
  )
}
