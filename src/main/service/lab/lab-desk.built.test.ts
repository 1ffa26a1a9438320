import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { LabStatus } from '../../../protocol/lab.ts'
import type { FromLabWorker, ToLabWorker } from '../../worker/lab-messages.ts'
import type { HostThread } from '../machine-pool.ts'
import { spawnWorker } from '../machine-pool.ts'
import { Project } from '../project.ts'
import { ToolchainBuilder, openToolchain } from '../toolchain-builder.ts'
import { LabDesk } from './lab-desk.ts'
import type { SpawnLabWorker } from './worker-runner.ts'

/** A lab as the workbench opens it, with the workers that the build made. */

const CYCLES = 50
/** What caches and pools settle in. */
const WARM_UP_CYCLES = 12
const MIB = 1 << 20
const HEAP_GROWTH_MAX = 24 * MIB
/** One worker with its machines has more, and a cycle has two. */
const RSS_GROWTH_MAX = 160 * MIB
/** The longest that a key may take to be seen in the lab of this test, in milliseconds of wall time. A person waits no longer. */
const ECHO_MS_MAX = 5_000
const TIMEOUT_MS = 400_000

const PROGRAMS: Record<string, string> = {
  'echo.c': 'char c; sys_ttymode(0, TTY_RAW); print("ready\\n"); while (sys_read(0, &c, 1) == 1) sys_write(1, &c, 1);',
  'spin.c': 'print("ready\\n"); for (;;) {}',
  'flood.c': `print("ready\\n"); int fd = sys_socket(AF_INET, SOCK_DGRAM, 0); sys_setsockopt(fd, SO_BROADCAST, 1);
    struct atoll_address to = {AF_INET, 0x3930, 0xffffffff}; for (;;) sys_sendto(fd, "x", 1, 0, &to);`,
  'print.c': 'print("ready\\n"); for (;;) print("and another thing, which has to be said at some length\\n");',
}

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

let folder: string
let project: Project
let threads: HostThread<ToLabWorker>[] = []
let alive = 0
let desk: LabDesk
let status: LabStatus
let consoles = new Map<string, string>()

const spawn: SpawnLabWorker = (events) => {
  alive++
  const thread = spawnWorker<ToLabWorker, FromLabWorker>({
    ...events,
    onExit: (reason) => {
      alive--
      events.onExit(reason)
    },
  })
  threads.push(thread)
  return thread
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'atoll-lab-'))
  for (const [name, body] of Object.entries(PROGRAMS))
    writeFileSync(join(folder, name), `#include <atoll.h>\n#include <text.h>\nvoid _start(void) {\n${body}\nsys_exit(0);\n}\n`)
  project = new Project(folder)
  desk = newDesk()
})

afterAll(() => {
  desk.dispose()
  rmSync(folder, { recursive: true })
})

function newDesk(): LabDesk {
  return new LabDesk({
    project,
    builder: new ToolchainBuilder(openToolchain()),
    workers: 2,
    spawn,
    audience: {
      labStatus: (next) => (status = next),
      labConsole: (node, bytes) => {
        const text = `${consoles.get(node) ?? ''}${new TextDecoder().decode(bytes)}`
        consoles.set(node, text.slice(-20_000))
      },
      labTraffic: () => {},
      labRestarted: () => {},
    },
  })
}

/** Machines with these programs, all on one switch. */
function draw(programs: Record<string, string>): void {
  const machines = Object.entries(programs)
  desk.create()
  const drawn = desk.update({
    name: 'test', seed: 1,
    nodes: [
      ...machines.map(([id, program], index) => ({
        id, kind: 'machine' as const, position: { x: 0, y: 0 }, program, memoryBytes: 16 * MIB, address: `10.0.0.${index + 1}/24`,
      })),
      { id: 's', kind: 'switch' as const, position: { x: 0, y: 0 } },
    ],
    links: machines.map(([id], index) => ({
      id: `${id}-s`, a: { node: id, port: 0 }, b: { node: 's', port: index },
      impairments: {
        latencyNs: 1_000_000, jitterNs: 0, bandwidthBps: 100_000_000, loss: 0, duplicate: 0, reorder: 0, corrupt: 0, queueBytes: 131_072,
      },
    })),
  } as Parameters<LabDesk['update']>[0])
  expect(drawn).toEqual({ ok: true })
}

async function start(pace: 'live' | 'fast' = 'live'): Promise<void> {
  consoles = new Map()
  threads = []
  expect(await desk.start({ pace })).toEqual({ ok: true })
}

