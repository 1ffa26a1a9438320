import { describe, expect, it } from 'vitest'
import { INTAKE_FRAMES_MAX } from './forwarding/intake.ts'
import { Network } from './network.ts'
import { address, BROADCAST, frame, link } from './testing/frames.ts'

const MS = 1_000_000
const LATENCY_NS = 10_000

/** Three switches in a ring of doubled links without a bandwidth, and a machine on the first. */
function ring(kind: 'switch' | 'hub'): Network {
  const ids = ['s0', 's1', 's2']
  const nodes = [{ id: 'm', kind: 'machine' } as const, ...ids.map((id) => ({ id, kind }))]
  const links = [link('m', 's0', 9, { latencyNs: LATENCY_NS })]
  ids.forEach((id, index) => {
    for (const copy of [0, 1]) {
      const [a, b] = [{ node: id, port: copy }, { node: ids[(index + 1) % ids.length], port: 2 + copy }]
      links.push({ id: `${id} ${copy}`, a, b, options: { latencyNs: LATENCY_NS } })
    }
  })
  return new Network({ nodes, links, seed: 1 })
}

describe.each(['switch', 'hub'] as const)('a loop of %ss', (kind) => {
  it('storms within a bound, and calms down when it is cut', () => {
    const network = ring(kind)
    network.send('m', 0, 0, frame(BROADCAST, address(1), 7))
    const lanes = () => network.snapshot().flatMap(({ id, statistics }) => (id === 'm' ? [] : Object.values(statistics)))
    const delivered = (): number[] => lanes().map(({ deliveredFrames }) => deliveredFrames)
    network.advance(3 * MS)
    const before = delivered()
    network.advance(4 * MS)
    // Every port is as busy as it can be, and not more.
    delivered().forEach((frames, index) => {
      expect(frames - before[index]).toBeGreaterThan(INTAKE_FRAMES_MAX - 10)
      expect(frames - before[index]).toBeLessThanOrEqual(INTAKE_FRAMES_MAX + 1)
    })
    expect(lanes().every(({ droppedFrames }) => droppedFrames.overflow > 0)).toBe(true)

    for (const id of ['s0 1', 's1 0', 's1 1', 's2 0', 's2 1']) network.cut(id, 4 * MS)
    network.advance(6 * MS)
    const calm = delivered()
    network.advance(8 * MS)
    expect(delivered()).toEqual(calm)
    for (const { underwayFrames } of lanes()) expect(underwayFrames).toBe(0)
  })
})

it('takes in all that a machine sends', () => {
  const network = new Network({
    nodes: [{ id: 'm', kind: 'machine' }, { id: 'n', kind: 'machine' }, { id: 's', kind: 'switch' }],
    links: [link('m', 's', 0, { latencyNs: LATENCY_NS }), link('n', 's', 1, { latencyNs: LATENCY_NS })],
    seed: 1,
  })
  // 60 bytes a frame, without pause, at 100 Mbit/s with preamble, FCS and gap.
  for (let index = 0; index < 1488; index++) network.send('m', 0, index * 6720, frame(address(2), address(1), index, 60))
  expect(network.advance(20 * MS)).toHaveLength(1488)
})
