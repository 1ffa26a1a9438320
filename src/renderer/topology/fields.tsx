import type { ReactElement, ReactNode } from 'react'
import { useId, useState } from 'react'

/** What the inspector is about. */
export function InspectorHead({ title, kind, children }: { title: string; kind: string; children?: ReactNode }): ReactElement {
  return (
    <header className="inspector-head">
      <div>
        <h2>{title}</h2>
        <p>{kind}</p>
      </div>
      {children}
    </header>
  )
}

/** A labelled line of the inspector. `problem` says what is wrong with what is in it. */
export function Field({
  label,
  hint,
  problem,
  children,
}: {
  label: string
  hint?: string
  problem?: string | null
  children: (id: string, describedBy: string | undefined) => ReactNode
}): ReactElement {
  const id = useId()
  const noteId = `${id}-note`
  const note = problem ?? hint
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {children(id, note ? noteId : undefined)}
      {note && (
        <p id={noteId} className={problem ? 'field-problem' : 'field-hint'} role={problem ? 'alert' : undefined}>
          {note}
        </p>
      )}
    </div>
  )
}

/** Text that counts when it is finished: with Enter, or by leaving. Escape, and leaving what is wrong, bring the old text back. */
export function TextField({
  label,
  value,
  hint,
  placeholder,
  isFirst = false,
  problemOf = () => null,
  onDone,
}: {
  label: string
  value: string
  hint?: string
  placeholder?: string
  /** The inspector's first field, where the keyboard lands. */
  isFirst?: boolean
  problemOf?: (text: string) => string | null
  onDone: (text: string) => void
}): ReactElement {
  const [typed, setTyped] = useState<string | null>(null)
  const problem = typed === null ? null : problemOf(typed)
  const finish = (): void => {
    if (typed !== null && typed !== value && problem === null) onDone(typed)
    setTyped(null)
  }
  return (
    <Field label={label} hint={hint} problem={problem}>
      {(id, describedBy) => (
        <input
          id={id}
          className="input"
          data-inspect={isFirst ? '' : undefined}
          value={typed ?? value}
          placeholder={placeholder}
          aria-invalid={problem !== null}
          aria-describedby={describedBy}
          spellCheck={false}
          autoComplete="off"
          onChange={(event) => setTyped(event.target.value)}
          onBlur={finish}
          onKeyDown={(event) => {
            if (event.key === 'Enter') finish()
            else if (event.key === 'Escape' && typed !== null) setTyped(null)
            else return
            event.stopPropagation()
          }}
        />
      )}
    </Field>
  )
}
