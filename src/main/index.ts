import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { app, BrowserWindow, dialog, ipcMain, Menu, MessageChannelMain, protocol, screen, session } from 'electron'
import { CONNECT_REQUEST, ELECTRON_PORT_MESSAGE } from '../protocol/bridge.ts'
import { channelFromMainPort } from './electron/port-channel.ts'
import { CrashCounter, isOurPage, isPermitted, PAGE_ORIGIN, PAGE_SCHEME } from './electron/policy.ts'
import { HEIGHT_MIN, restoreWindowState, WIDTH_MIN } from './electron/window-state.ts'
import { appRoot } from './service/app-root.ts'
import { pageFile, pageHeaders } from './service/page-files.ts'
import { defaultProjectFolder, openProject } from './service/project-folder.ts'
import { openToolchain, ToolchainBuilder } from './service/toolchain-builder.ts'
import { Workbench } from './service/workbench.ts'

/** The desktop shell: one window on the page that the browser shell shows too, over a MessagePort instead of a socket. */

const pageFolder = join(appRoot(), 'out', 'renderer')
const preload = join(appRoot(), 'out', 'preload', 'index.cjs')
const stateFile = (): string => join(app.getPath('userData'), 'window.json')

let window: BrowserWindow | undefined

if (app.requestSingleInstanceLock()) start()
else app.quit()

function start(): void {
  app.enableSandbox()
  protocol.registerSchemesAsPrivileged([
    { scheme: PAGE_SCHEME, privileges: { standard: true, secure: true, supportFetchAPI: true, codeCache: true } },
  ])
  app.on('second-instance', () => {
    if (window === undefined) return
    if (window.isMinimized()) window.restore()
    window.focus()
  })
  // Whatever a page asks for that is not ours to give.
  app.on('web-contents-created', (_, contents) => {
    contents.on('will-navigate', (event) => event.preventDefault())
    contents.on('will-redirect', (event) => event.preventDefault())
    contents.on('will-attach-webview', (event) => event.preventDefault())
    contents.setWindowOpenHandler(() => ({ action: 'deny' }))
  })
  app.on('window-all-closed', () => app.quit())
  app
    .whenReady()
    .then(open)
    .catch((error: unknown) => {
      dialog.showErrorBox('Atoll', error instanceof Error ? error.message : String(error))
      app.exit(1)
    })
}

async function open(): Promise<void> {
  const project = await openProject(defaultProjectFolder())
  const workbench = new Workbench({ project, builder: new ToolchainBuilder(openToolchain()), shell: 'electron' })
  await workbench.start()
  app.once('will-quit', () => workbench.dispose())

  session.defaultSession.setPermissionRequestHandler((contents, permission, answer) => answer(isPermitted(permission, contents.getURL())))
  session.defaultSession.setPermissionCheckHandler((_, permission, origin) => isPermitted(permission, origin))
  session.defaultSession.setDevicePermissionHandler(() => false)
  const headers = pageHeaders()
  protocol.handle(PAGE_SCHEME, async (request) => {
    const url = new URL(request.url)
    const { status, headers: answered, body } = await pageFile(pageFolder, isOurPage(request.url) ? url.pathname : '', headers)
    return new Response(body, { status, headers: answered })
  })
  ipcMain.on(CONNECT_REQUEST, ({ senderFrame }) => {
    if (senderFrame === null || senderFrame.parent !== null || !isOurPage(senderFrame.url)) return
    const { port1, port2 } = new MessageChannelMain()
    workbench.connect(channelFromMainPort(port1))
    senderFrame.postMessage(ELECTRON_PORT_MESSAGE, null, [port2])
  })
  Menu.setApplicationMenu(
    process.platform === 'darwin' ? Menu.buildFromTemplate([{ role: 'appMenu' }, { role: 'editMenu' }, { role: 'windowMenu' }]) : null,
  )
  openWindow()
  app.on('activate', () => {
    if (window === undefined) openWindow()
  })
}

function openWindow(): void {
  const { isMaximized, ...bounds } = restoreWindowState(
    readState(),
    screen.getAllDisplays().map(({ workArea }) => workArea),
  )
  const opened = new BrowserWindow({
    ...bounds,
    minWidth: WIDTH_MIN,
    minHeight: HEIGHT_MIN,
    title: 'Atoll',
    show: false,
    webPreferences: { preload, contextIsolation: true, sandbox: true, nodeIntegration: false, webviewTag: false, spellcheck: false },
  })
  window = opened
  if (isMaximized) opened.maximize()
  opened.once('ready-to-show', () => opened.show())
  opened.on('close', () => writeState(JSON.stringify({ bounds: opened.getNormalBounds(), isMaximized: opened.isMaximized() })))
  opened.on('closed', () => (window = undefined))
  const crashes = new CrashCounter()
  opened.webContents.on('render-process-gone', (_, { reason }) => {
    if (reason === 'clean-exit' || opened.isDestroyed()) return
    // Machines and unsaved text are not in the page: it attaches again and shows them.
    if (crashes.mayReload(performance.now())) opened.webContents.reload()
    else dialog.showErrorBox('Atoll', `The window keeps crashing (${reason}). The files of the project are saved; start Atoll again.`)
  })
  void opened.loadURL(`${PAGE_ORIGIN}/`)
}

function readState(): string | undefined {
  try {
    return readFileSync(stateFile(), 'utf8')
  } catch {
    return undefined
  }
}

function writeState(state: string): void {
  try {
    mkdirSync(dirname(stateFile()), { recursive: true })
    writeFileSync(stateFile(), state)
  } catch {
    // The window opens in its default place next time.
  }
}
