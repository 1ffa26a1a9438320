import type { ReactElement } from 'react'
import { useCallback, useDeferredValue, useEffect, useMemo, useRef, useState } from 'react'
import type { CapturedFrame } from '../../protocol/lab.ts'
import { isLabUp, topologyOf } from '../lab/lab.ts'
import { createStore } from '../state/store.ts'
import { useStore } from '../state/use-store.ts'
import { Button, IconButton } from '../ui/button.tsx'
import { useApp, useCommand, useI18n } from '../ui/context.tsx'
import { Icon } from '../ui/icons.tsx'
import { PacketDetails } from './packet-details.tsx'
import { PacketList } from './packet-list.tsx'
import { PacketRows } from './rows.ts'

/** The filter stays while the panel is docked elsewhere or hidden behind a tab. */
const filterText = createStore('')

/** What crosses the lab's links: a list, and the frame chosen in it, field by field and byte by byte. */
export function PacketsPanel(): ReactElement {
  const { workbench } = useApp()
  const i18n = useI18n()
  const { t } = i18n
  const bench = workbench.lab
  const live = useStore(bench.traffic.frames)
  const filter = useStore(filterText)
  const [held, setHeld] = useState<readonly CapturedFrame[] | null>(null)
  const [isFollowing, setFollowing] = useState(true)
  const [chosen, setChosen] = useState<number | null>(null)
  const maker = useMemo(() => new PacketRows(i18n), [i18n])
  const frames = held ?? live
  const deferred = useDeferredValue(filter)
  const rows = useMemo(() => maker.update(frames, deferred), [maker, frames, deferred])
  const isEmpty = useStore(bench.lab.store, (view) => topologyOf(view) === null)
  const isUp = useStore(bench.lab.store, isLabUp)
  const searchRef = useRef<HTMLInputElement>(null)
  const exportCapture = useCommand(workbench.commands.lab.exportCapture)
  useEffect(() => bench.traffic.watch(), [bench])

  const row = chosen === null ? undefined : rows.find(({ frame }) => frame.number === chosen)
  const choose = useCallback((number: number) => {
    setChosen(number)
    // What one looks at stays where it is.
    setFollowing(false)
  }, [])
  const pause = (): void => {
    setHeld(held ? null : live)
    if (held) setFollowing(true)
  }
  return (
    <section className="packets" aria-label={t('panel.packets')}>
      <div className="packets-bar">
        <search className="packets-filter">
          <Icon name="search" size={14} />
          <input
            ref={searchRef}
            className="input"
            type="search"
            data-autofocus=""
            aria-label={t('packets.filter')}
            placeholder={t('packets.filter.placeholder')}
            title={t('packets.filter.help')}
            value={filter}
            spellCheck={false}
            onChange={(event) => filterText.set(event.target.value)}
            onKeyDown={(event) => {
              if (event.key === 'Escape' && filter !== '') filterText.set('')
            }}
          />
        </search>
        <span className={`packets-count ${held ? 'packets-held' : ''}`} role="status">
          {held
            ? t('packets.held', { count: Math.max(0, (live.at(-1)?.number ?? 0) - (held.at(-1)?.number ?? 0)) })
            : filter === ''
              ? t('packets.count', { count: frames.length })
              : t('packets.count.filtered', { shown: rows.length, total: frames.length })}
        </span>
        <span className="packets-actions">
          <IconButton
            icon={held ? 'play' : 'pause'}
            className={held ? 'icon-button-on' : ''}
            label={t(held ? 'packets.resume' : 'packets.pause')}
            aria-pressed={held !== null}
            onClick={pause}
          />
          <IconButton
            icon="follow"
            className={isFollowing ? 'icon-button-on' : ''}
            label={t('packets.follow')}
            aria-pressed={isFollowing}
            onClick={() => setFollowing(!isFollowing)}
          />
          <IconButton icon="clear" label={t('packets.clear')} onClick={() => bench.traffic.clear()} />
          <IconButton
            icon="download"
            label={exportCapture.label}
            title={exportCapture.tooltip}
            disabled={isEmpty}
            onClick={exportCapture.run}
          />
        </span>
      </div>
      {frames.length === 0 ? (
        <div className="packets-empty">
          <p className="console-empty-title">{t(isUp ? 'packets.empty.quiet' : 'packets.empty.stopped')}</p>
          <p>{t(isUp ? 'packets.empty.quiet.detail' : 'packets.empty.stopped.detail')}</p>
          {!isUp && (
            <Button icon="network" onClick={() => workbench.layout.openTopology()}>
              {t('command.showTopology')}
            </Button>
          )}
        </div>
      ) : rows.length === 0 ? (
        <div className="packets-empty">
          <p className="console-empty-title">{t('packets.empty.filtered')}</p>
          <p>{t('packets.filter.help')}</p>
          <Button icon="close" onClick={() => filterText.set('')}>
            {t('packets.filter.clear')}
          </Button>
        </div>
      ) : (
        <div className={`packets-body ${row ? 'packets-body-split' : ''}`}>
          <PacketList rows={rows} chosen={chosen} isFollowing={isFollowing && !held} onFollow={setFollowing} onChoose={choose} />
          {row && <PacketDetails key={row.frame.number} row={row} onClose={() => setChosen(null)} />}
        </div>
      )}
    </section>
  )
}
