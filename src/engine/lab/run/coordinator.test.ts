import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { Random } from '../../random/random.ts'
import type { Check, Impairments, Link, Node, TimelineEvent } from '../lab.ts'
import { BANDWIDTH_BPS_MAX, DELAY_NS_MAX, IMPAIRMENTS_DEFAULT, LATENCY_NS_MIN } from '../lab.ts'
import type { FakeSpec } from '../testing/fake-session.ts'
import { createFakeSession } from '../testing/fake-session.ts'
import { ChromeTrace } from '../trace/chrome.ts'
import { TraceHash } from '../trace/hash.ts'
import type { TraceRecord } from '../trace/record.ts'
import { Trace } from '../trace/trace.ts'
import { Coordinator } from './coordinator.ts'
import { LocalRunner } from './local-runner.ts'
import { NetworkWire } from './network-wire.ts'
import type { WireEvent } from './wire.ts'

const MS = 1_000_000
const NODES = ['a', 'b', 'c', 'd']

interface Options {
  runners?: number
  timeline?: TimelineEvent[]
  checks?: Check[]
  impairments?: Partial<Impairments>
  specs?: Partial<Record<string, Partial<FakeSpec>>>
  links?: [string, string][]
}

function set({ runners = 1, timeline = [], checks = [], impairments = {}, specs = {}, links = cables() }: Options) {
  const wires = links.map(([a, b], index): Link => ({
    id: `${a}-${b}`,
    a: { node: a, port: 0 },
    b: { node: b, port: b.startsWith('s') ? index : 0 },
    impairments: { ...IMPAIRMENTS_DEFAULT, bandwidthBps: 0, ...impairments },
  }))
  const nodes = [...NODES.map((id) => nodeOf(id)), nodeOf('s', 'switch')]
  const records: TraceRecord[] = []
  const sha256 = createHash('sha256')
  const hash = new TraceHash({ update: (data) => void sha256.update(data), digest: () => sha256.digest('hex') }, 'test')
  const consoles = new Map<string, string>()
  const coordinator = new Coordinator<FakeSpec>({
    nodes,
    links: wires,
    timeline,
    checks,
    wire: new NetworkWire(nodes, wires, 5),
    runners: Array.from({ length: runners }, () => new LocalRunner(createFakeSession)),
    trace: new Trace([(record) => records.push(record), (record) => hash.take(record)]),
    onConsole: (node, bytes) => consoles.set(node, `${consoles.get(node) ?? ''}${new TextDecoder().decode(bytes)}`),
  })
  NODES.forEach((node, index) => {
    coordinator.define(node, { seed: index + 1, periodNs: 3 * MS, ...specs[node] })
    coordinator.act({ do: 'boot', node })
  })
  return { coordinator, records, hash, consoles }
}

const nodeOf = (id: string, kind: Node['kind'] = 'machine'): Node => ({ id, kind, position: { x: 0, y: 0 } })

const cables = (): [string, string][] => [
  ['a', 'b'],
  ['c', 'd'],
]

async function run(options: Options, cut: () => number = () => Infinity, untilNs = 100 * MS) {
  const lab = set(options)
  const { coordinator } = lab
  let steps = 0
  while (coordinator.nowNs < untilNs) {
    await coordinator.step(Math.min(untilNs, coordinator.nowNs + cut()))
    steps += 1
  }
  return { ...lab, steps, text: lab.hash.digest() }
}

const star = (): [string, string][] => NODES.map((id) => [id, 's'])

const bad: Partial<Impairments> = {
  jitterNs: 300_000,
  bandwidthBps: 500_000,
  loss: 0.1,
  duplicate: 0.1,
  reorder: 0.1,
  corrupt: 0.1,
  queueBytes: 200,
}

const onStar = (event: TimelineEvent): TimelineEvent => ('link' in event ? { ...event, link: 'a-s' } : event)

const timeline: TimelineEvent[] = [
  { atNs: 20 * MS, do: 'cut', link: 'a-b' },
  { atNs: 30_000_001, do: 'heal', link: 'a-b' },
  { atNs: 40 * MS, do: 'kill', node: 'c' },
  { atNs: 40 * MS, do: 'change', link: 'a-b', change: { latencyNs: 2 * MS } },
  { atNs: 50 * MS, do: 'boot', node: 'c' },
  { atNs: 55_555_555, do: 'type', node: 'd', text: 'ls\n' },
]

