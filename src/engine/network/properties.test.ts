/** What holds for every network, on networks and traffic drawn from fixed seeds. */
import { describe, expect, it } from 'vitest'
import type { Delivery, LaneStatistics, LinkOptions, LinkSnapshot, LinkSpec, NodeSpec } from './network.ts'
import { Network } from './network.ts'
import { RandomStream } from './random.ts'
import { address, BROADCAST, frame } from './testing/frames.ts'

const SEEDS = Array.from({ length: 30 }, (_, seed) => seed)
const END_NS = 2_000_000
/** By when everything has arrived or is lost: the longest queue, the latency, the wait for reordering. */
const QUIET_NS = 10_000_000_000

interface Scenario {
  nodes: NodeSpec[]
  links: LinkSpec[]
  /** What machines and people do, in order of time. */
  actions: { timeNs: number; isChange: boolean; from: string; act: (network: Network) => void }[]
}

function drawOptions(random: RandomStream): LinkOptions {
  const maybe = <T>(value: T): T | undefined => (random.chance(0.5) ? value : undefined)
  return {
    latencyNs: 500 + random.below(20_000),
    jitterNs: maybe(random.below(30_000)),
    bandwidthBps: maybe(1_000_000 + random.below(1e9)),
    queueBytes: maybe(random.below(5000)),
    loss: maybe(random.fraction() / 2),
    duplicate: maybe(random.fraction() / 2),
    reorder: maybe(random.fraction()),
    corrupt: maybe(random.fraction() / 4),
  }
}

/** A tree of switches and hubs with machines at its leaves; traffic, changes, cuts. */
function draw(seed: number): Scenario {
  const random = new RandomStream(seed, 'scenario')
  const middles = 1 + random.below(3)
  const machines = 2 + random.below(5)
  const nodes: NodeSpec[] = []
  const links: LinkSpec[] = []
  const wire = (from: string, to: number, port: number): void => {
    links.push({ id: `${from} wire`, a: { node: from, port: 0 }, b: { node: `s${to}`, port }, options: drawOptions(random) })
  }
  for (let i = 0; i < middles; i++) {
    nodes.push({ id: `s${i}`, kind: random.chance(0.7) ? 'switch' : 'hub' })
    if (i > 0) wire(`s${i}`, random.below(i), 100 + i)
  }
  for (let i = 0; i < machines; i++) {
    nodes.push({ id: `m${i}`, kind: 'machine' })
    wire(`m${i}`, random.below(middles), 1 + i)
  }
  const actions: Scenario['actions'] = []
  for (let number = 0; number < 300; number++) {
    const timeNs = random.below(END_NS)
    const from = random.below(machines)
    const to = random.chance(0.2) ? BROADCAST : address(random.below(machines))
    const length = 18 + random.below(1500)
    const act = (network: Network): void => network.send(`m${from}`, 0, timeNs, frame(to, address(from), number, length))
    actions.push({ timeNs, isChange: false, from: `m${from}`, act })
  }
  for (let i = 0; i < 12; i++) {
    const timeNs = random.below(END_NS)
    const { id } = links[random.below(links.length)]
    const options = drawOptions(random)
    const what = random.below(3)
    actions.push({
      timeNs,
      isChange: true,
      from: '',
      act: (network) => {
        if (what === 0) network.cut(id, timeNs)
        else if (what === 1) network.heal(id, timeNs)
        else network.setLink(id, options, timeNs)
      },
    })
  }
  actions.sort((a, b) => a.timeNs - b.timeNs)
  return { nodes, links, actions }
}

/** What can be told apart from outside, in lines: quick to compare. */
interface Result {
  deliveries: string[]
  events: string[]
  links: LinkSnapshot[]
}

const contents = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1')

function run({ nodes, links }: Scenario, seed: number, drive: (network: Network) => Delivery[]): Result {
  const network = new Network({ nodes, links, seed })
  const events: string[] = []
  network.observe((event) => {
    const what = event.kind === 'dropped' ? event.reason : event.kind
    events.push(`${String(event.timeNs).padStart(12, '0')} ${event.link} ${event.direction} ${what} ${event.id} ${contents(event.frame)}`)
  })
  const describeDelivery = ({ node, port, timeNs, link, frame: bytes }: Delivery): string =>
    `${timeNs} ${node} ${port} ${link} ${contents(bytes)}`
  const deliveries = drive(network).map(describeDelivery)
  return { deliveries, events, links: network.snapshot() }
}

/** Everything is known beforehand. */
const atOnce = ({ actions }: Scenario) => (network: Network): Delivery[] => {
  for (const { act } of actions) act(network)
  return network.advance(QUIET_NS)
}

