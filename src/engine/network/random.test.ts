import { describe, expect, it } from 'vitest'
import { RandomStream } from './random.ts'

const draw = (stream: RandomStream, count: number): number[] => Array.from({ length: count }, () => stream.next())

describe('RandomStream', () => {
  it('gives these numbers, on which recorded traces depend', () => {
    expect(draw(new RandomStream(7, 'a a-to-b loss'), 4)).toMatchInlineSnapshot(`
      [
        1951149226,
        2958913639,
        3873427075,
        378779111,
      ]
    `)
  })

  it('depends on every part of the seed and on the name', () => {
    const seeds = [0, 1, -1, 2 ** 32, 2 ** 53 - 1]
    const streams = [...seeds.map((seed) => new RandomStream(seed, 'x')), new RandomStream(0, 'y'), new RandomStream(0, '')]
    expect(new Set(streams.map((stream) => draw(stream, 4).join())).size).toBe(streams.length)
  })

  it('draws whole numbers below a limit, and fractions below one, evenly', () => {
    const stream = new RandomStream(1, 'even')
    const counts = [0, 0, 0, 0, 0, 0, 0]
    for (let i = 0; i < 7000; i++) counts[stream.below(7)]++
    // Chi-squared with 6 degrees of freedom: 0.1 % lies beyond 22.5.
    expect(counts.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0)).toBeLessThan(22.5)
    const fractions = Array.from({ length: 10_000 }, () => stream.fraction())
    expect(fractions.every((fraction) => fraction >= 0 && fraction < 1)).toBe(true)
    expect(fractions.reduce((sum, fraction) => sum + fraction, 0) / 10_000).toBeCloseTo(0.5, 1)
  })
})
