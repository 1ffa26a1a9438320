import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * Brings a checkout up to date before it is run: packages when they differ from the lock file, output when sources are newer. Nothing to do
 * takes a few milliseconds. Two processes may ask at once: one works, the other waits. Everything said goes to standard error.
 */

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))

/** A build holds the lock for seconds, an installation for minutes; older than this, its owner is taken for dead. */
const LOCK_AGE_MS_MAX = 15 * 60 * 1000

/** Files of earlier builds stay this long, for processes that run from them. */
const OLD_OUTPUT_MS = 24 * 60 * 60 * 1000

/**
 * `node`: what the command line and its workers run. `all`: that, Electron's main and preload, and the page.
 * @typedef {'node' | 'all'} Target
 */

const SAMPLES = ['boot', 'lab', 'translation'].map((name) => `bench/${name}-sample.js`)
const NODE_ENTRIES = ['cli/index.js', 'worker/index.js', 'bench/index.js', ...SAMPLES]

/** Files that are loaded by name; all others carry a hash of their content in their names. */
const ENTRIES = {
  node: NODE_ENTRIES,
  all: [...NODE_ENTRIES, 'main/index.js', 'preload/index.cjs', 'renderer/index.html'],
}

/** Output that is not loaded by name may be shared by processes that started before. */
const HASHED_FOLDERS = ['chunks', join('renderer', 'assets')]

/** @param {string} text */
function say(text) {
  process.stderr.write(`atoll: ${text}\n`)
}

/**
 * @param {Target} target
 * @param {{ root?: string }} [options] `root`: the checkout; the tests build elsewhere
 * @throws {Error} with one sentence, after the tool's own output was shown
 */
export function ensureBuilt(target, { root = ROOT } = {}) {
  if (isInstalled(root) && isBuilt(root, target)) return
  withLock(root, () => {
    if (!isInstalled(root)) install(root)
    if (!isBuilt(root, target)) build(root, target)
  })
}

/** Only the packages: what the scripts that build for themselves need. */
export function ensureInstalled({ root = ROOT } = {}) {
  if (!isInstalled(root)) withLock(root, () => isInstalled(root) || install(root))
}

function isInstalled(root) {
  const modules = join(root, 'node_modules')
  const lock = readFileSync(join(root, 'package-lock.json'))
  const hash = createHash('sha256').update(lock).digest('hex')
  const stamp = join(modules, '.atoll-installed')
  if (readText(stamp) === hash) return true
  const hidden = readText(join(modules, '.package-lock.json'))
  if (hidden === undefined) return false
  if (!holdsAll(JSON.parse(lock.toString()).packages, JSON.parse(hidden).packages)) return false
  writeFileSync(stamp, hash)
  return true
}

/** Whether the tree npm wrote has every package of the lock file in its version; optional ones may be another platform's. */
function holdsAll(wanted, installed) {
  return Object.entries(wanted).every(([path, { version, optional }]) => {
    if (path === '') return true
    const found = installed[path]
    return found === undefined ? optional === true : found.version === version
  })
}

function install(root) {
  say('installing packages (npm ci)')
  const args = ['ci', '--no-audit', '--no-fund', '--loglevel=error']
  const npm = process.env.npm_execpath
  const isScript = npm !== undefined && /\.c?js$/.test(npm) && existsSync(npm)
  const { status, error } = isScript
    ? spawnSync(process.execPath, [npm, ...args], { cwd: root, stdio: ['ignore', 2, 2] })
    : spawnSync('npm', args, { cwd: root, stdio: ['ignore', 2, 2], shell: process.platform === 'win32' })
  if (error !== undefined || status !== 0) throw new Error(`npm ci failed${error ? `: ${error.message}` : ` with status ${status}`}`)
  const hash = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex')
  writeFileSync(join(root, 'node_modules', '.atoll-installed'), hash)
}

function stampFile(root, target) {
  return join(root, 'out', `.built-${target}.json`)
}

function isBuilt(root, target) {
  const stamp = readText(stampFile(root, target))
  if (stamp === undefined || !ENTRIES[target].every((entry) => existsSync(join(root, 'out', entry)))) return false
  const { times, content } = JSON.parse(stamp)
  const sources = sourcesOf(root, target)
  const now = timesOf(root, sources)
  if (now === times) return true
  if (contentOf(root, sources) !== content) return false
  writeStamp(root, target, { times: now, content })
  return true
}

/** What the build reads, relative to the root, sorted. Tests are not part of it. */
function sourcesOf(root, target) {
  const found = ['electron.vite.config.ts', 'package-lock.json']
  const walk = (folder) => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      const path = join(folder, entry.name)
      if (entry.isDirectory()) {
        const isWindowOnly = path === join('src', 'renderer') || path === join('src', 'preload')
        if (target === 'all' || !isWindowOnly) walk(path)
      } else if (!/\.test\.tsx?$/.test(entry.name)) found.push(path)
    }
  }
  walk('src')
  walk('bench')
  return found.sort()
}

