import type { KeyboardEvent, ReactElement } from 'react'
import { useMemo, useRef, useState } from 'react'
import type { I18n } from '../i18n/i18n.ts'
import { IconButton } from '../ui/button.tsx'
import { useI18n } from '../ui/context.tsx'
import { Icon } from '../ui/icons.tsx'
import type { Field } from './fields.ts'
import { HexView } from './hex-view.tsx'
import type { PacketRow } from './rows.ts'

/** A visible line of the tree of layers and fields. */
interface TreeLine {
  /** Where it is in the tree, `1.0.2`. */
  key: string
  level: number
  name: string
  value: string
  start: number
  length: number
  isRight?: boolean
  hasChildren: boolean
  isExpanded: boolean
}

/** The frame in layers and fields (WAI-ARIA Authoring Practices, tree view), and its bytes with the chosen field marked. */
export function PacketDetails({ row, onClose }: { row: PacketRow; onClose: () => void }): ReactElement {
  const i18n = useI18n()
  const { t } = i18n
  const { frame, decoded, info } = row
  // The innermost header is what one came to see.
  const innermost = Math.max(
    0,
    decoded.layers.findLastIndex(({ protocol }) => protocol !== 'Data'),
  )
  const [chosenKey, setChosenKey] = useState(String(innermost))
  const [closed, setClosed] = useState<ReadonlySet<string>>(() => new Set(Array.from({ length: innermost }, (_, at) => String(at))))
  const lines = useMemo(() => treeLines(row, closed, i18n), [row, closed, i18n])
  const ref = useRef<HTMLDivElement>(null)
  const chosen = lines.find(({ key }) => key === chosenKey)

  const focus = (line: TreeLine | undefined): void => {
    if (!line) return
    setChosenKey(line.key)
    ref.current?.querySelector<HTMLElement>(`[data-key="${line.key}"]`)?.focus()
  }
  const toggle = (line: TreeLine, isExpanded = !line.isExpanded): void => {
    if (!line.hasChildren || line.isExpanded === isExpanded) return
    const next = new Set(closed)
    if (isExpanded) next.delete(line.key)
    else next.add(line.key)
    setClosed(next)
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    const at = lines.findIndex(({ key }) => key === chosenKey)
    const line = lines[at]
    if (!line) return
    switch (event.key) {
      case 'ArrowDown':
        focus(lines[at + 1])
        break
      case 'ArrowUp':
        focus(lines[at - 1])
        break
      case 'Home':
        focus(lines[0])
        break
      case 'End':
        focus(lines.at(-1))
        break
      case 'ArrowRight':
        if (line.hasChildren && !line.isExpanded) toggle(line, true)
        else if (line.hasChildren) focus(lines[at + 1])
        break
      case 'ArrowLeft':
        if (line.isExpanded) toggle(line, false)
        else focus(lines.find(({ key }) => key === line.key.slice(0, line.key.lastIndexOf('.'))))
        break
      case 'Enter':
      case ' ':
        toggle(line)
        break
      default:
        return
    }
    event.preventDefault()
  }
  /** The innermost line that covers a byte, opening what hides it. */
  const chooseByte = (offset: number): void => {
    const all = treeLines(row, new Set(), i18n)
    const line = all.findLast(({ start, length }) => offset >= start && offset < start + length)
    if (!line) return
    setClosed((current) => new Set([...current].filter((key) => !line.key.startsWith(`${key}.`))))
    setChosenKey(line.key)
  }

  return (
    <div className="packet-details">
      <header className="packet-details-head">
        <p title={info}>{t('packets.details', { number: String(frame.number), info })}</p>
        <IconButton icon="close" label={t('packets.details.close')} onClick={onClose} />
      </header>
      <div ref={ref} className="field-tree" role="tree" aria-label={t('packets.fields')} onKeyDown={onKeyDown}>
        {lines.map((line) => (
          <div
            key={line.key}
            data-key={line.key}
            role="treeitem"
            aria-level={line.level}
            aria-expanded={line.hasChildren ? line.isExpanded : undefined}
            aria-selected={line.key === chosenKey}
            tabIndex={line.key === (chosen?.key ?? lines[0]?.key) ? 0 : -1}
            className={`field-line ${line.level === 1 ? 'field-layer' : ''} ${line.isRight === false ? 'field-wrong' : ''}`}
            style={{ paddingInlineStart: (line.level - 1) * 14 + 4 }}
            onClick={() => {
              if (line.key === chosenKey) toggle(line)
              setChosenKey(line.key)
            }}
          >
            <span className="tree-icon">
              {line.hasChildren && <Icon name={line.isExpanded ? 'chevronDown' : 'chevronRight'} size={13} />}
            </span>
            <span className="field-name">{line.name}</span>
            <span className="field-value">{line.value}</span>
            {line.isRight !== undefined && (
              <span className="field-check">{t(line.isRight ? 'packet.checksum.right' : 'packet.checksum.wrong')}</span>
            )}
          </div>
        ))}
      </div>
      <HexView bytes={frame.bytes} mark={chosen ? { start: chosen.start, length: chosen.length } : null} onChoose={chooseByte} />
    </div>
  )
}

function treeLines({ decoded }: PacketRow, closed: ReadonlySet<string>, { t }: I18n): TreeLine[] {
  const lines: TreeLine[] = []
  const visit = (field: Field, key: string, level: number): void => {
    const children = field.children ?? []
    const isExpanded = children.length > 0 && !closed.has(key)
    const { value, start, length, isRight } = field
    lines.push({
      key,
      level,
      name: t(`packet.field.${field.name}`),
      value,
      start,
      length,
      isRight,
      hasChildren: children.length > 0,
      isExpanded,
    })
    if (isExpanded) children.forEach((child, at) => visit(child, `${key}.${at}`, level + 1))
  }
  decoded.layers.forEach(({ protocol, start, length, fields }, at) => {
    const key = String(at)
    const isExpanded = !closed.has(key)
    const name = protocol === 'Data' ? t('packet.data') : protocol
    lines.push({
      key,
      level: 1,
      name,
      value: t('packet.bytes', { count: length }),
      start,
      length,
      hasChildren: fields.length > 0,
      isExpanded,
    })
    if (isExpanded) fields.forEach((field, index) => visit(field, `${key}.${index}`, 2))
  })
  return lines
}
