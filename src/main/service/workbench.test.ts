import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Channel } from '../../protocol/rpc.ts'
import { createRpc } from '../../protocol/rpc.ts'
import type { MachineStatus, WorkbenchEvents, WorkbenchService } from '../../protocol/service.ts'
import { channelFromMessagePort } from '../../protocol/transport.ts'
import type { FromWorker, ToWorker } from '../worker/messages.ts'
import { UNANSWERED_BYTES_MAX } from './clients.ts'
import type { ProgramBuilder } from './program-builder.ts'
import { Project } from './project.ts'
import { Workbench } from './workbench.ts'

let folder: string
let workbench: Workbench
let toWorker: ToWorker[]
let fromWorker: (message: FromWorker) => void
let checks: { text: string; signal: AbortSignal; resolve: () => void }[]
const channels: Channel[] = []

const builder: ProgramBuilder = {
  bootImage: async () => new Uint8Array([0xb0]),
  systemFiles: async () => new Map(),
  build: async (_, path) => {
    const isWrong = path === 'wrong.c'
    const error = { path, line: 1, column: 2, endLine: 1, endColumn: 3, severity: 'error' as const, message: 'no' }
    return {
      result: { ok: !isWrong, diagnostics: isWrong ? [error] : [], elapsedMs: 1, cached: false },
      image: isWrong ? undefined : new Uint8Array([0xe1]),
    }
  },
  check: (_, __, text, signal) =>
    new Promise((resolve, reject) => {
      checks.push({ text, signal, resolve: () => resolve([]) })
      signal.addEventListener('abort', () => reject(new Error('aborted')))
    }),
}

beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'atoll-workbench-')))
  await mkdir(join(folder, 'include'))
  await writeFile(join(folder, 'hello.c'), 'int x;')
  await writeFile(join(folder, 'include/a.h'), '')
  toWorker = []
  checks = []
  workbench = new Workbench({
    project: new Project(folder),
    builder,
    shell: 'browser',
    spawn: (events) => {
      fromWorker = events.onMessage
      return {
        post: (message) => {
          toWorker.push(message)
          if (message.type === 'stop') {
            queueMicrotask(() =>
              events.onMessage({ type: 'ended', id: message.id, progress: { phase: 'stopped', virtualNs: 1, instructions: 1, wallMs: 1 } }),
            )
          }
        },
        terminate: () => undefined,
      }
    },
  })
  await workbench.start()
})
afterEach(async () => {
  workbench.dispose()
  for (const channel of channels.splice(0)) channel.close()
  await rm(folder, { recursive: true })
})

interface Window {
  service: WorkbenchService
  consoleText: () => string
  statuses: MachineStatus[]
  changes: string[][]
  closed: boolean
  isFrozen: boolean
}

function open(): Window {
  const { port1, port2 } = new MessageChannel()
  const received: Uint8Array[] = []
  const channel = channelFromMessagePort(port2)
  channels.push(channel)
  const window: Window = {
    service: undefined as unknown as WorkbenchService,
    consoleText: () => Buffer.concat(received).toString('latin1'),
    statuses: [],
    changes: [],
    closed: false,
    isFrozen: false,
  }
  const events: { [K in keyof WorkbenchEvents]: (...args: Parameters<WorkbenchEvents[K]>) => unknown } = {
    console: (_, bytes) => {
      received.push(bytes)
      return window.isFrozen ? new Promise(() => undefined) : undefined
    },
    status: (status) => window.statuses.push(status),
    filesChanged: (paths) => window.changes.push(paths),
  }
  window.service = createRpc<WorkbenchService>(channel, events) as unknown as WorkbenchService
  channel.onClose(() => (window.closed = true))
  workbench.connect(channelFromMessagePort(port1))
  return window
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value)

