import type { ReactElement } from 'react'
import { useEffect, useId, useMemo, useRef, useState } from 'react'
import { commandKey } from '../commands/commands.ts'
import { rank } from '../commands/palette.ts'
import { baseName } from '../state/paths.ts'
import { useStore } from '../state/use-store.ts'
import { FileMark } from '../panels/project-panel.tsx'
import { useApp, useI18n } from './context.tsx'
import { Dialog } from './dialog.tsx'

/** Files shown at most: the palette is for those whose name is known. */
const FILES_MAX = 8

/** Every command and file by name (WAI-ARIA Authoring Practices, combobox with a listbox). */
export function PaletteDialog({ onClose }: { onClose: () => void }): ReactElement {
  const { workbench } = useApp()
  const i18n = useI18n()
  const { t } = i18n
  const entries = useStore(workbench.project.store, (project) => project.entries)
  const [query, setQuery] = useState('')
  const [index, setIndex] = useState(0)
  const listId = useId()
  const listRef = useRef<HTMLDivElement>(null)

  const items = useMemo(() => {
    const files =
      query.trim() === ''
        ? []
        : rank(
            query,
            (entries ?? []).filter(({ kind }) => kind === 'file'),
            ({ path }) => path,
          ).slice(0, FILES_MAX)
    const commands = workbench.commands.all.filter((command) => command !== workbench.commands.palette && command.isEnabled())
    return [
      ...files.map(({ path }) => ({
        id: `file:${path}`,
        text: path,
        mark: <FileMark path={path} />,
        key: null,
        run: () => workbench.openDocument(path),
        label: baseName(path),
      })),
      ...rank(query, commands, (command) => t(command.title)).map((command) => ({
        id: `command:${command.title}`,
        text: t(command.title),
        mark: null,
        key: commandKey(command, i18n),
        run: command.run,
        label: t(command.title),
      })),
    ]
  }, [query, entries, workbench, i18n, t])
  const selected = Math.min(index, items.length - 1)

  useEffect(() => {
    listRef.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: 'nearest' })
  }, [selected, query])

  const run = (at: number): void => {
    const item = items[at]
    if (!item) return
    onClose()
    // After the dialog has given the focus back, so that the command decides where it goes.
    setTimeout(item.run, 0)
  }
  return (
    <Dialog label={t('palette.label')} className="palette" onClose={onClose}>
      <input
        className="input palette-input"
        role="combobox"
        aria-expanded="true"
        aria-controls={listId}
        aria-activedescendant={items[selected] ? `${listId}-${selected}` : undefined}
        aria-label={t('palette.placeholder')}
        placeholder={t('palette.placeholder')}
        value={query}
        spellCheck={false}
        autoFocus
        onChange={(event) => {
          setQuery(event.target.value)
          setIndex(0)
        }}
        onKeyDown={(event) => {
          if (event.key === 'ArrowDown') setIndex((selected + 1) % items.length)
          else if (event.key === 'ArrowUp') setIndex((selected - 1 + items.length) % items.length)
          else if (event.key === 'Enter') run(selected)
          else return
          event.preventDefault()
        }}
      />
      <div ref={listRef} id={listId} role="listbox" aria-label={t('palette.commands')} className="palette-list">
        {items.map((item, at) => (
          <div
            key={item.id}
            id={`${listId}-${at}`}
            role="option"
            aria-selected={at === selected}
            className="palette-item"
            onPointerMove={() => setIndex(at)}
            onClick={() => run(at)}
          >
            {item.mark}
            <span>{item.text}</span>
            {item.key && <kbd>{item.key}</kbd>}
          </div>
        ))}
      </div>
      {items.length === 0 && <p className="panel-hint panel-hint-quiet">{t('palette.none')}</p>}
    </Dialog>
  )
}