/** Changes whenever a file was written, added or removed; reads no contents. */
function timesOf(root, sources) {
  const hash = createHash('sha256')
  for (const path of sources) {
    const { mtimeMs, size } = statSync(join(root, path), { throwIfNoEntry: false }) ?? { mtimeMs: 0, size: -1 }
    hash.update(`${path}\0${mtimeMs}\0${size}\n`)
  }
  return hash.digest('hex')
}

function contentOf(root, sources) {
  const hash = createHash('sha256')
  for (const path of sources)
    hash
      .update(`${path}\0`)
      .update(existsSync(join(root, path)) ? readFileSync(join(root, path)) : '')
      .update('\0')
  return hash.digest('hex')
}

function writeStamp(root, target, stamp) {
  const file = stampFile(root, target)
  writeFileSync(`${file}.${process.pid}`, JSON.stringify(stamp))
  renameSync(`${file}.${process.pid}`, file)
}

function build(root, target) {
  say(target === 'all' ? 'building' : 'building the command line')
  const started = Date.now()
  const sources = sourcesOf(root, target)
  const stamp = { times: timesOf(root, sources), content: contentOf(root, sources) }
  const nodeSources = sourcesOf(root, 'node')
  const nodeStamp = { times: timesOf(root, nodeSources), content: contentOf(root, nodeSources) }
  const fresh = join(root, 'out', `.build-${process.pid}`)
  rmSync(fresh, { recursive: true, force: true })
  try {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [join(root, 'node_modules', 'electron-vite', 'bin', 'electron-vite.js'), 'build'],
      {
        cwd: root,
        env: { ...process.env, ATOLL_OUT: relative(root, fresh), ATOLL_BUILD: target, NODE_OPTIONS: '', NO_COLOR: '1' },
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    )
    if (status !== 0) {
      process.stderr.write(`${stdout}${stderr}`)
      throw new Error(`the build failed with status ${status}`)
    }
    publish(fresh, join(root, 'out'), ENTRIES[target])
  } finally {
    rmSync(fresh, { recursive: true, force: true })
  }
  writeStamp(root, 'node', nodeStamp)
  if (target === 'all') writeStamp(root, 'all', stamp)
  say(`built in ${((Date.now() - started) / 1000).toFixed(1)} s`)
}

/** Moves a finished build into place so that at every moment each entry and what it loads belong together. */
function publish(from, to, entries) {
  const files = readdirSync(from, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(from, join(entry.parentPath, entry.name)))
  const isEntry = (file) => entries.includes(file.split(sep).join('/'))
  const now = new Date()
  for (const file of [...files.filter((name) => !isEntry(name)), ...files.filter(isEntry)]) {
    mkdirSync(dirname(join(to, file)), { recursive: true })
    renameSync(join(from, file), join(to, file))
    utimesSync(join(to, file), now, now)
  }
  for (const folder of HASHED_FOLDERS) {
    if (!existsSync(join(to, folder))) continue
    for (const name of readdirSync(join(to, folder))) {
      const path = join(to, folder, name)
      const info = statSync(path, { throwIfNoEntry: false })
      if (info?.isFile() && now.getTime() - info.mtimeMs > OLD_OUTPUT_MS) rmSync(path, { force: true })
    }
  }
}

/** Runs `work` while no other process of this checkout installs or builds. A lock whose owner is gone is taken over. */
function withLock(root, work) {
  const lock = join(root, 'out', '.lock')
  mkdirSync(join(root, 'out'), { recursive: true })
  let isWaiting = false
  for (;;) {
    try {
      writeFileSync(lock, String(process.pid), { flag: 'wx' })
      break
    } catch (error) {
      if (error.code !== 'EEXIST') throw error
    }
    if (isAbandoned(lock)) rmSync(lock, { force: true })
    else {
      if (!isWaiting) say('waiting for another process that is building')
      isWaiting = true
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100)
    }
  }
  const release = () => rmSync(lock, { force: true })
  process.once('exit', release)
  try {
    work()
  } finally {
    release()
    process.removeListener('exit', release)
  }
}

function isAbandoned(lock) {
  const info = statSync(lock, { throwIfNoEntry: false })
  if (info === undefined) return false
  const ageMs = Date.now() - info.mtimeMs
  if (ageMs > LOCK_AGE_MS_MAX) return true
  const pid = Number(readText(lock))
  if (!Number.isInteger(pid) || pid <= 0) return ageMs > 1000
  try {
    process.kill(pid, 0)
    return false
  } catch (error) {
    return error.code === 'ESRCH'
  }
}

function readText(file) {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (error.code === 'ENOENT') return undefined
    throw error
  }
}
