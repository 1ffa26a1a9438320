import type { ReactElement } from 'react'
import { useEffect, useRef, useState } from 'react'
import { useI18n } from '../ui/context.tsx'

/** Bytes a line, and what such a line takes in pixels: 16 where there is room. */
const LINE = { wide: 16, narrow: 8, wideRoomMin: 535 }

/** The bytes of a frame in hexadecimal and as text; those of the chosen field are marked. A click finds the field of a byte. */
export function HexView({
  bytes,
  mark,
  onChoose,
}: {
  bytes: Uint8Array
  mark: { start: number; length: number } | null
  onChoose: (offset: number) => void
}): ReactElement {
  const { t } = useI18n()
  const ref = useRef<HTMLDivElement>(null)
  const [perLine, setPerLine] = useState(LINE.wide)
  useEffect(() => {
    const element = ref.current!
    const observer = new ResizeObserver(() => {
      if (element.clientWidth > 0) setPerLine(element.clientWidth < LINE.wideRoomMin ? LINE.narrow : LINE.wide)
    })
    observer.observe(element)
    return () => observer.disconnect()
  }, [])
  const lines = Array.from({ length: Math.ceil(bytes.length / perLine) }, (_, line) => line * perLine)
  useEffect(() => {
    // In braces: it returns a promise in newer browsers, which is no way to clean up.
    void ref.current?.querySelector('.hex-marked')?.scrollIntoView({ block: 'nearest' })
  }, [mark?.start, perLine])
  const isMarked = (offset: number): boolean => mark !== null && offset >= mark.start && offset < mark.start + mark.length
  const cells = (offset: number, text: (byte: number) => string): ReactElement[] =>
    Array.from({ length: perLine }, (_, i) => offset + i).map((at) => {
      const isThere = at < bytes.length
      const marked = isMarked(at)
      const className = `${marked ? 'hex-marked' : ''} ${marked && !isMarked(at - 1) ? 'hex-first' : ''} ${
        marked && (!isMarked(at + 1) || at % perLine === perLine - 1) ? 'hex-last' : ''
      }`
      return (
        <span key={at} className={className} data-offset={isThere ? at : undefined}>
          {isThere ? text(bytes[at]) : ''}
        </span>
      )
    })
  return (
    <div
      ref={ref}
      className="hex"
      role="group"
      aria-label={t('packets.bytes')}
      onClick={({ target }) => {
        const offset = (target as HTMLElement).dataset['offset']
        if (offset !== undefined) onChoose(Number(offset))
      }}
    >
      {lines.map((offset) => (
        <div key={offset} className="hex-line">
          <span className="hex-offset">{offset.toString(16).padStart(4, '0')}</span>
          <span className="hex-bytes">{cells(offset, (byte) => byte.toString(16).padStart(2, '0'))}</span>
          <span className="hex-text">{cells(offset, (byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '·'))}</span>
        </div>
      ))}
    </div>
  )
}
