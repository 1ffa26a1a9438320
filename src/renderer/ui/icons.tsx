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
} as const

export type IconName = keyof typeof PATHS

const FILLED: ReadonlySet<IconName> = new Set<IconName>(['play', 'stop'])

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