const says = (node: string, text: string): Promise<unknown> =>
  vi.waitFor(() => expect(consoles.get(node) ?? '').toContain(text), { timeout: 60_000, interval: 10 })
const nobodyRuns = (): Promise<unknown> => vi.waitFor(() => expect(alive).toBe(0), { timeout: 30_000, interval: 10 })

/** Threads of this process; null where there is no way to know. */
const threadCount = (): number | null => (process.platform === 'linux' ? readdirSync('/proc/self/task').length : null)

function memory(): { heap: number; rss: number } {
  for (let round = 0; round < 3; round++) collect()
  const { heapUsed, external, arrayBuffers, rss } = process.memoryUsage()
  return { heap: heapUsed + external + arrayBuffers, rss }
}

describe('a lab', () => {
  it(`that is opened, started and closed ${CYCLES} times leaves no thread and no memory behind`, async () => {
    const seen: { heap: number; rss: number; threads: number | null }[] = []
    for (let cycle = 0; cycle < CYCLES; cycle++) {
      draw({ a: 'echo.c', b: 'spin.c', c: 'echo.c' })
      await start()
      await says('a', 'ready')
      expect(alive).toBe(2)
      // Every way to close it: the run ends, another lab takes its place, or the workbench itself goes.
      if (cycle % 3 === 0) desk.stop()
      else if (cycle % 3 === 1) desk.create()
      else {
        desk.dispose()
        desk = newDesk()
      }
      await nobodyRuns()
      seen.push({ ...memory(), threads: threadCount() })
    }
    const [settled, last] = [seen[WARM_UP_CYCLES], memory()]
    const told = JSON.stringify(seen.map(({ heap, rss, threads: count }) => [Math.round(heap / MIB), Math.round(rss / MIB), count]))
    expect(threadCount(), told).toBe(settled.threads)
    expect(last.heap - settled.heap, told).toBeLessThan(HEAP_GROWTH_MAX)
    expect(last.rss - settled.rss, told).toBeLessThan(RSS_GROWTH_MAX)
  }, TIMEOUT_MS)

  it('that loses a worker in mid-run says so once for each of its machines, and goes on with the others', async () => {
    draw({ a: 'echo.c', b: 'echo.c', c: 'echo.c', d: 'echo.c' })
    await start()
    for (const node of ['a', 'b', 'c', 'd']) await says(node, 'ready')
    const before = status.virtualNs
    threads[0].terminate()
    const gone = () => status.machines.filter(({ phase }) => phase === 'panicked')
    await vi.waitFor(() => expect(gone(), JSON.stringify(status)).toHaveLength(2), { timeout: 30_000 })
    const lost = gone()
    for (const { message } of lost) expect(message).toMatch(/^The worker that ran this machine failed: [^\n]+$/)
    const living = status.machines.filter(({ phase }) => phase === 'running').map(({ node }) => node)
    expect(living).toHaveLength(2)
    for (const node of living) {
      desk.type(node, new TextEncoder().encode('still here'))
      await says(node, 'still here')
    }
    expect(status.virtualNs).toBeGreaterThan(before)
    expect([status.phase, status.message]).toEqual(['running', undefined])
    // What was lost can be switched on again, and has what it printed before until then.
    expect(consoles.get(lost[0].node)).toContain('ready')
    consoles.delete(lost[0].node)
    expect(await desk.start({ pace: 'live', nodes: [lost[0].node] })).toEqual({ ok: true })
    await says(lost[0].node, 'ready')
    desk.stop()
    await nobodyRuns()
  }, TIMEOUT_MS)

  for (const bad of ['spin.c', 'flood.c', 'print.c'])
    it(`answers a key beside a machine that runs ${bad}`, async () => {
      draw({ a: 'echo.c', bad })
      await start()
      for (const node of ['a', 'bad']) await says(node, 'ready')
      const clock = status.virtualNs
      const tookMs: number[] = []
      for (let key = 0; key < 8; key++) {
        const began = performance.now()
        desk.type('a', new TextEncoder().encode(`<${key}>`))
        await says('a', `<${key}>`)
        tookMs.push(performance.now() - began)
      }
      expect(Math.max(...tookMs), `${tookMs.map(Math.round)} ms`).toBeLessThan(ECHO_MS_MAX)
      await vi.waitFor(() => expect(status.virtualNs).toBeGreaterThan(clock), { timeout: 30_000 })
      expect(status.machines.find(({ node }) => node === 'a')).toMatchObject({ phase: 'running' })
      desk.stop()
      await nobodyRuns()
    }, TIMEOUT_MS)
})
