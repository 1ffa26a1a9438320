import type { KeyboardEvent, ReactElement } from 'react'
import { memo, useEffect, useId, useLayoutEffect, useRef, useState } from 'react'
import { useI18n } from '../ui/context.tsx'
import type { PacketRow } from './rows.ts'

/** Height of a row in pixels, as the style sheet has it. */
const ROW_HEIGHT = 22
/** Rows drawn beyond what is in sight, above and below. */
const OVERSCAN = 8
/** Closer to the end than this, in pixels, the list counts as being at its end. */
const END_SLACK = 4

const COLUMNS = ['number', 'time', 'link', 'from', 'to', 'protocol', 'length', 'info', 'fate'] as const

/**
 * Frames, one a line; only the lines in sight exist (WAI-ARIA, grid: one tab stop, arrow keys inside). At its end it follows what
 * comes; scrolling back stops that.
 */
export function PacketList({
  rows,
  chosen,
  isFollowing,
  onFollow,
  onChoose,
}: {
  rows: readonly PacketRow[]
  /** Number of the chosen frame. */
  chosen: number | null
  isFollowing: boolean
  onFollow: (isFollowing: boolean) => void
  onChoose: (number: number) => void
}): ReactElement {
  const { t } = useI18n()
  const id = useId()
  const ref = useRef<HTMLDivElement>(null)
  const [view, setView] = useState({ top: 0, height: 400 })
  const index = chosen === null ? -1 : rows.findIndex(({ frame }) => frame.number === chosen)
  const first = Math.max(0, Math.floor(view.top / ROW_HEIGHT) - OVERSCAN)
  const last = Math.min(rows.length, Math.ceil((view.top + view.height) / ROW_HEIGHT) + OVERSCAN)

  useEffect(() => {
    const element = ref.current!
    const observer = new ResizeObserver(() => setView({ top: element.scrollTop, height: element.clientHeight }))
    observer.observe(element)
    return () => observer.disconnect()
  }, [])
  useLayoutEffect(() => {
    if (isFollowing) ref.current!.scrollTop = ref.current!.scrollHeight
  }, [isFollowing, rows])

  const reveal = (at: number): void => {
    const element = ref.current!
    const top = at * ROW_HEIGHT
    // The head of the table stays where it is and covers the first line.
    if (top < element.scrollTop) element.scrollTop = top
    else if (top + ROW_HEIGHT * 2 > element.scrollTop + element.clientHeight)
      element.scrollTop = top + ROW_HEIGHT * 2 - element.clientHeight
  }
  useLayoutEffect(() => {
    // The details took a part of the list's room: the frame that they are about stays in sight.
    if (index >= 0 && !isFollowing) reveal(index)
    // Frames that come and go move no line.
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, [chosen, view.height])
  const goTo = (to: number): void => {
    const row = rows[Math.max(0, Math.min(rows.length - 1, to))]
    if (!row) return
    onFollow(false)
    onChoose(row.frame.number)
    reveal(rows.indexOf(row))
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    const page = Math.max(1, Math.floor(view.height / ROW_HEIGHT) - 2)
    const from = index < 0 ? (event.key === 'ArrowUp' ? rows.length : first - 1) : index
    const steps: Record<string, number> = {
      ArrowDown: from + 1,
      ArrowUp: from - 1,
      PageDown: from + page,
      PageUp: from - page,
      Home: 0,
      End: rows.length - 1,
    }
    if (!(event.key in steps)) return
    goTo(steps[event.key])
    event.preventDefault()
  }

  return (
    <div
      ref={ref}
      className="packet-list"
      role="grid"
      aria-label={t('packets.list')}
      aria-rowcount={rows.length + 1}
      aria-colcount={COLUMNS.length}
      aria-activedescendant={index >= first && index < last ? `${id}-${chosen}` : undefined}
      tabIndex={0}
      onKeyDown={onKeyDown}
      onScroll={({ currentTarget: element }) => {
        setView({ top: element.scrollTop, height: element.clientHeight })
        const isAtEnd = element.scrollTop + element.clientHeight >= element.scrollHeight - END_SLACK
        if (isFollowing && !isAtEnd && element.scrollTop < view.top) onFollow(false)
      }}
    >
      <div className="packet-row packet-head" role="row" aria-rowindex={1}>
        {COLUMNS.map((column) => (
          <span key={column} role="columnheader" className={`packet-${column}`}>
            {t(`packets.column.${column}`)}
          </span>
        ))}
      </div>
      <div role="rowgroup" style={{ height: rows.length * ROW_HEIGHT, paddingBlockStart: first * ROW_HEIGHT }}>
        {rows.slice(first, last).map((row, at) => (
          <Row
            key={row.frame.number}
            id={`${id}-${row.frame.number}`}
            row={row}
            rowIndex={first + at + 2}
            isChosen={row.frame.number === chosen}
            onChoose={onChoose}
          />
        ))}
      </div>
    </div>
  )
}

const Row = memo(function Row({
  id,
  row: { frame, decoded, info, fate },
  rowIndex,
  isChosen,
  onChoose,
}: {
  id: string
  row: PacketRow
  rowIndex: number
  isChosen: boolean
  onChoose: (number: number) => void
}): ReactElement {
  const { number } = useI18n()
  const time = number(frame.timeNs / 1e9, { minimumFractionDigits: 6, maximumFractionDigits: 6 })
  const isGone = frame.fate === 'lost' || frame.fate === 'cut' || frame.fate === 'queue-full'
  const protocol = decoded.protocol.toLowerCase()
  return (
    <div
      id={id}
      role="row"
      aria-rowindex={rowIndex}
      aria-selected={isChosen}
      className={`packet-row ${isGone ? 'packet-row-gone' : ''} ${decoded.isMalformed ? 'packet-row-wrong' : ''}`}
      onPointerDown={() => onChoose(frame.number)}
    >
      <span role="gridcell" className="packet-number">
        {frame.number}
      </span>
      <span role="gridcell" className="packet-time">
        {time.slice(0, -3)}
        <span className="packet-time-fine">{time.slice(-3)}</span>
      </span>
      <span role="gridcell" className="packet-link">
        {frame.from} → {frame.to}
      </span>
      <span role="gridcell" className="packet-from">
        {decoded.source}
      </span>
      <span role="gridcell" className="packet-to">
        {decoded.destination}
      </span>
      <span role="gridcell" className={`packet-protocol protocol-${protocol}`}>
        {decoded.protocol}
      </span>
      <span role="gridcell" className="packet-length">
        {frame.bytes.length}
      </span>
      <span role="gridcell" className="packet-info" title={info}>
        {info}
      </span>
      <span role="gridcell" className={`packet-fate fate-${frame.fate}`}>
        {fate}
      </span>
    </div>
  )
})
