import { contextBridge, ipcRenderer } from 'electron'
import type { ElectronBridge } from '../protocol/bridge.ts'
import { CONNECT_REQUEST, ELECTRON_PORT_MESSAGE } from '../protocol/bridge.ts'

/** The one bridge: the page asks for a port and gets it as a window message, since ports cannot cross the context bridge. */
const bridge: ElectronBridge = { connect: () => ipcRenderer.send(CONNECT_REQUEST) }

ipcRenderer.on(ELECTRON_PORT_MESSAGE, ({ ports }) => window.postMessage(ELECTRON_PORT_MESSAGE, '*', [...ports]))
contextBridge.exposeInMainWorld('atoll', bridge)
