/**
 * `npm test`: sets up what is missing, then runs everything and ends with `N passed, N failed`. Plain Node, because it has to
 * run before anything is installed. Names of suites as arguments run those alone: `npm test -- unit e2e`.
 */
import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ensureBuilt } from './ensure-built.mjs'
import { canInstallBrowser, findBrowser, installBrowser } from './test/browser.mjs'
import { closingLine, countClosingLine, countPlaywright, countVitest, settle } from './test/counts.mjs'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const RESULTS = join(ROOT, 'test-results')
/** Shared with the tests of the toolchain, so that musl is built once, and the user's own cache stays as it was. */
const CACHE = join(ROOT, '.cache', 'toolchain')
/** Nothing here takes a quarter of this; what does hangs. */
const SUITE_MS_MAX = 10 * 60_000

const SUITES = {
  check: { title: 'types, lint, layers, style', run: () => program('scripts/check.mjs') },
  unit: { title: 'unit tests, beside the source', run: () => vitest('unit') },
  built: { title: 'tests of what was built: command line, service, workers', run: () => vitest('built') },
  e2e: { title: 'end-to-end tests, in a browser', run: playwright }
}

const wanted = process.argv.slice(2)
const unknown = wanted.find(name => !(name in SUITES))
if (unknown !== undefined) {
  console.error(`There is no suite ${unknown}; there are ${Object.keys(SUITES).join(', ')}.`)
  process.exit(2)
}
const chosen = Object.keys(SUITES).filter(name => wanted.length === 0 || wanted.includes(name))

const start = performance.now()
try {
  ensureBuilt('all')
} catch (error) {
  console.error(`Set-up failed: ${error.message}`)
  console.log('0 passed, 1 failed')
  process.exit(1)
}
mkdirSync(RESULTS, { recursive: true })
await prepareLibrary()

const rows = []
for (const name of chosen) {
  const { title, run } = SUITES[name]
  console.log(`\n== ${name}: ${title}`)
  const began = performance.now()
  rows.push({ name, counts: await run(), seconds: (performance.now() - began) / 1000 })
}

console.log(`\n== all, ${((performance.now() - start) / 1000).toFixed(0)} s`)
for (const { name, counts, seconds } of rows) console.log(`${name.padEnd(6)} ${seconds.toFixed(0).padStart(4)} s  ${closingLine([counts])}`)
console.log(closingLine(rows.map(row => row.counts)))
process.exitCode = rows.some(row => row.counts.failed > 0) ? 1 : 0

/**
 * Runs a Node script below the checkout with its output shown.
 * @returns {Promise<{ status: number | null, output: string }>} `status` null when it was killed
 */
function node(script, args, env = {}) {
  return new Promise(resolve => {
    const child = spawn(process.execPath, [join(ROOT, script), ...args], {
      cwd: ROOT,
      env: { ...process.env, ATOLL_CACHE: CACHE, ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
      timeout: SUITE_MS_MAX,
      killSignal: 'SIGKILL'
    })
    let output = ''
    child.stdout.setEncoding('utf8').on('data', text => {
      output += text
      process.stdout.write(text)
    })
    child.on('error', error => {
      console.error(`cannot run ${script}: ${error.message}`)
      resolve({ status: null, output })
    })
    child.on('close', status => resolve({ status, output }))
  })
}

/** Builds a program that needs musl, which builds musl the first time: most of a minute. What goes wrong here, the tests will say. */
async function prepareLibrary() {
  const { status } = await node('scripts/atoll.mjs', ['build', 'user/posix_hello.c', '-o', join(RESULTS, 'posix_hello')])
  if (status !== 0) console.error('The C library is not ready, so tests that need it will fail.')
}

async function program(script) {
  const { status, output } = await node(script, [])
  return settle(countClosingLine(output), status)
}

async function vitest(project) {
  const file = reportFile(project)
  const args = ['run', '--project', project, '--reporter=default', '--reporter=json', `--outputFile.json=${file}`]
  const { status } = await node('node_modules/vitest/vitest.mjs', args)
  return settle(readReport(file, countVitest), status)
}

async function playwright() {
  const browser = findBrowser() ?? (process.env.ATOLL_BROWSER === undefined && canInstallBrowser() ? install() : undefined)
  if (browser === undefined) return skipEndToEnd()
  console.log(`browser: ${browser}`)
  const file = reportFile('e2e')
  const env = { ATOLL_BROWSER: browser, PLAYWRIGHT_JSON_OUTPUT_NAME: file }
  const { status } = await node('node_modules/@playwright/test/cli.js', ['test', '--reporter=list,json'], env)
  return settle(readReport(file, countPlaywright), status)
}

function install() {
  console.log('No browser found; installing Debian\'s chromium.')
  return installBrowser()
}

async function skipEndToEnd() {
  console.log('No browser of the Chromium family was found, so the end-to-end tests are skipped. Install Chromium, Chrome or Edge, or set')
  console.log('ATOLL_BROWSER to the path of one. Skipped:')
  const { output } = await node('node_modules/@playwright/test/cli.js', ['test', '--list', '--reporter=list'])
  const listed = output.split('\n').filter(line => line.includes('›'))
  return { passed: 0, failed: listed.length === 0 ? 1 : 0, skipped: listed.length }
}

function reportFile(name) {
  const file = join(RESULTS, `${name}.json`)
  rmSync(file, { force: true })
  return file
}

function readReport(file, count) {
  try {
    return count(JSON.parse(readFileSync(file, 'utf8')))
  } catch (error) {
    console.error(`no readable report in ${file}: ${error.message}`)
    return undefined
  }
}