/** Advances up to each action, and to times between. */
const stepwise = ({ actions }: Scenario, random: RandomStream) => (network: Network): Delivery[] => {
  const deliveries: Delivery[] = []
  for (const { timeNs, act } of actions) {
    const gapNs = timeNs - network.nowNs
    deliveries.push(...network.advance(network.nowNs + random.below(gapNs + 1)), ...network.advance(timeNs))
    act(network)
  }
  return [...deliveries, ...network.advance(QUIET_NS)]
}

/** As a coordinator does: changes are planned, and what machines send in a window is handed in after they were told what arrives. */
const inWindows = ({ actions }: Scenario, random: RandomStream) => (network: Network): Delivery[] => {
  const changes = actions.filter(({ isChange }) => isChange)
  for (const { act } of changes) act(network)
  let sends = actions.filter(({ isChange }) => !isChange)
  const deliveries: Delivery[] = []
  while (network.nowNs < END_NS) {
    const { nowNs } = network
    const horizonNs = Math.min(nowNs + network.minimumLatencyNs, changes.find(({ timeNs }) => timeNs > nowNs)?.timeNs ?? END_NS)
    const untilNs = nowNs + 1 + random.below(horizonNs - nowNs)
    deliveries.push(...network.arrivals(untilNs))
    for (const { act } of sends.filter(({ timeNs }) => timeNs < untilNs)) act(network)
    sends = sends.filter(({ timeNs }) => timeNs >= untilNs)
    expect(network.advance(untilNs)).toEqual([])
  }
  return [...deliveries, ...network.advance(QUIET_NS)]
}

const dropped = (lane: LaneStatistics): number => Object.values(lane.droppedFrames).reduce((sum, frames) => sum + frames, 0)

describe.each(SEEDS)('network %i', (seed) => {
  const scenario = draw(seed)
  const result = run(scenario, seed, atOnce(scenario))

  it('accounts for every frame, at the end and at any time before', () => {
    const check = (links: readonly LinkSnapshot[]): void => {
      for (const { statistics } of links)
        for (const lane of Object.values(statistics))
          expect(lane.sentFrames + lane.duplicatedFrames).toBe(lane.deliveredFrames + dropped(lane) + lane.underwayFrames)
    }
    run(scenario, seed, (network) => {
      for (const { act } of scenario.actions) act(network)
      for (let i = 0; i <= 20; i++) {
        network.advance((i * END_NS) / 20)
        check(network.snapshot())
      }
      return []
    })
    check(result.links)
    for (const { statistics } of result.links) for (const lane of Object.values(statistics)) expect(lane.underwayFrames).toBe(0)
  })

  it('tells of what it accounts for, in order of time', () => {
    for (const { id, statistics } of result.links)
      for (const [direction, lane] of Object.entries(statistics)) {
        const count = (what: string): number =>
          result.events.filter((event) => event.slice(13).startsWith(`${id} ${direction} ${what} `)).length
        expect(count('sent')).toBe(lane.sentFrames)
        expect(count('delivered')).toBe(lane.deliveredFrames)
        for (const [reason, frames] of Object.entries(lane.droppedFrames)) expect(count(reason)).toBe(frames)
      }
    const times = result.events.map((event) => event.slice(0, 12))
    expect(times).toEqual(times.toSorted())
  })

  it('gives the same again, and something else for another seed', () => {
    expect(run(scenario, seed, atOnce(scenario))).toEqual(result)
    expect(run(scenario, seed + 1000, atOnce(scenario)).events).not.toEqual(result.events)
  })

  it('gives the same however its time is cut', () => {
    expect(run(scenario, seed, stepwise(scenario, new RandomStream(seed, 'cuts')))).toEqual(result)
  })

  it('gives the same in windows that look ahead', () => {
    const { deliveries, links, events } = run(scenario, seed, inWindows(scenario, new RandomStream(seed, 'windows')))
    expect({ deliveries, links, events: events.toSorted() }).toEqual({ ...result, events: result.events.toSorted() })
  })

  it('gives the same in whatever order machines hand in what they sent', () => {
    const sender = ({ from }: { from: string }): string => from
    const actions = scenario.actions.toSorted((a, b) => (sender(a) < sender(b) ? 1 : sender(a) > sender(b) ? -1 : 0))
    expect(run(scenario, seed, atOnce({ ...scenario, actions }))).toEqual(result)
  })

  it('keeps the order of frames on every link without jitter and reordering', () => {
    const links = scenario.links.map((spec) => ({ ...spec, options: { ...spec.options, jitterNs: 0, reorder: 0 } }))
    const actions = scenario.actions.filter(({ isChange }) => !isChange)
    const last = new Map<string, number>()
    const network = new Network({ ...scenario, links, seed })
    network.observe(({ kind, link, direction, id }) => {
      if (kind !== 'delivered') return
      const lane = `${link} ${direction}`
      expect(id).toBeGreaterThanOrEqual(last.get(lane) ?? 0)
      last.set(lane, id)
    })
    for (const { act } of actions) act(network)
    network.advance(QUIET_NS)
    expect(last.size).toBeGreaterThan(0)
  })
})
