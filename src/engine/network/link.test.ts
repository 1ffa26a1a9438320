import { describe, expect, it } from 'vitest'
import { type Delivery, type FrameEvent, type LaneStatistics, type LinkOptions, Network } from './network.ts'
import { address, frame, link, numberOf } from './testing/frames.ts'

const MS = 1_000_000
const SECOND = 1_000 * MS

function pair(options: LinkOptions, seed = 1): Network {
  const nodes = ['a', 'b'].map((id) => ({ id, kind: 'machine' }) as const)
  return new Network({ nodes, links: [link('a', 'b', 0, options)], seed })
}

/** Sends numbered frames from a, the first at `startNs`. */
function sendMany(network: Network, count: number, gapNs: number, { length = 18, startNs = 0 } = {}): void {
  for (let i = 0; i < count; i++) network.send('a', 0, startNs + i * gapNs, frame(address(2), address(1), i, length))
}

const account = (network: Network): LaneStatistics => network.snapshot()[0].statistics['a-to-b']
const numbers = (deliveries: readonly Delivery[]): number[] => deliveries.map((delivery) => numberOf(delivery.frame))

/** How far a count of independent events may be from what is expected: 4 standard deviations. */
function expectCount(count: number, tries: number, probability: number): void {
  const deviation = Math.sqrt(tries * probability * (1 - probability))
  expect(Math.abs(count - tries * probability)).toBeLessThanOrEqual(4 * deviation)
}

