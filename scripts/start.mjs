import { spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ensureBuilt } from './ensure-built.mjs'

/**
 * `npm start`: brings packages and build up to date and opens the workbench, in Electron where its binary is or can be had, else
 * in a browser. Says which and why. `npm start -- --browser` takes the browser in any case; further arguments are those of `atoll serve`.
 */

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))

/** Longest that a download of Electron may keep the user waiting. */
const DOWNLOAD_MS_MAX = 60_000

/** @param {string} text */
function say(text) {
  process.stderr.write(`atoll: ${text}\n`)
}

function executableIn(folder) {
  const path = { darwin: 'Electron.app/Contents/MacOS/Electron', win32: 'electron.exe' }[process.platform] ?? 'electron'
  return join(folder, ...path.split('/'))
}

/** Electron's own package names the binary only by trying to download it; so it is looked for here. */
function findElectron() {
  const folders = [process.env.ELECTRON_OVERRIDE_DIST_PATH, join(ROOT, 'node_modules', 'electron', 'dist')]
  return folders
    .filter((folder) => folder !== undefined && folder !== '')
    .map(executableIn)
    .find((file) => existsSync(file))
}

function hasDisplay() {
  if (process.platform === 'darwin' || process.platform === 'win32') return true
  return Boolean(process.env.DISPLAY || process.env.WAYLAND_DISPLAY)
}

/** Electron's installer, quietly and not for long. */
function downloadElectron() {
  const installer = join(ROOT, 'node_modules', 'electron', 'install.js')
  if (!existsSync(installer)) return
  say(`downloading Electron, at most ${DOWNLOAD_MS_MAX / 1000} s`)
  spawnSync(process.execPath, [installer], { cwd: ROOT, stdio: 'ignore', timeout: DOWNLOAD_MS_MAX, killSignal: 'SIGKILL' })
}

/** Where to open, and the reason in words. */
function chooseShell(args) {
  if (args.includes('--browser')) return { reason: 'as --browser asks' }
  if (!hasDisplay()) return { reason: 'there is no display for Electron' }
  if (findElectron() === undefined) downloadElectron()
  const electron = findElectron()
  return electron === undefined ? { reason: "Electron's binary is not here and could not be downloaded" } : { electron }
}

/** Resolves with the status that Electron ended with. Ctrl-C reaches Electron by itself: it belongs to the same terminal. */
function runElectron(electron, args) {
  return new Promise((resolve) => {
    const { ELECTRON_RUN_AS_NODE: _, ...env } = process.env
    // Chromium's sandbox refuses to run as root.
    const rootArgs = process.getuid?.() === 0 ? ['--no-sandbox'] : []
    const child = spawn(electron, [...rootArgs, ROOT, ...args], { cwd: ROOT, env, stdio: 'inherit' })
    const forward = (signal) => child.kill(signal)
    process.on('SIGINT', () => undefined)
    process.on('SIGTERM', forward)
    child.once('error', (error) => {
      say(`Electron did not start: ${error.message}`)
      resolve(undefined)
    })
    child.once('exit', (status, signal) => resolve(signal === 'SIGINT' ? 0 : (status ?? 1)))
  })
}

async function serve(args) {
  const { main } = await import('../out/cli/index.js')
  await main(['serve', ...args])
}

try {
  ensureBuilt('all')
} catch (error) {
  say(error.message)
  process.exit(1)
}
const args = process.argv.slice(2)
const serveArgs = args.filter((arg) => arg !== '--browser')
const { electron, reason } = chooseShell(args)
if (electron === undefined) {
  say(`opening the workbench in a browser: ${reason}`)
  await serve(serveArgs)
} else {
  say('opening the workbench in Electron')
  const status = await runElectron(electron, [])
  if (status !== undefined) process.exit(status)
  say('opening the workbench in a browser instead')
  await serve(serveArgs)
}
