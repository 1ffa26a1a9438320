/** How the page, the preload and the main process of the desktop shell hand over a port. */

/** What the preload puts on `window.atoll`: asks the main process for a fresh port, which arrives as a window message. */
export interface ElectronBridge {
  connect(): void
}

/** The preload's request to the main process. */
export const CONNECT_REQUEST = 'atoll:connect'

/** `data` of the messages that carry the port: from the main process to the preload, from the preload to the page. */
export const ELECTRON_PORT_MESSAGE = 'atoll:port'