describe('a link', () => {
  it('delivers a frame after its latency, as it is', () => {
    const network = pair({ latencyNs: 1500 })
    const sent = frame(address(2), address(1), 7)
    network.send('a', 0, 100, sent)
    expect(network.advance(1600)).toEqual([])
    expect(network.advance(1601)).toEqual([{ node: 'b', port: 0, timeNs: 1600, frame: sent, link: 'a' }])
  })

  it('carries both directions by themselves', () => {
    const network = pair({ latencyNs: 10, bandwidthBps: 1e6, queueBytes: 0 })
    network.send('a', 0, 0, frame(address(2), address(1), 1, 125))
    network.send('b', 0, 0, frame(address(1), address(2), 2, 125))
    expect(network.advance(SECOND).map(({ node, timeNs }) => [node, timeNs])).toEqual([['b', MS + 10], ['a', MS + 10]])
  })

  describe('with limited bandwidth', () => {
    it('sends one frame after the other at its rate', () => {
      const network = pair({ latencyNs: 5, bandwidthBps: 1e6 })
      sendMany(network, 3, 0, { length: 125 })
      expect(network.advance(SECOND).map(({ timeNs }) => timeNs)).toEqual([MS + 5, 2 * MS + 5, 3 * MS + 5])
    })

    it('reaches its rate and does not pass it', () => {
      const network = pair({ latencyNs: 1000, bandwidthBps: 10e6 })
      sendMany(network, 2000, 500_000, { length: 1000 })
      network.advance(SECOND)
      const bits = account(network).deliveredBytes * 8
      expect(bits).toBeLessThanOrEqual(10e6)
      expect(bits).toBeGreaterThan(10e6 - 2 * 8000)
    })

    it('drops at the tail what its queue has no room for', () => {
      const network = pair({ latencyNs: 5, bandwidthBps: 1e6, queueBytes: 250 })
      sendMany(network, 5, 0, { length: 125 })
      expect(numbers(network.advance(SECOND))).toEqual([0, 1, 2])
      expect(account(network).droppedFrames.queue).toBe(2)
    })

    it('finishes a frame at the new rate when the rate changes meanwhile', () => {
      const network = pair({ latencyNs: 5, bandwidthBps: 1e6 })
      sendMany(network, 2, 0, { length: 125 })
      network.setLink('a', { bandwidthBps: 2e6 }, MS / 2)
      expect(network.advance(SECOND).map(({ timeNs }) => timeNs)).toEqual([0.75 * MS + 5, 1.25 * MS + 5])
    })

    it('lets go of all that wait, in order, when the limit is lifted', () => {
      const network = pair({ latencyNs: 5, bandwidthBps: 1e6, queueBytes: 1e6 })
      sendMany(network, 12_000, 0)
      network.setLink('a', { bandwidthBps: 0 }, 10)
      const deliveries = network.advance(SECOND)
      expect(numbers(deliveries)).toEqual(Array.from({ length: 12_000 }, (_, i) => i))
      expect(new Set(deliveries.map(({ timeNs }) => timeNs))).toEqual(new Set([15]))
    })
  })

  it('spreads delays evenly over the jitter', () => {
    const network = pair({ latencyNs: MS, jitterNs: 100 })
    sendMany(network, 10_100, MS)
    const delays = network.advance(20 * SECOND).map((delivery) => delivery.timeNs - numberOf(delivery.frame) * MS - MS)
    expect([Math.min(...delays), Math.max(...delays)]).toEqual([0, 100])
    const counts = Array.from({ length: 101 }, (_, delay) => delays.filter((other) => other === delay).length)
    // Chi-squared with 100 degrees of freedom: mean 100, standard deviation 14.1.
    expect(counts.reduce((sum, count) => sum + (count - 100) ** 2 / 100, 0)).toBeLessThan(157)
  })

  it('keeps the order when the latency shrinks under way', () => {
    const network = pair({ latencyNs: 1000 })
    sendMany(network, 2, 100)
    network.setLink('a', { latencyNs: 10 }, 50)
    expect(network.advance(SECOND).map(({ timeNs, frame: bytes }) => [numberOf(bytes), timeNs])).toEqual([[0, 1000], [1, 1000]])
  })

  it.each([1, 2, 3])('loses, doubles and damages as often as it is told, each frame by itself (seed %i)', (seed) => {
    const network = pair({ latencyNs: 1000, loss: 0.1, duplicate: 0.05, corrupt: 0.02 }, seed)
    sendMany(network, 20_000, 10_000)
    network.advance(SECOND)
    const { droppedFrames, duplicatedFrames, corruptedFrames, deliveredFrames } = account(network)
    const arriving = 20_000 - droppedFrames.loss
    expectCount(droppedFrames.loss, 20_000, 0.1)
    expectCount(duplicatedFrames, arriving, 0.05)
    expectCount(corruptedFrames, arriving, 0.02)
    expect(deliveredFrames).toBe(arriving + duplicatedFrames)
  })

  it('loses in no pattern: after a lost frame as often as after another', () => {
    const network = pair({ latencyNs: 1000, loss: 0.5 })
    sendMany(network, 20_000, 10_000)
    const arrived = new Set(numbers(network.advance(SECOND)))
    const afterLoss = Array.from({ length: 19_999 }, (_, i) => i).filter((i) => !arrived.has(i))
    expectCount(afterLoss.filter((i) => !arrived.has(i + 1)).length, afterLoss.length, 0.5)
  })

  it('loses everything or nothing at the ends of the scale', () => {
    for (const [loss, delivered] of [[0, 100], [1, 0]]) {
      const network = pair({ latencyNs: 1000, loss })
      sendMany(network, 100, 10)
      expect(network.advance(SECOND)).toHaveLength(delivered)
    }
  })

  it('damages one bit of a copy, not of what was sent', () => {
    const network = pair({ latencyNs: 1000, corrupt: 1 })
    const sent = frame(address(2), address(1), 7)
    const before = sent.slice()
    network.send('a', 0, 0, sent)
    const [{ frame: arrived }] = network.advance(SECOND)
    const bits = [...arrived].reduce((sum, byte, i) => sum + (byte ^ sent[i]).toString(2).replaceAll('0', '').length, 0)
    expect(bits).toBe(1)
    expect(sent).toEqual(before)
  })

  describe('with reordering', () => {
    it('lets a frame change places with the next', () => {
      const network = pair({ latencyNs: 1000, reorder: 1 })
      sendMany(network, 4, 100)
      expect(network.advance(SECOND).map(({ frame: bytes, timeNs }) => [numberOf(bytes), timeNs])).toEqual([
        [1, 1100], [0, 1100], [3, 1300], [2, 1300],
      ])
      expect(account(network).reorderedFrames).toBe(2)
    })

    it('delivers a frame after 10 ms when none follows', () => {
      const network = pair({ latencyNs: 1000, reorder: 1 })
      sendMany(network, 1, 0)
      expect(network.advance(SECOND).map(({ timeNs }) => timeNs)).toEqual([1000 + 10 * MS])
    })

    it('does so as often as it is told', () => {
      const network = pair({ latencyNs: 1000, reorder: 0.1 })
      sendMany(network, 20_000, 10_000)
      network.advance(SECOND)
      // A frame that ends another's wait does not wait itself, so that a wait begins with every (1 / 0.1 + 1)th frame.
      const expected = 20_000 / 11
      expect(Math.abs(account(network).reorderedFrames - expected)).toBeLessThan(4 * Math.sqrt(expected))
    })
  })

  it('holds 16384 frames a direction and drops more, whoever looks ahead', () => {
    const overflowing = (drive: (network: Network) => void): LaneStatistics => {
      const network = pair({ latencyNs: MS })
      sendMany(network, 16_384, 10)
      sendMany(network, 300, 10_000, { startNs: MS - 10_000 })
      drive(network)
      return account(network)
    }
    const whole = overflowing((network) => network.advance(SECOND))
    const ahead = overflowing((network) => {
      for (let untilNs = MS / 4; untilNs <= 10 * MS; untilNs += MS / 4) {
        network.arrivals(untilNs)
        network.advance(untilNs)
      }
    })
    expect(whole.droppedFrames.overflow).toBeGreaterThan(0)
    expect(ahead).toEqual(whole)
  })

  describe('that is cut', () => {
    it('loses what is on it and what is sent, until it heals', () => {
      const network = pair({ latencyNs: 1000, bandwidthBps: 1e9 })
      sendMany(network, 4, 1000)
      // The second has just left its sender's end, the third is sent meanwhile.
      network.cut('a', 1150)
      network.heal('a', 2500)
      expect(numbers(network.advance(SECOND))).toEqual([0, 3])
      expect(account(network).droppedFrames.cut).toBe(2)
    })

    it('says so in its snapshot', () => {
      const network = pair({ latencyNs: 1000 })
      network.cut('a', 0)
      expect(network.snapshot()[0].isUp).toBe(false)
      network.heal('a', 0)
      expect(network.snapshot()[0].isUp).toBe(true)
    })

    it('heals with an empty queue and an idle sender', () => {
      const network = pair({ latencyNs: 5, bandwidthBps: 1e6, reorder: 1 })
      sendMany(network, 3, 0, { length: 125 })
      network.cut('a', MS + 7)
      network.heal('a', MS + 8)
      network.send('a', 0, MS + 9, frame(address(2), address(1), 9, 125))
      expect(network.advance(SECOND).map(({ frame: bytes, timeNs }) => [numberOf(bytes), timeNs])).toEqual([[9, 12 * MS + 14]])
    })
  })

  it('tells what happened to each frame', () => {
    const network = pair({ latencyNs: 10 })
    const events: FrameEvent[] = []
    const stop = network.observe((event) => events.push(event))
    sendMany(network, 2, 100)
    network.setLink('a', { loss: 1 }, 50)
    network.advance(200)
    stop()
    network.send('a', 0, 300, frame(address(2), address(1), 2))
    network.advance(SECOND)
    expect(events.map(({ frame: bytes, ...rest }) => ({ ...rest, number: numberOf(bytes) }))).toEqual([
      { kind: 'sent', timeNs: 0, link: 'a', direction: 'a-to-b', id: 0, number: 0 },
      { kind: 'delivered', timeNs: 10, link: 'a', direction: 'a-to-b', id: 0, number: 0 },
      { kind: 'sent', timeNs: 100, link: 'a', direction: 'a-to-b', id: 1, number: 1 },
      { kind: 'dropped', reason: 'loss', timeNs: 100, link: 'a', direction: 'a-to-b', id: 1, number: 1 },
    ])
  })
})
