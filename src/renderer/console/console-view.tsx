import type { ReactElement, ReactNode } from 'react'
import { useEffect, useRef, useState } from 'react'
import type { I18n } from '../i18n/i18n.ts'
import { useStore } from '../state/use-store.ts'
import { IconButton } from '../ui/button.tsx'
import { useI18n } from '../ui/context.tsx'
import { Icon } from '../ui/icons.tsx'
import type { SearchResult, SerialConsole } from './terminal.ts'
import { SEARCH_RESULTS_MAX } from './terminal.ts'

/** A machine's console with what helps to read it: search, and the way back to its end. `empty` stands in for text that is not there. */
export function ConsoleView({
  terminal,
  label,
  testId,
  empty,
}: {
  terminal: SerialConsole
  label: string
  testId?: string
  empty: ReactNode
}): ReactElement {
  const { t } = useI18n()
  const ref = useRef<HTMLDivElement>(null)
  const isAtEnd = useStore(terminal.isAtEnd)
  const isSearchOpen = useStore(terminal.isSearchOpen)
  useEffect(() => terminal.mount(ref.current!), [terminal])
  useEffect(() => terminal.setLabel(label), [terminal, label])
  return (
    <section className="console" aria-label={label}>
      <div ref={ref} className="console-terminal" data-testid={testId} />
      {empty && <div className="console-empty">{empty}</div>}
      {!isAtEnd && (
        <button type="button" className="console-to-end" onClick={() => terminal.scrollToEnd()}>
          <Icon name="toEnd" /> {t('console.scrollToEnd')}
        </button>
      )}
      {isSearchOpen && <ConsoleSearch terminal={terminal} />}
    </section>
  )
}

function searchCount({ index, total }: SearchResult, { t, number }: I18n): string {
  if (total === 0) return t('console.find.none')
  if (total >= SEARCH_RESULTS_MAX) return `${number(SEARCH_RESULTS_MAX)}+`
  return t('console.find.count', { index: index + 1, total })
}

function ConsoleSearch({ terminal }: { terminal: SerialConsole }): ReactElement {
  const i18n = useI18n()
  const { t } = i18n
  const [text, setText] = useState('')
  const result = useStore(terminal.searchResult)
  const ref = useRef<HTMLInputElement>(null)
  useEffect(() => ref.current!.focus(), [])
  const close = (): void => {
    terminal.endSearch()
    terminal.isSearchOpen.set(false)
    terminal.focus()
  }
  return (
    <search className="console-search">
      <input
        ref={ref}
        className="input"
        aria-label={t('console.find')}
        placeholder={t('console.find')}
        value={text}
        spellCheck={false}
        onChange={(event) => {
          setText(event.target.value)
          terminal.find(event.target.value, 'newest')
        }}
        onKeyDown={(event) => {
          if (event.key === 'Escape') close()
          else if (event.key === 'Enter') terminal.find(text, event.shiftKey ? 'newer' : 'older')
          else return
          event.preventDefault()
        }}
      />
      <span className="console-search-count" role="status">
        {text !== '' && result && searchCount(result, i18n)}
      </span>
      <IconButton icon="chevronUp" label={t('console.find.previous')} onClick={() => terminal.find(text, 'older')} />
      <IconButton icon="chevronDown" label={t('console.find.next')} onClick={() => terminal.find(text, 'newer')} />
      <IconButton icon="close" label={t('console.find.close')} onClick={close} />
    </search>
  )
}