describe('Coordinator', () => {
  it('gives the same trace however it is cut and spread', async () => {
    for (const options of [{ timeline }, { links: star(), impairments: bad, timeline: timeline.map(onStar) }]) {
      const reference = await run(options)
      expect(reference.records.length).toBeGreaterThan(500)
      for (const runners of [2, 3]) expect((await run({ ...options, runners })).text).toBe(reference.text)
      for (let seed = 1; seed <= 20; seed++) {
        const random = new Random(seed)
        const cut = (): number => 1 + (random.next() % (seed % 2 === 0 ? 4 * MS : 200_000))
        const other = await run({ ...options, runners: 1 + (seed % 3) }, cut)
        expect(other.records, `seed ${seed}`).toEqual(reference.records)
        expect(other.text).toBe(reference.text)
      }
    }
  })

  it('gives another trace for other machines', async () => {
    const [one, other] = await Promise.all([run({}), run({ specs: { d: { seed: 99 } } })])
    expect(one.text).not.toBe(other.text)
  })

  it('tells what happened in order', async () => {
    const { records } = await run({ timeline })
    for (let index = 1; index < records.length; index++) expect(records[index].timeNs).toBeGreaterThanOrEqual(records[index - 1].timeNs)
    const events = records.flatMap((record) => (record.kind === 'event' ? [`${record.timeNs} ${record.target} ${record.text}`] : []))
    expect(events.slice(4)).toEqual([
      '20000000 a-b cut',
      '30000001 a-b heal',
      '40000000 c kill',
      '40000000 a-b latency 2ms',
      '50000000 c boot',
      '55555555 d type "ls\\n"',
    ])
    const power = records.filter((record) => record.kind === 'power' && record.node === 'c')
    expect(power).toMatchObject([
      { timeNs: 0, phase: 'booting' },
      { timeNs: 40 * MS, phase: 'off' },
      { timeNs: 50 * MS, phase: 'booting' },
    ])
  })

  it('delivers exactly one latency later, and nothing over a cut cable', async () => {
    const { records } = await run({ timeline })
    const frames = records.flatMap((record) => (record.kind === 'frame' ? [record.event] : []))
    const name = ({ link, from, id }: WireEvent): string => `${link} ${from.node} ${id}`
    const sent = new Map(frames.filter(({ kind }) => kind === 'sent').map((event) => [name(event), event]))
    const delivered = frames.filter(({ kind, timeNs }) => kind === 'delivered' && timeNs < 40 * MS)
    expect(delivered.length).toBeGreaterThan(20)
    for (const event of delivered) expect(event.timeNs - (sent.get(name(event))?.timeNs ?? 0)).toBe(MS)
    const overCut = delivered.filter(({ link, timeNs }) => link === 'a-b' && timeNs > 20 * MS && timeNs < 31 * MS)
    expect(overCut).toEqual([])
    expect(frames.filter(({ kind }) => kind === 'cut').length).toBeGreaterThan(0)
  })

  it('says what became of each frame', async () => {
    const { records } = await run({ links: star(), impairments: bad, timeline: timeline.map(onStar) })
    const fates = new Set(records.map((record) => (record.kind === 'frame' ? record.event.kind : '')))
    expect([...fates].sort()).toEqual(['', 'corrupted', 'cut', 'delivered', 'duplicated', 'lost', 'queue-full', 'sent'])
  })

  it('takes one window for many latencies while everybody sleeps', async () => {
    const specs = Object.fromEntries(NODES.map((node) => [node, { periodNs: 20 * MS }]))
    const busy = await run({ impairments: { latencyNs: 10_000 }, specs })
    expect(busy.steps).toBeLessThan(400)
  })

  it('goes on when a machine breaks, ends or cannot be made', async () => {
    const { coordinator, records, consoles } = await run({
      specs: { a: { breaksAtNs: 10 * MS }, b: { endsAtNs: 20 * MS }, c: { isBroken: true } },
    })
    expect(coordinator.reports()).toMatchObject([
      { node: 'a', phase: 'panicked', message: expect.stringContaining('a bug') },
      { node: 'b', phase: 'exited', exitStatus: 0 },
      { node: 'c', phase: 'stopped', message: 'no memory for this machine' },
      { node: 'd', phase: 'running' },
    ])
    const ends = records.filter((record) => record.kind === 'power' && record.phase !== 'booting')
    expect(ends.map(({ timeNs }) => timeNs)).toEqual([0, 10 * MS, expect.toSatisfy((ns: number) => ns >= 20 * MS && ns < 24 * MS)])
    expect(consoles.get('d')).toContain('hello 10')
  })

  it('decides checks at the byte that decides them', async () => {
    const check = (name: string, node: string, condition: Check['condition'], fromNs = 0, byNs = 90 * MS): Check => ({
      name,
      node,
      condition,
      fromNs,
      byNs,
    })
    const checks = [
      check('says', 'a', { kind: 'contains', text: 'hello 2\nd' }),
      check('too late', 'a', { kind: 'contains', text: 'hello 9' }, 0, 20 * MS),
      check('never', 'b', { kind: 'contains', text: 'absent' }, 0, 500 * MS),
      check('quiet', 'b', { kind: 'lacks', text: 'absent' }),
      check('loud', 'b', { kind: 'lacks', text: 'hello' }, 30 * MS),
      check('line', 'c', { kind: 'matches', pattern: '^hello \\d$' }, 30 * MS),
      check('no line', 'c', { kind: 'matches', pattern: '^hello$' }),
    ]
    const seen = []
    for (const cut of [Infinity, 77_777]) {
      const { coordinator } = await run({ checks }, () => cut)
      coordinator.end()
      seen.push(coordinator.checkStatuses())
    }
    expect(seen[0]).toEqual(seen[1])
    expect(seen[0].map(({ name, state }) => `${name}: ${state}`)).toEqual([
      'says: passed',
      'too late: failed',
      'never: failed',
      'quiet: passed',
      'loud: failed',
      'line: passed',
      'no line: failed',
    ])
    expect(seen[0].map(({ message }) => message).filter(Boolean)).toMatchInlineSnapshot(`
      [
        "a: it did not say "hello 9" by 20ms; its last line was "done"",
        "b: it did not say "absent" by 100ms; its last line was "got 82"",
        "b: it said "hello"",
        "c: no line matched /^hello$/ by 90ms; its last line was "got 82"",
      ]
    `)
  })

  it('gives the network nothing that it refuses', () => {
    const most = { latencyNs: DELAY_NS_MAX, jitterNs: DELAY_NS_MAX, bandwidthBps: BANDWIDTH_BPS_MAX, loss: 1, duplicate: 1 }
    expect(() => set({ impairments: most })).not.toThrow()
    expect(() => set({ impairments: { latencyNs: LATENCY_NS_MIN, queueBytes: 0 } })).not.toThrow()
  })

  it('moves cables and machines while it runs', async () => {
    const { coordinator, consoles } = set({
      links: [['a', 'b']],
      specs: { a: { periodNs: MS }, c: { periodNs: MS } },
      timeline: [{ atNs: 40 * MS, do: 'cut', link: 'a-b' }],
    })
    await coordinator.step(20 * MS)
    const impairments = { ...IMPAIRMENTS_DEFAULT, latencyNs: 500_000 }
    const link = (a: string, b: string): Link => ({ id: `${a}-${b}`, a: { node: a, port: 0 }, b: { node: b, port: 0 }, impairments })
    coordinator.act({ do: 'remove-link', link: 'a-b' })
    coordinator.act({ do: 'add-link', link: link('c', 'd') })
    coordinator.act({ do: 'remove-node', node: 'b' })
    coordinator.act({ do: 'add-node', node: { id: 'e', kind: 'machine' } })
    coordinator.define('e', { seed: 9, periodNs: MS })
    coordinator.act({ do: 'boot', node: 'e' })
    expect(coordinator.isSettled).toBe(false)
    while (coordinator.nowNs < 60 * MS) await coordinator.step(60 * MS)
    expect(coordinator.reports().map(({ node }) => node)).toEqual(['a', 'c', 'd', 'e'])
    expect(consoles.get('d')).toContain('got 3')
    expect(consoles.get('e')).toContain('hello')
  })

  it('writes a document that tools for traces read', async () => {
    const { records } = await run({ timeline })
    let text = ''
    const chrome = new ChromeTrace(NODES, (piece) => (text += piece))
    for (const record of records) chrome.take(record)
    chrome.close()
    const { traceEvents } = JSON.parse(text) as { traceEvents: { ph: string; pid: number; id?: string; ts: number; dur: number }[] }
    const of = (ph: string) => traceEvents.filter((event) => event.ph === ph)
    expect(of('B').length).toBe(of('E').length)
    expect(of('s').length).toBeGreaterThan(50)
    const starts = new Set(of('s').map(({ id }) => id))
    for (const { id } of of('f')) expect(starts).toContain(id)
    for (const end of of('e')) expect(of('b').some(({ id }) => id === end.id)).toBe(true)
    const slices = of('X').sort((one, other) => one.pid - other.pid || one.ts - other.ts)
    for (let index = 1; index < slices.length; index++) {
      const [one, other] = [slices[index - 1], slices[index]]
      if (one.pid === other.pid && one.ts !== other.ts) expect(one.ts + one.dur).toBeLessThanOrEqual(other.ts + 1e-9)
    }
  })
})
