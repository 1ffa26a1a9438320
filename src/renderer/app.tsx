import type { ReactElement } from 'react'
import { Component, useEffect } from 'react'
import type { ReactNode } from 'react'
import type { KeyPlace } from './commands/commands.ts'
import { commandOfKey, IS_MAC } from './commands/commands.ts'
import type { I18n } from './i18n/i18n.ts'
import { Dock } from './panels/dock.tsx'
import type { Session } from './service/session.ts'
import type { Notices } from './state/notices.ts'
import type { ReadonlyStore } from './state/store.ts'
import { useStore } from './state/use-store.ts'
import { ConnectDialog } from './topology/connect-dialog.tsx'
import { DiscardLabDialog, OpenLabDialog, SaveLabDialog } from './topology/lab-dialogs.tsx'
import { Button } from './ui/button.tsx'
import { ConnectionBanner } from './ui/connection-banner.tsx'
import type { AppServices } from './ui/context.tsx'
import { AppContext, I18nContext, useApp, useI18n } from './ui/context.tsx'
import { DeleteDialog } from './ui/delete-dialog.tsx'
import { NoticeList } from './ui/notice-list.tsx'
import { PaletteDialog } from './ui/palette-dialog.tsx'
import { Ring } from './ui/ring.tsx'
import { SettingsDialog } from './ui/settings-dialog.tsx'
import { StatusBar } from './ui/status-bar.tsx'
import { Toolbar } from './ui/toolbar.tsx'
import { usePhaseLook } from './ui/use-phase-look.ts'
import type { Workbench } from './workbench.ts'

export interface AppProps {
  session: Session<Workbench>
  notices: Notices
  i18n: ReadonlyStore<I18n>
  /** The parts that go with the attached workbench. */
  services: ReadonlyStore<Omit<AppServices, 'workbench'> | null>
}

export function App({ session, notices, i18n, services }: AppProps): ReactElement {
  const workbench = useStore(session.attached)
  const parts = useStore(services)
  const state = useStore(session.state)
  return (
    <I18nContext value={i18n}>
      <Boundary>
        {workbench && parts ? (
          <AppContext value={{ ...parts, workbench }}>
            <WorkbenchWindow session={session} />
          </AppContext>
        ) : (
          <Splash />
        )}
        {!workbench && state.kind !== 'connecting' && <ConnectionBanner state={state} onRetry={() => session.retry()} />}
        <NoticeList notices={notices} />
      </Boundary>
    </I18nContext>
  )
}

function Splash(): ReactElement {
  const { t } = useI18n()
  return (
    <div className="splash" role="status">
      <Ring state="busy" size={56} />
      <p>{t('connection.first')}</p>
    </div>
  )
}

function WorkbenchWindow({ session }: { session: Session<Workbench> }): ReactElement {
  const { workbench } = useApp()
  const state = useStore(session.state)
  const { locale, t } = useI18n()
  const projectName = useStore(workbench.project.store, ({ name }) => name)
  useKeyboard()
  useEffect(() => {
    document.documentElement.lang = locale
    document.title = projectName === '' ? t('app.title') : `${projectName} – ${t('app.title')}`
  }, [locale, projectName, t])
  return (
    <div className="workbench">
      <Toolbar />
      <ConnectionBanner state={state} onRetry={() => session.retry()} />
      <main
        className="dock-host"
        onKeyDown={({ key, target }) => {
          // WAI-ARIA Authoring Practices, tabs: Delete closes the tab that has the focus.
          if (key === 'Delete' && target instanceof Element && target.getAttribute('role') === 'tab') workbench.layout.closeTab(target)
        }}
      >
        <Dock onReady={({ api }) => workbench.layout.attach(api, workbench.key('layout'))} />
      </main>
      <StatusBar />
      <Dialogs />
      <Announcer />
    </div>
  )
}

function Dialogs(): ReactElement | null {
  const { workbench } = useApp()
  const dialog = useStore(workbench.dialogs)
  const close = (): void => workbench.dialogs.set(null)
  switch (dialog?.kind) {
    case undefined:
      return null
    case 'palette':
      return <PaletteDialog onClose={close} />
    case 'settings':
      return <SettingsDialog onClose={close} />
    case 'delete':
      return <DeleteDialog request={dialog} onClose={close} />
    case 'lab-open':
      return <OpenLabDialog onClose={close} />
    case 'lab-save':
      return <SaveLabDialog onClose={close} />
    case 'lab-connect':
      return <ConnectDialog from={dialog.from} onClose={close} />
    case 'lab-discard':
      return <DiscardLabDialog proceed={dialog.proceed} onClose={close} />
  }
}

/** Keys of the commands, before the editor and the console see them. */
function useKeyboard(): void {
  const { workbench, console, labConsoles } = useApp()
  useEffect(() => {
    const place = ({ target }: KeyboardEvent): KeyPlace => {
      if (console.hasFocus() || labConsoles.hasFocus()) return 'console'
      if (!(target instanceof Element) || target.closest('input:not([type=range]), textarea')) return 'elsewhere'
      if (target.closest('[data-canvas]') && !target.closest('input, select, button')) return 'canvas'
      return target.closest('[data-lab]') ? 'lab' : 'elsewhere'
    }
    const onKeyDown = (event: KeyboardEvent): void => {
      if (event.isComposing) return
      const command = commandOfKey(workbench.commands.all, event, place(event), IS_MAC)
      if (!command) return
      event.preventDefault()
      event.stopPropagation()
      const isModal = workbench.dialogs.get() !== null
      if (!isModal && !event.repeat && command.isEnabled()) command.run()
    }
    window.addEventListener('keydown', onKeyDown, true)
    return () => window.removeEventListener('keydown', onKeyDown, true)
  }, [workbench, console, labConsoles])
}

/** Tells screen readers how the machine fares. */
function Announcer(): ReactElement {
  const { workbench } = useApp()
  const i18n = useI18n()
  const announcement = useStore(workbench.announcement)
  const { label } = usePhaseLook()
  const program = useStore(workbench.machine.store, ({ status }) => status?.program)
  useEffect(() => {
    if (program !== undefined) workbench.announce(i18n.t('machine.announce', { program, phase: label }))
  }, [label, program, i18n, workbench])
  return (
    <p className="visually-hidden" role="status">
      {announcement}
    </p>
  )
}

/** A bug of ours must not take the person's text along: drafts are on disk, a reload brings all back. */
class Boundary extends Component<{ children: ReactNode }, { error: Error | null }> {
  override state: { error: Error | null } = { error: null }

  static getDerivedStateFromError(error: Error): { error: Error } {
    return { error }
  }

  override render(): ReactNode {
    return this.state.error ? <Crash error={this.state.error} /> : this.props.children
  }
}

function Crash({ error }: { error: Error }): ReactElement {
  const { t } = useI18n()
  return (
    <div className="splash" role="alert">
      <Ring state="broken" size={56} />
      <h1>{t('notice.crashed')}</h1>
      <p>{t('notice.crashed.detail')}</p>
      <pre>{error.message}</pre>
      <Button variant="primary" onClick={() => window.location.reload()}>
        {t('notice.reload')}
      </Button>
    </div>
  )
}
