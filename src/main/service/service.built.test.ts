import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { WebSocket } from 'ws'
import { createRpc } from '../../protocol/rpc.ts'
import type { MachineStatus, WorkbenchEvents, WorkbenchService } from '../../protocol/service.ts'
import type { WebSocketLike } from '../../protocol/transport.ts'
import { channelFromWebSocket } from '../../protocol/transport.ts'
import type { MachineSpec, Progress } from '../worker/messages.ts'
import { MachinePool, spawnScript } from './machine-pool.ts'

/** The browser shell as people start it, with its real workers, compiler and machines. */

const root = join(import.meta.dirname, '..', '..', '..')

let folder: string
let server: ChildProcess
let output = ''

async function startServer(port: number): Promise<void> {
  output = ''
  server = spawn(process.execPath, [join(root, 'scripts', 'atoll.mjs'), 'serve', '--no-open', '--port', String(port)], {
    env: { ...process.env, ATOLL_PROJECT: join(folder, 'project'), ATOLL_STATE: join(folder, 'state') },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  server.stdout!.on('data', (text) => (output += text))
  await vi.waitFor(() => expect(output).toContain('Ctrl-C'), { timeout: 60_000 })
}

const address = (): URL => new URL(/http:\S+/.exec(output)![0])

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'atoll-service-'))
  await startServer(0)
})
afterAll(async () => {
  const ended = new Promise((resolve) => server.once('exit', (status) => resolve(status)))
  server.kill('SIGINT')
  const status = await ended
  rmSync(folder, { recursive: true })
  if (status !== 0) throw new Error(`atoll serve ended with ${String(status)} at SIGINT`)
})

interface Window {
  service: WorkbenchService
  text: () => string
  statuses: MachineStatus[]
  socket: WebSocket
  /** Holds answers to console bytes back while it is set. */
  gate?: Promise<void>
}

async function signIn(): Promise<string> {
  const response = await fetch(address(), { redirect: 'manual' })
  expect(response.status).toBe(303)
  return response.headers.get('set-cookie')!.split(';')[0]
}

async function open(cookie?: string): Promise<Window> {
  const socket = new WebSocket(`ws://${address().host}/rpc`, { headers: { cookie: cookie ?? (await signIn()), origin: address().origin } })
  const received: Buffer[] = []
  const window: Window = {
    service: undefined as unknown as WorkbenchService,
    text: () => Buffer.concat(received).toString('latin1'),
    statuses: [],
    socket,
  }
  const events: { [K in keyof WorkbenchEvents]: (...args: Parameters<WorkbenchEvents[K]>) => unknown } = {
    console: (_, bytes) => {
      received.push(Buffer.from(bytes))
      return window.gate
    },
    status: (status) => window.statuses.push(status),
    filesChanged: () => undefined,
  }
  window.service = createRpc<WorkbenchService>(
    await channelFromWebSocket(socket as unknown as WebSocketLike),
    events,
  ) as unknown as WorkbenchService
  return window
}

const WAIT = { timeout: 30_000, interval: 20 }

async function put(window: Window, path: string, text: string): Promise<void> {
  expect(await window.service.writeFile(path, text)).toMatchObject({ ok: true })
}

