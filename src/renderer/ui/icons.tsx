import type { ReactElement } from 'react'

/** Outlines on a 16 by 16 grid, drawn with a 1.5 stroke. */
const PATHS = {
  play: 'M5 3.5v9l7.5-4.5z',
  stop: 'M4.5 4.5h7v7h-7z',
  reset: 'M12.8 8.5A4.8 4.8 0 1 1 11.4 4.6M11.8 2v3h-3',
  hammer: 'M9.2 6.8 3.5 12.5M7.5 3.5l5 5M6.8 5.5c1.4-2 3-2.6 5.2-1.5M11 4l1.8 1.8',
  file: 'M4 2.5h5l3 3v8H4zM9 2.5v3h3',
  folder: 'M2.5 4h4l1.2 1.5h5.8v7h-11z',
  folderOpen: 'M2.5 12.5V4h4l1.2 1.5h4.8v2M2.5 12.5l1.8-5h9.7l-1.8 5z',
  chevronRight: 'M6.5 4.5 10 8l-3.5 3.5',
  chevronDown: 'M4.5 6.5 8 10l3.5-3.5',
  chevronUp: 'M4.5 9.5 8 6l3.5 3.5',
  close: 'M4.5 4.5l7 7M11.5 4.5l-7 7',
  plus: 'M8 3.5v9M3.5 8h9',
  collapse: 'M3.5 6.5h6v6h-6zM6.5 6.5v-3h6v6h-3M5 9.5h3',
  search: 'M7 11.2A4.2 4.2 0 1 0 7 2.8a4.2 4.2 0 0 0 0 8.4M10.1 10.1l3.2 3.2',
  clear: 'M3 4.5h10M6 4.5V3h4v1.5M4.5 4.5l.6 8.5h5.8l.6-8.5',
  toEnd: 'M8 2.5v7M4.8 6.5 8 9.7l3.2-3.2M3.5 13h9',
  follow: 'M4.5 3 8 6.5 11.5 3M4.5 7 8 10.5 11.5 7M3.5 13.5h9',
  tile: 'M2.5 3.5h11v9h-11zM8 3.5v9',
  tabs: 'M2.5 6h11v6.5h-11zM2.5 6V3.5h4V6M9.5 6V3.5',
  copy: 'M5.5 5.5h7v8h-7zM3.5 10.5v-8h7',
  maximize: 'M3 6V3h3M10 3h3v3M13 10v3h-3M6 13H3v-3',
  restore: 'M6 3v3H3M10 3v3h3M13 10h-3v3M3 10h3v3',
  settings: 'M2.5 5h6M11.5 5h2M10 3.3v3.4M2.5 11h2M7.5 11h6M6 9.3v3.4',
  error: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12M6 6l4 4M10 6l-4 4',
  warning: 'M8 2.8 14 13H2zM8 6.5v3M8 11.2v.3',
  note: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12M8 7.5v3.5M8 5v.3',
  check: 'M3.5 8.5 6.5 11.5 12.5 5',
  more: 'M3.5 8h.01M8 8h.01M12.5 8h.01',
  unplugged: 'M3 13l2-2M11 5l2-2M5 8l3 3M8 5l3 3M4.5 8.5l-.8.8a2 2 0 0 0 2.9 2.9l.9-.7M8.5 4.5l.8-.8a2 2 0 0 1 2.9 2.9l-.7.9',
  machine: 'M3 3.5h10v7H3zM6 13h4M8 10.5V13',
  switch: 'M2.5 6h11v5h-11zM5 8.5h.01M8 8.5h.01M11 8.5h.01M5 3.5 8 6l3-2.5',
  hub: 'M8 5.8a2.2 2.2 0 1 0 0 4.4 2.2 2.2 0 0 0 0-4.4M8 5.8V2.5M6.1 9.1l-2.9 1.7M9.9 9.1l2.9 1.7',
  cable: 'M3 5.5h3v3H3zM10 7.5h3v3h-3zM6 7c3 0 1 2 4 2',
  scissors: 'M5.2 6.2 13 11.5M5.2 9.8 13 4.5M4 7a1.7 1.7 0 1 0 0-3.4A1.7 1.7 0 0 0 4 7M4 12.4A1.7 1.7 0 1 0 4 9a1.7 1.7 0 0 0 0 3.4',
  heal: 'M2.5 8h3M10.5 8h3M5.5 5.5v5M10.5 5.5v5M8 6.5v3M6.5 8h3',
  undo: 'M5.5 3 3 5.5 5.5 8M3 5.5h6a3.7 3.7 0 0 1 0 7.5H6',
  redo: 'M10.5 3 13 5.5 10.5 8M13 5.5H7a3.7 3.7 0 0 0 0 7.5h3',
  duplicate: 'M5.5 5.5h7v7h-7zM3.5 10.5v-7h7M9 7.5v3M7.5 9h3',
  trash: 'M3 4.5h10M6 4.5V3h4v1.5M4.5 4.5l.6 8.5h5.8l.6-8.5M6.8 7v3.5M9.2 7v3.5',
  fit: 'M3 6V3h3M10 3h3v3M13 10v3h-3M6 13H3v-3M6 6.5h4v3H6z',
  minus: 'M3.5 8h9',
  pause: 'M5.5 4v8M10.5 4v8',
  fast: 'M3 4v8l4.5-4zM8.5 4v8L13 8z',
  save: 'M3 3h8l2 2v8H3zM5.5 3v3.5h4V3M5.5 13V9h5v4',
  sidebar: 'M2.5 3.5h11v9h-11zM10 3.5v9',
  download: 'M8 2.5v7.5M4.8 7 8 10.2 11.2 7M3 13h10',
  console: 'M2.5 3.5h11v9h-11zM5 6.5 7 8.5 5 10.5M8.5 10.5H11',
  alignRow: 'M2.5 8h11M3.5 5.5h3v5h-3zM9.5 4h3v8h-3z',
  alignColumn: 'M8 2.5v11M5.5 3.5h5v3h-5zM4 9.5h8v3H4z',
  spreadRow: 'M2.5 3v10M13.5 3v10M6.5 5h3v6h-3z',
  spreadColumn: 'M3 2.5h10M3 13.5h10M5 6.5h6v3H5z',
  network: 'M8 2.5v3M3.5 10.5v-2h9v2M8 5.5v3M2 10.5h3v3H2zM6.5 10.5h3v3h-3zM11 10.5h3v3h-3z',
} as const

export type IconName = keyof typeof PATHS

const FILLED: ReadonlySet<IconName> = new Set<IconName>(['play', 'stop', 'fast'])

export function Icon({ name, size = 16 }: { name: IconName; size?: number }): ReactElement {
  return (
    <svg
      className="icon"
      width={size}
      height={size}
      viewBox="0 0 16 16"
      fill={FILLED.has(name) ? 'currentColor' : 'none'}
      stroke="currentColor"
      strokeWidth={name === 'more' ? 2.2 : 1.5}
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      <path d={PATHS[name]} />
    </svg>
  )
}
