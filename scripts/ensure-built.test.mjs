import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

/** A checkout in miniature, with stand-ins for npm and the bundler that leave a trace. */

const helper = fileURLToPath(new URL('ensure-built.mjs', import.meta.url))

const FAKE_NPM = `
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
appendFileSync('trace', 'npm ' + process.argv.slice(2).join(' ') + '\\n')
const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'))
mkdirSync('node_modules', { recursive: true })
writeFileSync('node_modules/.package-lock.json', JSON.stringify({ packages }))
`

const FAKE_BUNDLER = `
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
const { ATOLL_OUT: out, ATOLL_BUILD: target } = process.env
appendFileSync('trace', 'build ' + target + '\\n')
const source = readFileSync('src/a.ts', 'utf8')
if (source.includes('wrong')) { console.error('src/a.ts is wrong'); process.exit(1) }
const samples = ['boot', 'lab', 'translation'].map((name) => 'bench/' + name + '-sample.js')
const names = ['cli/index.js', 'worker/index.js', 'bench/index.js', ...samples]
const files = { ...Object.fromEntries(names.map((name) => [name, source])), ['chunks/a-' + source.length + '.js']: source }
if (target === 'all') Object.assign(files, { 'main/index.js': source, 'preload/index.cjs': source, 'renderer/index.html': source })
await new Promise((resolve) => setTimeout(resolve, 200))
for (const [name, text] of Object.entries(files)) {
  mkdirSync(dirname(join(out, name)), { recursive: true })
  writeFileSync(join(out, name), text)
}
`

let root
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'atoll-built-'))
  put('package-lock.json', lock('1.0.0'))
  put('src/a.ts', 'one')
  put('src/renderer/page.tsx', 'page')
  put('bench/b.ts', '')
  put('electron.vite.config.ts', '')
  put('npm.js', FAKE_NPM)
  put('package.json', '{"type":"module"}')
  put('node_modules/.package-lock.json', lock('1.0.0'))
  put('node_modules/electron-vite/bin/electron-vite.js', FAKE_BUNDLER)
  put('node_modules/electron-vite/package.json', '{"type":"module"}')
})
afterEach(() => rmSync(root, { recursive: true }))

function put(name, text) {
  mkdirSync(dirname(join(root, name)), { recursive: true })
  writeFileSync(join(root, name), text)
}

function lock(version) {
  return JSON.stringify({
    packages: { '': {}, 'node_modules/x': { version }, 'node_modules/other-platform': { version: '1', optional: true } },
  })
}

/** Runs `ensureBuilt` in a process of its own. */
function ensure(target) {
  const code = `import { ensureBuilt } from ${JSON.stringify(helper)}
    try {
      ensureBuilt(${JSON.stringify(target)}, { root: ${JSON.stringify(root)} })
    } catch (error) {
      console.error('!' + error.message)
      process.exitCode = 1
    }`
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
    cwd: root,
    env: { ...process.env, npm_execpath: join(root, 'npm.js') },
  })
  let stderr = ''
  let stdout = ''
  child.stderr.on('data', (text) => (stderr += text))
  child.stdout.on('data', (text) => (stdout += text))
  return new Promise((resolve) => child.on('close', (status) => resolve({ status, stderr, stdout })))
}

/** What was done since the last time it was asked. */
function trace() {
  const file = join(root, 'trace')
  const lines = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []
  rmSync(file, { force: true })
  return lines
}

describe('ensureBuilt', () => {
  it('builds once, says so on standard error, and then has nothing to do', async () => {
    const first = await ensure('node')
    expect(first).toMatchObject({ status: 0, stdout: '' })
    expect(first.stderr).toMatch(/^atoll: building the command line\natoll: built in \d+\.\d s\n$/)
    expect(trace()).toEqual(['build node'])
    expect(await ensure('node')).toEqual({ status: 0, stderr: '', stdout: '' })
    expect(trace()).toEqual([])
    expect(readdirSync(join(root, 'out')).sort()).toEqual(['.built-node.json', 'bench', 'chunks', 'cli', 'worker'])
  })

  it('builds the page only when it is asked for, and the command line with it', async () => {
    await ensure('all')
    await ensure('node')
    expect(trace()).toEqual(['build all'])
    put('src/renderer/page.tsx', 'another page')
    await ensure('node')
    expect(trace()).toEqual([])
    await ensure('all')
    expect(trace()).toEqual(['build all'])
  })

  it('builds again when a source changed, was added or removed, and not when it was only touched', async () => {
    await ensure('node')
    put('src/a.ts', 'two')
    await ensure('node')
    put('src/b/new.ts', '')
    await ensure('node')
    rmSync(join(root, 'src/b/new.ts'))
    await ensure('node')
    expect(trace()).toEqual(Array(4).fill('build node'))
    utimesSync(join(root, 'src/a.ts'), 1, 1)
    put('src/a.test.ts', 'tests are not built')
    await ensure('node')
    expect(trace()).toEqual([])
    rmSync(join(root, 'out/worker/index.js'))
    await ensure('node')
    expect(trace()).toEqual(['build node'])
  })

  it('keeps the output of the build before for those who still run from it', async () => {
    await ensure('node')
    put('src/a.ts', 'longer')
    await ensure('node')
    expect(readdirSync(join(root, 'out/chunks')).sort()).toEqual(['a-3.js', 'a-6.js'])
    utimesSync(join(root, 'out/chunks/a-3.js'), 1, 1)
    put('src/a.ts', 'longest')
    await ensure('node')
    expect(readdirSync(join(root, 'out/chunks')).sort()).toEqual(['a-6.js', 'a-7.js'])
  })

  it('lets two build at once: one works, the other waits', async () => {
    const results = await Promise.all([ensure('node'), ensure('node'), ensure('node')])
    expect(results.map(({ status }) => status)).toEqual([0, 0, 0])
    expect(trace()).toEqual(['build node'])
    expect(existsSync(join(root, 'out/.lock'))).toBe(false)
  })

  it('takes a lock over whose owner is gone', async () => {
    put('out/.lock', '999999999')
    expect((await ensure('node')).status).toBe(0)
  })

  it('shows what the bundler said when it fails, keeps the old output, and tries again the next time', async () => {
    await ensure('node')
    put('src/a.ts', 'wrong')
    const { status, stderr } = await ensure('node')
    expect(status).toBe(1)
    expect(stderr).toContain('src/a.ts is wrong')
    expect(stderr).toContain('!the build failed with status 1')
    expect(readFileSync(join(root, 'out/cli/index.js'), 'utf8')).toBe('one')
    put('src/a.ts', 'right')
    expect((await ensure('node')).status).toBe(0)
    expect(readFileSync(join(root, 'out/cli/index.js'), 'utf8')).toBe('right')
  })

  it('installs when packages are missing or differ from the lock file', async () => {
    await ensure('node')
    expect(trace()).toEqual(['build node'])
    put('package-lock.json', lock('2.0.0'))
    const { stderr } = await ensure('node')
    expect(stderr).toContain('atoll: installing packages (npm ci)\n')
    expect(trace()).toEqual(['npm ci --no-audit --no-fund --loglevel=error', 'build node'])
    await ensure('node')
    rmSync(join(root, 'node_modules/.package-lock.json'))
    rmSync(join(root, 'node_modules/.atoll-installed'))
    await ensure('node')
    expect(trace()).toEqual(['npm ci --no-audit --no-fund --loglevel=error'])
  })
})
