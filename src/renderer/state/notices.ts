import type { ReadonlyStore } from './store.ts'
import { createStore } from './store.ts'

/** How long a notice stays that asks for nothing, in milliseconds. */
export const NOTICE_MS = 6000
/** More than this and the oldest goes. */
const NOTICES_MAX = 4

export interface NoticeAction {
  label: string
  run: () => void
}

export interface Notice {
  id: number
  /** What it is about: a new one takes the place of the old. */
  key: string
  severity: 'info' | 'error'
  title: string
  detail?: string
  actions: readonly NoticeAction[]
}

export interface Notices {
  readonly store: ReadonlyStore<readonly Notice[]>
  /** Shows a notice; one with the same key (left out: the title) is replaced. Errors and notices with actions stay until dismissed. */
  show(notice: { severity: Notice['severity']; title: string; key?: string; detail?: string; actions?: readonly NoticeAction[] }): void
  dismiss(id: number): void
  /** What it told of is over. */
  dismissKey(key: string): void
}

export function createNotices(): Notices {
  const store = createStore<readonly Notice[]>([])
  let lastId = 0
  const dismiss = (id: number): void => store.update((notices) => notices.filter((notice) => notice.id !== id))
  return {
    store,
    dismiss,
    dismissKey: (key) => store.update((notices) => notices.filter((notice) => notice.key !== key)),
    show({ severity, title, key = title, detail, actions = [] }) {
      const id = ++lastId
      store.update((notices) =>
        [...notices.filter((other) => other.key !== key), { id, key, severity, title, detail, actions }].slice(-NOTICES_MAX),
      )
      if (severity === 'info' && actions.length === 0) setTimeout(() => dismiss(id), NOTICE_MS)
    },
  }
}
