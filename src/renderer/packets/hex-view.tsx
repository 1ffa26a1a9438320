import type { ReactElement } from 'react'
import { useEffect, useRef } from 'react'
import { useI18n } from '../ui/context.tsx'

const BYTES_A_LINE = 16

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
  const lines = Array.from({ length: Math.ceil(bytes.length / BYTES_A_LINE) }, (_, line) => line * BYTES_A_LINE)
  useEffect(() => ref.current?.querySelector('.hex-marked')?.scrollIntoView({ block: 'nearest' }), [mark?.start])
  const isMarked = (offset: number): boolean => mark !== null && offset >= mark.start && offset < mark.start + mark.length
  const cells = (offset: number, text: (byte: number) => string): ReactElement[] =>
    Array.from({ length: BYTES_A_LINE }, (_, i) => offset + i).map((at) => {
      const isThere = at < bytes.length
      const marked = isMarked(at)
      const className = `${marked ? 'hex-marked' : ''} ${marked && !isMarked(at - 1) ? 'hex-first' : ''} ${
        marked && (!isMarked(at + 1) || at % BYTES_A_LINE === BYTES_A_LINE - 1) ? 'hex-last' : ''
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
