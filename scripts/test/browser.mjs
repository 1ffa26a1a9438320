/**
 * The browser that the end-to-end tests drive: one that is installed, since Playwright's own download is not to be had
 * everywhere and Atoll must look right in what people have.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'microsoft-edge', 'chrome', 'msedge']

/** Where installers put it on systems that have no PATH to speak of. */
function usualPlaces(env) {
  const windows = ['Google\\Chrome\\Application\\chrome.exe', 'Microsoft\\Edge\\Application\\msedge.exe']
  return [
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    '/Applications/Chromium.app/Contents/MacOS/Chromium',
    '/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge',
    ...[env.PROGRAMFILES, env['PROGRAMFILES(X86)'], env.LOCALAPPDATA].filter(Boolean).flatMap(base => windows.map(path => join(base, path)))
  ]
}

/**
 * The path of an installed browser of the Chromium family, or undefined. `ATOLL_BROWSER` names one outright.
 * @param {NodeJS.ProcessEnv} env
 * @returns {string | undefined}
 */
export function findBrowser(env = process.env) {
  if (env.ATOLL_BROWSER !== undefined && env.ATOLL_BROWSER !== '') return existsSync(env.ATOLL_BROWSER) ? env.ATOLL_BROWSER : undefined
  const suffix = process.platform === 'win32' ? '.exe' : ''
  const onPath = (env.PATH ?? '').split(delimiter).filter(Boolean).flatMap(folder => NAMES.map(name => join(folder, name + suffix)))
  return [...onPath, ...usualPlaces(env)].find(path => existsSync(path))
}

/** True where `apt-get install chromium` gives a browser: on Debian itself (Ubuntu's package only points at a snap), as root. */
export function canInstallBrowser() {
  if (process.getuid?.() !== 0 || !existsSync('/etc/os-release')) return false
  return /^ID=debian$/m.test(readFileSync('/etc/os-release', 'utf8'))
}

/**
 * Installs Debian's Chromium. Takes a minute or two and needs the package mirror.
 * @returns {string | undefined} its path, or undefined when apt-get could not; apt-get has then said why
 */
export function installBrowser() {
  const run = (...args) => {
    const options = { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } }
    return spawnSync('apt-get', args, options).status === 0
  }
  run('update', '-q')
  return run('install', '-y', '-q', '--no-install-recommends', 'chromium', 'fonts-liberation') ? findBrowser() : undefined
}