describe('atoll serve', () => {
  it('serves the page to whoever has the key', async () => {
    const cookie = await signIn()
    const response = await fetch(address().origin, { headers: { cookie } })
    expect(response.status).toBe(200)
    const html = await response.text()
    expect(html).toContain('<title>')
    // Everything the page loads at its start is there, and nothing is inline or from elsewhere.
    expect(html).not.toMatch(/<script(?![^>]*\bsrc=)|https?:\/\//)
    for (const [, path] of html.matchAll(/(?:src|href)="([^"]+)"/g)) {
      expect((await fetch(new URL(path, address().origin), { headers: { cookie } })).status, path).toBe(200)
    }
    expect((await fetch(address().origin)).status).toBe(403)
  })

  it('edits, builds, boots, and shows it', async () => {
    const window = await open()
    const { machines, projectName, shell } = await window.service.attach()
    expect([machines, projectName, shell]).toEqual([[], 'project', 'browser'])
    const hello = await window.service.readFile('hello.c')
    expect(await window.service.writeFile('hello.c', hello.text.replace('Hello from', 'Greetings from'), hello.version)).toMatchObject({
      ok: true,
    })
    const result = await window.service.boot({ program: 'hello.c' })
    expect(result).toMatchObject({ ok: true, machine: { program: 'hello.c' } })
    await vi.waitFor(() => expect(window.text()).toContain('[user] Greetings from ring-3!\n'), WAIT)
    await vi.waitFor(() => expect(window.statuses.at(-1)).toMatchObject({ phase: 'exited', exitStatus: 0 }), WAIT)
    window.socket.terminate()
  })

  it('finds mistakes as one types', async () => {
    const window = await open()
    expect(await window.service.check('hello.c', 'void _start(void) {\n  wrong();\n}\n')).toMatchObject([
      { path: 'hello.c', line: 2, column: 3, severity: 'error' },
    ])
    window.socket.terminate()
  })

  it('runs a function of a WebAssembly module', async () => {
    const window = await open()
    await window.service.attach()
    const args = ['--invoke', 'factorial', '10']
    expect(await window.service.boot({ program: 'test.wat', args })).toMatchObject({ ok: true, machine: { program: 'test.wat' } })
    await vi.waitFor(() => expect(window.text()).toContain('\n3628800\n'), WAIT)
    window.socket.terminate()
  })

  it('types, stops at once, resets, and is found again by another window', async () => {
    const window = await open()
    await window.service.attach()
    const result = await window.service.boot({ program: 'echo.c' })
    const { id } = result.ok ? result.machine : { id: '' }
    await vi.waitFor(() => expect(window.text()).toMatch(/> $/), WAIT)
    await window.service.type(id, new TextEncoder().encode('¡hola!\r'))
    await vi.waitFor(() => expect(Buffer.from(window.text(), 'latin1').toString()).toContain('> ¡hola!\n¡hola!\n> '), WAIT)
    const other = await open()
    const attachment = await other.service.attach()
    expect(Buffer.from(attachment.machines[0].console).toString('latin1')).toBe(
      window.text().slice(-attachment.machines[0].console.byteLength),
    )
    await window.service.stop(id)
    await vi.waitFor(() => expect(other.statuses.at(-1)).toMatchObject({ id, phase: 'stopped' }), WAIT)
    await window.service.reset(id)
    await vi.waitFor(() => expect(other.text()).toMatch(/\x1bc[^]*> $/), WAIT)
    await window.service.stop(id)
    for (const { socket } of [window, other]) socket.terminate()
  })

  it('gives the shell of a new project a /bin', async () => {
    const window = await open()
    await window.service.attach()
    const result = await window.service.boot({ program: 'sh.c' })
    expect(result).toMatchObject({ ok: true })
    const { id } = result.ok ? result.machine : { id: '' }
    await vi.waitFor(() => expect(window.text()).toMatch(/atoll\$ $/), WAIT)
    await window.service.type(id, new TextEncoder().encode('say one two | wc\rexit 3\r'))
    await vi.waitFor(() => expect(window.statuses.at(-1)).toMatchObject({ id, phase: 'exited', exitStatus: 3 }), WAIT)
    expect(window.text()).toContain('1 2 8\n')
    window.socket.terminate()
  })

  it('stops a program that loops for ever', async () => {
    const window = await open()
    await window.service.attach()
    const result = await window.service.boot({ program: 'spin.c', pace: 'fast' })
    const { id } = result.ok ? result.machine : { id: '' }
    await vi.waitFor(() => expect(window.text()).toContain('[user] '), WAIT)
    await window.service.stop(id)
    await vi.waitFor(() => expect(window.statuses.at(-1)).toMatchObject({ id, phase: 'stopped' }), WAIT)
    expect(window.statuses.at(-1)!.message).toBeUndefined()
    window.socket.terminate()
  })

  it('holds a flooding program back by the window that shows it', async () => {
    const window = await open()
    await window.service.attach()
    await put(
      window,
      'flood.c',
      '#include <atoll.h>\nstatic char line[4096];\nvoid _start(void) { for (;;) sys_write(1, line, sizeof line); }',
    )
    let release = (): void => undefined
    window.gate = new Promise((resolve) => (release = resolve))
    const result = await window.service.boot({ program: 'flood.c', pace: 'fast' })
    const { id } = result.ok ? result.machine : { id: '' }
    let last = -1
    // Held back: what was sent stays the same from one look to the next.
    await vi.waitFor(
      () => {
        const length = window.text().length
        const isStill = length > 100_000 && length === last
        last = length
        expect(isStill).toBe(true)
      },
      { ...WAIT, interval: 300 },
    )
    expect(last).toBeLessThan(4 * 1024 * 1024)
    window.gate = undefined
    release()
    await vi.waitFor(() => expect(window.text().length).toBeGreaterThan(2 * last), WAIT)
    await window.service.stop(id)
    window.socket.terminate()
  })

  it('lets an open page back in after it was started again at the same port', async () => {
    const cookie = await signIn()
    const { host } = address()
    const gone = new Promise((resolve) => server.once('exit', resolve))
    server.kill('SIGKILL')
    await gone
    await startServer(Number(host.split(':')[1]))
    const window = await open(cookie)
    expect((await window.service.attach()).machines).toEqual([])
    expect((await window.service.readFile('hello.c')).text).toContain('Greetings from')
    expect(readFileSync(join(folder, 'project', 'hello.c'), 'utf8')).toContain('Greetings from')
    window.socket.terminate()
  })
})

describe('a worker that hangs or crashes', () => {
  const spec: MachineSpec = {
    boot: new Uint8Array(),
    program: { path: '/a', bytes: new Uint8Array(), args: [] },
    files: new Map(),
    ramBytes: 1,
    seed: 0,
  }

  function poolOf(code: string): { pool: MachinePool; ended: Promise<Progress> } {
    const script = join(folder, `worker-${code.length}.mjs`)
    writeFileSync(script, `import { parentPort } from 'node:worker_threads'\nparentPort.on('message', () => { ${code} })\n`)
    let end: (progress: Progress) => void
    const ended = new Promise<Progress>((resolve) => (end = resolve))
    const pool = new MachinePool({
      sizeMax: 1,
      spawn: (events) => spawnScript(script, events, 32),
      events: { onConsole: () => undefined, onProgress: () => undefined, onEnded: (_, progress) => end(progress) },
    })
    return { pool, ended }
  }

  it('is ended when it does not stop', async () => {
    const { pool, ended } = poolOf('for (;;);')
    pool.boot('m', spec, 'live')
    await pool.stop('m')
    expect(await ended).toMatchObject({ phase: 'stopped' })
  })

  it('is reported when it throws', async () => {
    const { pool, ended } = poolOf("throw new Error('engine bug')")
    pool.boot('m', spec, 'live')
    expect(await ended).toMatchObject({ phase: 'stopped', message: expect.stringContaining('engine bug') })
  })

  it('is reported when it runs out of memory', async () => {
    const { pool, ended } = poolOf('const all = []; for (;;) all.push(new Array(1e6).fill(0).map((_, i) => ({ i })))')
    pool.boot('m', spec, 'live')
    expect(await ended).toMatchObject({ phase: 'stopped', message: expect.stringContaining('memory') })
  })
})
