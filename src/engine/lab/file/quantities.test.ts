import { describe, expect, it } from 'vitest'
import { formatDuration, formatRate, formatSize, parseDuration, parseProbability, parseRate, parseSize } from './quantities.ts'

describe('quantities', () => {
  it('reads durations with their unit', () => {
    expect(['5ms', '1.5s', '250us', '7ns', '2min', '1h', '0ms'].map(parseDuration)).toEqual([5e6, 1.5e9, 250e3, 7, 120e9, 3600e9, 0])
    expect(['5', '5 ms', '-5ms', 'ms', '5MS', '9999999999999h', '1e3s', ''].map(parseDuration)).toEqual(Array(8).fill(Number.NaN))
  })

  it('reads rates, sizes and probabilities', () => {
    expect(['10Mbit', '1.5kbit', '1Gbit', '0bit'].map(parseRate)).toEqual([10e6, 1500, 1e9, 0])
    expect(['64KiB', '64K', '1.5MiB', '1500B', '1G'].map(parseSize)).toEqual([65536, 65536, 1572864, 1500, 2 ** 30])
    expect([0, 0.25, 1, '5%', '100%', '0.5%'].map(parseProbability)).toEqual([0, 0.25, 1, 0.05, 1, 0.005])
    expect([-0.1, 1.1, '101%', '5', Number.NaN].map(parseProbability)).toEqual(Array(5).fill(Number.NaN))
  })

  it('writes what it reads', () => {
    for (const ns of [0, 1, 999, 1000, 1_000_001, 5e6, 60e9, 3.6e12, 9e14]) expect(parseDuration(formatDuration(ns))).toBe(ns)
    for (const bps of [0, 1, 1500, 10e6, 1e9]) expect(parseRate(formatRate(bps))).toBe(bps)
    for (const bytes of [0, 1, 1500, 65536, 2 ** 26, 2 ** 30]) expect(parseSize(formatSize(bytes))).toBe(bytes)
    expect([formatDuration(5e6), formatRate(10e6), formatSize(2 ** 26)]).toEqual(['5ms', '10Mbit', '64MiB'])
  })
})
