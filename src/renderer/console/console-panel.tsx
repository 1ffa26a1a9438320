import type { ReactElement } from 'react'
import { useEffect, useRef, useState } from 'react'
import { commandKey } from '../commands/commands.ts'
import type { I18n } from '../i18n/i18n.ts'
import { isAlive } from '../state/machine.ts'
import { baseName } from '../state/paths.ts'
import { useStore } from '../state/use-store.ts'
import { IconButton } from '../ui/button.tsx'
import { useApp, useI18n } from '../ui/context.tsx'
import { Icon } from '../ui/icons.tsx'
import { Ring } from '../ui/ring.tsx'
import { useTarget } from '../ui/use-target.ts'
import type { SearchResult } from './terminal.ts'
import { SEARCH_RESULTS_MAX } from './terminal.ts'

/** The machine's serial console. */
export function ConsolePanel(): ReactElement {
  const { workbench, console } = useApp()
  const i18n = useI18n()
  const { t } = i18n
  const ref = useRef<HTMLDivElement>(null)
  const phase = useStore(workbench.machine.store, ({ status }) => status?.phase)
  const isBusy = useStore(workbench.machine.store, ({ activity }) => activity === 'booting')
  const hasText = useStore(console.hasText)
  const isAtEnd = useStore(console.isAtEnd)
  const isSearchOpen = useStore(workbench.isConsoleSearchOpen)
  const target = useTarget()
  const label = t('console.label')
  const key = commandKey(workbench.commands.boot, i18n) ?? ''

  useEffect(() => console.mount(ref.current!), [console])
  useEffect(() => console.setLabel(label), [console, label])

  const isEmpty = !hasText && !isAlive(phase) && !isBusy
  return (
    <section className="console" aria-label={label}>
      <div ref={ref} className="console-terminal" data-testid="console" />
      {isEmpty && (
        <div className="console-empty">
          <Ring state="off" size={40} />
          <p className="console-empty-title">{t('console.empty.title')}</p>
          <p>{target ? t('console.empty.detail', { key, program: baseName(target) }) : t('console.empty.noProgram', { key })}</p>
        </div>
      )}
      {!isAtEnd && (
        <button type="button" className="console-to-end" onClick={() => console.scrollToEnd()}>
          <Icon name="toEnd" /> {t('console.scrollToEnd')}
        </button>
      )}
      {isSearchOpen && <ConsoleSearch />}
    </section>
  )
}

function searchCount({ index, total }: SearchResult, { t, number }: I18n): string {
  if (total === 0) return t('console.find.none')
  if (total >= SEARCH_RESULTS_MAX) return `${number(SEARCH_RESULTS_MAX)}+`
  return t('console.find.count', { index: index + 1, total })
}

function ConsoleSearch(): ReactElement {
  const { workbench, console } = useApp()
  const i18n = useI18n()
  const { t } = i18n
  const [text, setText] = useState('')
  const result = useStore(console.searchResult)
  const ref = useRef<HTMLInputElement>(null)
  useEffect(() => ref.current!.focus(), [])
  const close = (): void => {
    console.endSearch()
    workbench.isConsoleSearchOpen.set(false)
    console.focus()
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
          console.find(event.target.value, 'newest')
        }}
        onKeyDown={(event) => {
          if (event.key === 'Escape') close()
          else if (event.key === 'Enter') console.find(text, event.shiftKey ? 'newer' : 'older')
          else return
          event.preventDefault()
        }}
      />
      <span className="console-search-count" role="status">
        {text !== '' && result && searchCount(result, i18n)}
      </span>
      <IconButton icon="chevronUp" label={t('console.find.previous')} onClick={() => console.find(text, 'older')} />
      <IconButton icon="chevronDown" label={t('console.find.next')} onClick={() => console.find(text, 'newer')} />
      <IconButton icon="close" label={t('console.find.close')} onClick={close} />
    </search>
  )
}