describe('Workbench', () => {
  it('boots what it built, with the project in the RAM file system', async () => {
    const window = open()
    await window.service.attach()
    const result = await window.service.boot({ program: 'hello.c', args: ['a'], memoryBytes: 32 * 2 ** 20 })
    expect(result).toMatchObject({ ok: true, machine: { id: 'm1', program: 'hello.c', phase: 'booting' } })
    expect(toWorker).toEqual([
      {
        type: 'boot',
        id: 'm1',
        pace: 'live',
        spec: {
          boot: new Uint8Array([0xb0]),
          program: { path: '/bin/hello', bytes: new Uint8Array([0xe1]), args: ['a'] },
          files: new Map([
            ['/hello.c', text('int x;')],
            ['/include/a.h', new Uint8Array()],
          ]),
          ramBytes: 32 * 2 ** 20,
          seed: 1,
        },
      },
    ])
    fromWorker({ type: 'progress', id: 'm1', progress: { phase: 'running', virtualNs: 5, instructions: 4, wallMs: 3 } })
    await vi.waitFor(() =>
      expect(window.statuses.at(-1)).toEqual({ id: 'm1', program: 'hello.c', phase: 'running', virtualNs: 5, instructions: 4, wallMs: 3 }),
    )
  })

  it('keeps the running machine when the build fails', async () => {
    const window = open()
    await window.service.boot({ program: 'hello.c' })
    expect(await window.service.boot({ program: 'wrong.c' })).toMatchObject({
      ok: false,
      message: 'wrong.c has an error',
      build: { diagnostics: [{ line: 1 }] },
    })
    expect((await window.service.attach()).machines.map(({ status }) => status.id)).toEqual(['m1'])
  })

  it('replaces the machine at the next boot', async () => {
    const window = open()
    await window.service.attach()
    const results = await Promise.all([window.service.boot({ program: 'hello.c' }), window.service.boot({ program: 'hello.c' })])
    expect(results).toMatchObject([{ machine: { id: 'm1' } }, { machine: { id: 'm2' } }])
    expect(toWorker.map(({ type, id }) => `${type} ${id}`)).toEqual(['boot m1', 'stop m1', 'boot m2'])
    await expect(window.service.type('m1', text('x'))).rejects.toThrow('that machine is gone')
    await window.service.type('m2', text('x'))
    expect(toWorker.at(-1)).toEqual({ type: 'type', id: 'm2', bytes: text('x') })
  })

  it('shows a window that opens later all that it missed, once', async () => {
    const first = open()
    await first.service.attach()
    await first.service.boot({ program: 'hello.c' })
    fromWorker({ type: 'console', id: 'm1', bytes: text('one ') })
    const second = open()
    const attaching = second.service.attach()
    for (let i = 0; i < 50; i++) {
      fromWorker({ type: 'console', id: 'm1', bytes: text(`${i} `) })
      await new Promise(setImmediate)
    }
    const { machines } = await attaching
    const kept = Buffer.from(machines[0].console).toString()
    const all = `one ${Array.from({ length: 50 }, (_, i) => `${i} `).join('')}`
    await vi.waitFor(() => expect(kept + second.consoleText()).toBe(all))
    await vi.waitFor(() => expect(first.consoleText()).toBe(all))
  })

  it('resets: same machine, fresh console', async () => {
    const window = open()
    await window.service.attach()
    await window.service.boot({ program: 'hello.c', pace: 'fast' })
    fromWorker({ type: 'console', id: 'm1', bytes: text('old') })
    await window.service.reset('m1')
    expect(toWorker.map(({ type }) => type).filter((type) => type !== 'ack')).toEqual(['boot', 'stop', 'boot'])
    expect(toWorker.filter(({ type }) => type === 'boot')[1]).toMatchObject({ id: 'm1', pace: 'fast' })
    await vi.waitFor(() => expect(window.consoleText()).toBe('old\x1bc'))
    expect(Buffer.from((await window.service.attach()).machines[0].console).toString()).toBe('\x1bc')
    expect(window.statuses.at(-1)).toMatchObject({ phase: 'booting' })
  })

  it('answers for console bytes when they are shown, or when nobody watches', async () => {
    const window = open()
    await window.service.boot({ program: 'hello.c' })
    fromWorker({ type: 'console', id: 'm1', bytes: text('unseen') })
    await vi.waitFor(() => expect(toWorker.at(-1)).toEqual({ type: 'ack', id: 'm1', bytes: 6 }))
    await window.service.attach()
    window.isFrozen = true
    fromWorker({ type: 'console', id: 'm1', bytes: text('seen') })
    await vi.waitFor(() => expect(window.consoleText()).toBe('seen'))
    expect(toWorker.at(-1)).toEqual({ type: 'ack', id: 'm1', bytes: 6 })
    const other = open()
    await other.service.attach()
    fromWorker({ type: 'console', id: 'm1', bytes: text('to both') })
    await vi.waitFor(() => expect(toWorker.at(-1)).toEqual({ type: 'ack', id: 'm1', bytes: 7 }))
  })

  it('disconnects a window that does not keep up while another does', async () => {
    const frozen = open()
    const lively = open()
    frozen.isFrozen = true
    await Promise.all([frozen.service.attach(), lively.service.attach()])
    await lively.service.boot({ program: 'hello.c' })
    for (let sent = 0; sent <= UNANSWERED_BYTES_MAX; sent += 256 * 1024) {
      fromWorker({ type: 'console', id: 'm1', bytes: new Uint8Array(256 * 1024) })
      await new Promise(setImmediate)
    }
    await vi.waitFor(() => expect(frozen.closed).toBe(true))
    expect(lively.closed).toBe(false)
  })

  it('checks a lab by its own rules, and disturbs no other check', async () => {
    const window = open()
    const program = window.service.check('hello.c', '1')
    await expect(window.service.check('labs/one/lab.json', '{\n  "version": 1\n  "name": ""\n}')).resolves.toMatchObject([
      { path: 'labs/one/lab.json', line: 3, column: 3, severity: 'error' },
    ])
    await expect(window.service.check('lab.json', '{ "version": 1, "name": "x", "nodes": [] }')).resolves.toEqual([])
    expect(checks.map(({ text: checked }) => checked)).toEqual(['1'])
    checks[0].resolve()
    await expect(program).resolves.toEqual([])
  })

  it('lets a newer check cancel the one before, for each window by itself', async () => {
    const window = open()
    const other = open()
    const first = window.service.check('hello.c', '1')
    const elsewhere = other.service.check('hello.c', 'other')
    await vi.waitFor(() => expect(checks.length).toBe(2))
    const second = window.service.check('hello.c', '2')
    await expect(first).rejects.toThrow('a newer check began')
    await vi.waitFor(() => expect(checks.length).toBe(3))
    checks[1].resolve()
    checks[2].resolve()
    expect(await second).toEqual([])
    expect(await elsewhere).toEqual([])
  })

  it('tells windows of changes by others only', async () => {
    const window = open()
    const other = open()
    await Promise.all([window.service.attach(), other.service.attach()])
    const { version } = await window.service.readFile('hello.c')
    expect(await window.service.writeFile('hello.c', 'int y;', version)).toMatchObject({ ok: true })
    await vi.waitFor(() => expect(other.changes).toEqual([['hello.c']]))
    await writeFile(join(folder, 'include/b.h'), 'x')
    await vi.waitFor(() => expect(window.changes.flat()).toContain('include/b.h'))
    expect(window.changes.flat()).not.toContain('hello.c')
  })
})
