import { createRoot } from 'react-dom/client'
import { connectWorkbench, openShellChannel } from '../protocol/transport.ts'
import { App } from './app.tsx'
import { LabConsoles } from './console/lab-consoles.ts'
import { SerialConsole } from './console/terminal.ts'
import { registerCodeActions } from './editor/code-actions.ts'
import { Editors } from './editor/editors.ts'
import { Models } from './editor/models.ts'
import { monaco } from './editor/monaco.ts'
import { applyEditorTheme } from './editor/theme.ts'
import type { I18n } from './i18n/i18n.ts'
import { Layout } from './panels/layout.ts'
import { Session } from './service/session.ts'
import { messageOf } from './state/documents.ts'
import { createNotices } from './state/notices.ts'
import type { Settings } from './state/settings.ts'
import type { KeyValueStorage } from './state/storage.ts'
import type { ReadonlyStore } from './state/store.ts'
import { createStore } from './state/store.ts'
import type { ThemeName } from './theme/theme.ts'
import type { AppServices } from './ui/context.tsx'
import { Workbench } from './workbench.ts'

export interface StartOptions {
  root: HTMLElement
  storage: KeyValueStorage
  settings: Settings
  i18n: ReadonlyStore<I18n>
  theme: ReadonlyStore<ThemeName>
}

/** Puts the workbench together and shows it. The texts of the editor's own menus must have been loaded before this module. */
export function start({ root, storage, settings, i18n, theme }: StartOptions): void {
  const notices = createNotices()
  const services = createStore<Omit<AppServices, 'workbench'> | null>(null)
  const serialConsole = new SerialConsole()
  const labConsoles = new LabConsoles()
  const editors = new Editors(storage)
  const layout = new Layout(storage)

  applyEditorTheme(theme.get())
  theme.subscribe(() => {
    applyEditorTheme(theme.get())
    serialConsole.applyTheme()
    labConsoles.applyTheme()
  })
  const followSettings = (): void => {
    for (const console of [serialConsole, labConsoles]) console.setScreenReaderMode(settings.store.get().screenReader)
  }
  settings.store.subscribe(followSettings)
  followSettings()

  const session: Session<Workbench> = new Session<Workbench>({
    connect: (options) => connectWorkbench({ ...options, open: () => openShellChannel(window) }),
    startOver: () => window.location.reload(),
    create: (connection, attachment) => {
      const workbench = new Workbench(
        {
          connection,
          session: session.state,
          storage,
          settings,
          notices,
          i18n,
          layout,
          console: serialConsole,
          labConsoles,
          editors,
          download,
        },
        attachment,
      )
      editors.useKey(workbench.key('cursors'))
      serialConsole.onInput = (bytes) => workbench.type(bytes)
      labConsoles.onInput = (node, bytes) => workbench.lab.type(node, bytes)
      layout.onFront.subscribe((front) => workbench.frontChanged(front))
      layout.onDocumentClosed.subscribe((path) => void workbench.documentClosed(path))
      registerCodeActions(workbench.diagnostics, i18n)
      services.set({ console: serialConsole, labConsoles, editors, models: new Models(workbench.documents, workbench.diagnostics), theme })
      const flush = (): void => {
        workbench.documents.flushDrafts()
        workbench.lab.lab.flushDraft()
        layout.flush()
        editors.flush()
      }
      window.addEventListener('pagehide', flush)
      document.addEventListener('visibilitychange', () => {
        if (document.visibilityState === 'hidden') flush()
      })
      return workbench
    },
  })
  window.addEventListener('online', () => session.retry())
  window.addEventListener('unhandledrejection', ({ reason }) => {
    // Monaco's way of saying that nobody waits for an answer any more.
    if (reason instanceof Error && reason.name === 'Canceled') return
    notices.show({ severity: 'error', title: i18n.get().t('notice.unexpected'), detail: messageOf(reason) })
  })
  void document.fonts.ready.then(() => monaco.editor.remeasureFonts())
  createRoot(root).render(<App session={session} notices={notices} i18n={i18n} services={services} />)
}

function download(name: string, bytes: Uint8Array): void {
  const url = URL.createObjectURL(new Blob([bytes as Uint8Array<ArrayBuffer>]))
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  // The browser has taken the bytes when the click is over, but needs the address a little longer.
  setTimeout(() => URL.revokeObjectURL(url), 10_000)
}
