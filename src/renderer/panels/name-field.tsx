import type { ReactElement } from 'react'
import { useEffect, useId, useRef, useState } from 'react'
import type { ProjectPath } from '../../protocol/service.ts'
import { nameProblem } from '../state/paths.ts'
import { useApp, useI18n } from '../ui/context.tsx'

/** A line of the tree in which a name is typed. Enter takes it, Escape and leaving give it up. */
export function NameField({
  level,
  folder,
  initial,
  label,
  hint,
  onDone,
}: {
  level: number
  folder: ProjectPath
  initial: string
  label: string
  hint?: string
  /** Null: given up. */
  onDone: (name: string | null) => void
}): ReactElement {
  const { workbench } = useApp()
  const { t } = useI18n()
  const [name, setName] = useState(initial)
  const [isTried, setTried] = useState(false)
  const ref = useRef<HTMLInputElement>(null)
  const isOver = useRef(false)
  const messageId = useId()
  const problem = name === initial && initial !== '' ? null : nameProblem(folder, name, (path) => workbench.project.has(path))
  const message = problem && (problem !== 'empty' || isTried) ? t(`project.problem.${problem}`) : hint

  useEffect(() => {
    const dot = initial.lastIndexOf('.')
    ref.current!.focus()
    ref.current!.setSelectionRange(0, dot > 0 ? dot : initial.length)
  }, [initial])

  const finish = (result: string | null): void => {
    if (isOver.current) return
    isOver.current = true
    onDone(result)
  }
  return (
    <div className="name-field" style={{ paddingInlineStart: 6 + (level - 1) * 14 }}>
      <input
        ref={ref}
        className="input"
        aria-label={label}
        aria-invalid={problem !== null && (problem !== 'empty' || isTried)}
        aria-describedby={messageId}
        value={name}
        spellCheck={false}
        autoComplete="off"
        onChange={(event) => setName(event.target.value)}
        onBlur={() => finish(null)}
        onKeyDown={(event) => {
          event.stopPropagation()
          if (event.key === 'Escape') finish(null)
          else if (event.key === 'Enter') {
            setTried(true)
            if (problem === null) finish(name)
          }
        }}
      />
      {message && (
        <p
          id={messageId}
          className={problem && message !== hint ? 'name-field-problem' : 'name-field-hint'}
          role={problem ? 'alert' : undefined}
        >
          {message}
        </p>
      )}
    </div>
  )
}
