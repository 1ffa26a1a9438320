import { EventEmitter } from 'node:events'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * As much of Electron as the main process touches, for running it in Node: what is asked for is recorded, what Electron would say is said
 * by the test. It shows that the pieces are joined; that Electron does what its documentation says is Electron's to show.
 */
export const record = []
const note =
  (what) =>
  (...args) =>
    void record.push([what, ...args])

export const app = Object.assign(new EventEmitter(), {
  userData: mkdtempSync(join(tmpdir(), 'atoll-electron-')),
  requestSingleInstanceLock: () => true,
  enableSandbox: note('sandbox'),
  whenReady: () => Promise.resolve(),
  getPath: () => app.userData,
  quit: note('quit'),
  exit: note('exit'),
})

export class BrowserWindow extends EventEmitter {
  constructor(options) {
    super()
    record.push(['window', options, this])
    this.webContents = Object.assign(new EventEmitter(), {
      setWindowOpenHandler: (handler) => record.push(['window-open', handler()]),
      reload: note('reload'),
    })
    app.emit('web-contents-created', {}, this.webContents)
  }

  loadURL = async (url) => void record.push(['load', url])
  show = note('show')
  maximize = note('maximize')
  restore = note('restore')
  focus = note('focus')
  isMinimized = () => true
  isMaximized = () => false
  isDestroyed = () => false
  getNormalBounds = () => ({ x: 10, y: 20, width: 900, height: 700 })
}

export class MessageChannelMain {
  port1 = new EventEmitter()
  port2 = new EventEmitter()

  constructor() {
    this.#pair(this.port1, this.port2)
    this.#pair(this.port2, this.port1)
  }

  #pair(from, to) {
    Object.assign(from, {
      start: () => undefined,
      close: () => queueMicrotask(() => [from, to].forEach((port) => port.emit('close'))),
      postMessage: (data) => queueMicrotask(() => to.emit('message', { data: structuredClone(data) })),
    })
  }
}

export const dialog = { showErrorBox: note('error') }
export const ipcMain = new EventEmitter()
export const Menu = { setApplicationMenu: note('menu'), buildFromTemplate: (template) => template }
export const protocol = { registerSchemesAsPrivileged: note('schemes'), handle: note('handle') }
export const screen = { getAllDisplays: () => [{ workArea: { x: 0, y: 0, width: 1920, height: 1080 } }] }
export const session = {
  defaultSession: {
    setPermissionRequestHandler: note('permission-request'),
    setPermissionCheckHandler: note('permission-check'),
    setDevicePermissionHandler: note('device'),
  },
}
