import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '..', '..', '..')

describe('the main process', () => {
  it('opens one locked-down window, serves it the page and a port, and outlives its crashes', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'atoll-main-'))
    const driver = fileURLToPath(new URL('./testing/drive-main.mjs', import.meta.url))
    const { stdout } = await promisify(execFile)(process.execPath, [driver, join(root, 'out', 'main', 'index.js')], {
      env: { ...process.env, ATOLL_PROJECT: join(folder, 'project') },
    })
    const seen = JSON.parse(stdout)
    expect(seen.options.webPreferences).toMatchObject({ contextIsolation: true, sandbox: true, nodeIntegration: false, webviewTag: false })
    expect(existsSync(seen.options.webPreferences.preload)).toBe(true)
    expect(seen).toMatchObject({ sandbox: true, loaded: 'atoll://app/', windowOpen: { action: 'deny' }, media: false })
    expect(seen.prevented).toEqual(['will-navigate', 'will-redirect', 'will-attach-webview'])
    expect(Object.values(seen.pages)).toEqual([200, 404, 404, 404])
    expect(seen.policy).toContain("default-src 'none'; script-src 'self';")
    // Neither another origin's page nor a frame in ours gets a port.
    expect([seen.foreign, seen.inner]).toEqual([undefined, undefined])
    expect(seen.answer).toMatchObject({ t: 's', i: '1', r: { shell: 'electron', projectName: 'project', machines: [] } })
    expect(seen.said).toEqual(['restore', 'focus', 'reload', 'reload', 'reload', 'error', 'quit'])
    expect(JSON.parse(readFileSync(join(seen.userData, 'window.json'), 'utf8')).bounds).toEqual({ x: 10, y: 20, width: 900, height: 700 })
    for (const path of [folder, seen.userData]) rmSync(path, { recursive: true })
  })

  it('has a preload that a sandbox can load: one script that requires Electron and nothing else', () => {
    const preload = readFileSync(join(root, 'out', 'preload', 'index.cjs'), 'utf8')
    expect([...preload.matchAll(/require\("([^"]+)"\)/g)].map(([, name]) => name)).toEqual(['electron'])
    expect(preload).not.toMatch(/^\s*(?:import|export)\b/m)
  })
})
