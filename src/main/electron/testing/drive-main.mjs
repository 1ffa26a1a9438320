import { register } from 'node:module'
import { pathToFileURL } from 'node:url'

/**
 * Runs the built main process in Node with the fake Electron, plays one session with it, and prints what happened as JSON. A process of its
 * own, since the main process begins with being imported.
 * Arguments: the built main process.
 */
const fake = new URL('./fake-electron.mjs', import.meta.url).href
const hook = `export const resolve = (name, context, next) =>
  name === 'electron' ? { url: ${JSON.stringify(fake)}, shortCircuit: true } : next(name, context)`
register(`data:text/javascript,${encodeURIComponent(hook)}`)

const { app, ipcMain, record } = await import(fake)
await import(pathToFileURL(process.argv[2]).href)

const find = (what) => record.find(([name]) => name === what)
while (find('load') === undefined) await new Promise((resolve) => setTimeout(resolve, 10))

const [, options, window] = find('window')
const seen = { options, loaded: find('load')[1], windowOpen: find('window-open')[1], sandbox: find('sandbox') !== undefined }

const prevented = []
for (const event of ['will-navigate', 'will-redirect', 'will-attach-webview']) {
  window.webContents.emit(event, { preventDefault: () => prevented.push(event) })
}
seen.prevented = prevented
find('permission-request')[1]({ getURL: () => 'atoll://app/' }, 'media', (answer) => (seen.media = answer))

const handle = find('handle')[2]
seen.pages = {}
for (const url of ['atoll://app/', 'atoll://evil/', 'atoll://app/package.json', 'atoll://app/..%2fpackage.json']) {
  const response = await handle(new Request(url))
  seen.pages[url] = response.status
  if (url === 'atoll://app/') seen.policy = response.headers.get('content-security-policy')
}

const connect = (frame) =>
  new Promise((resolve) => {
    ipcMain.emit('atoll:connect', { senderFrame: { ...frame, postMessage: (name, _, [port]) => resolve({ name, port }) } })
    setTimeout(() => resolve(undefined), 100)
  })
seen.foreign = await connect({ parent: null, url: 'https://evil.example/' })
seen.inner = await connect({ parent: {}, url: 'atoll://app/' })
const { port } = await connect({ parent: null, url: 'atoll://app/' })
const answer = new Promise((resolve) => port.on('message', ({ data }) => resolve(data)))
port.postMessage({ t: 'q', i: '1', m: 'attach', a: [] })
seen.answer = await answer

app.emit('second-instance')
for (let i = 0; i < 4; i++) window.webContents.emit('render-process-gone', {}, { reason: 'crashed' })
window.emit('close')
window.emit('closed')
app.emit('window-all-closed')
app.emit('will-quit')
seen.said = record.map(([name]) => name).filter((name) => ['restore', 'focus', 'reload', 'error', 'quit'].includes(name))
seen.userData = app.userData
process.stdout.write(JSON.stringify(seen))
