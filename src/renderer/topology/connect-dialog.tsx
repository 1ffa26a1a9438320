import type { ReactElement } from 'react'
import { useId, useRef, useState } from 'react'
import { connectProblem } from '../lab/topology.ts'
import { useApp, useI18n } from '../ui/context.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { Icon } from '../ui/icons.tsx'

/** Wires a node to another by name: what dragging from its edge does, for the keyboard. */
export function ConnectDialog({ from, onClose }: { from: string; onClose: () => void }): ReactElement {
  const { workbench } = useApp()
  const { t } = useI18n()
  const bench = workbench.lab
  const [query, setQuery] = useState('')
  const [index, setIndex] = useState(0)
  const listId = useId()
  const listRef = useRef<HTMLDivElement>(null)
  const { topology } = bench
  const isFull = topology?.nodes.every(({ id }) => id === from || connectProblem(topology, from, id) === 'full-a') ?? true
  // What has many ports comes first: it is what one mostly wires to.
  const candidates = (topology?.nodes ?? [])
    .filter(({ id }) => connectProblem(topology!, from, id) === null && id.toLowerCase().includes(query.trim().toLowerCase()))
    .toSorted((a, b) => Number(a.kind === 'machine') - Number(b.kind === 'machine'))
  const current = Math.min(index, candidates.length - 1)
  const choose = (id: string | undefined): void => {
    if (id === undefined) return
    onClose()
    bench.connect(from, id)
  }
  const move = (to: number): void => {
    setIndex(to)
    listRef.current?.children[to]?.scrollIntoView({ block: 'nearest' })
  }
  const label = t('lab.connectDialog.title', { node: from })
  return (
    <Dialog label={label} className="palette" onClose={onClose}>
      <input
        className="input palette-input"
        role="combobox"
        aria-label={label}
        aria-expanded={candidates.length > 0}
        aria-controls={listId}
        aria-activedescendant={candidates.length > 0 ? `${listId}-${current}` : undefined}
        placeholder={label}
        value={query}
        autoFocus
        spellCheck={false}
        onChange={(event) => {
          setQuery(event.target.value)
          setIndex(0)
        }}
        onKeyDown={(event) => {
          if (event.key === 'ArrowDown') move((current + 1) % candidates.length)
          else if (event.key === 'ArrowUp') move((current - 1 + candidates.length) % candidates.length)
          else if (event.key === 'Enter') choose(candidates[current]?.id)
          else return
          event.preventDefault()
        }}
      />
      <div ref={listRef} id={listId} className="palette-list" role="listbox" aria-label={label}>
        {candidates.map(({ id, kind }, at) => (
          <div
            key={id}
            id={`${listId}-${at}`}
            className="palette-item"
            role="option"
            aria-selected={at === current}
            onPointerMove={() => setIndex(at)}
            onClick={() => choose(id)}
          >
            <Icon name={kind} size={14} />
            <span>{id}</span>
            <span className="inspector-row-end">{t(`lab.kind.${kind}`)}</span>
          </div>
        ))}
      </div>
      {candidates.length === 0 && (
        <p className="panel-hint" role="status">
          {isFull ? t('lab.connect.full', { name: from }) : t('lab.connectDialog.none')}
        </p>
      )}
    </Dialog>
  )
}
