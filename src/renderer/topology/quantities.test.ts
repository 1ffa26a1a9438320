import { describe, expect, it } from 'vitest'
import { createI18nFor } from '../i18n/i18n.ts'
import { formatQuantity, joinArguments, nearestStop, parseQuantity, SCALES, splitArguments } from './quantities.ts'

const en = createI18nFor('en')
const es = createI18nFor('es')
const plain = (text: string | null): string | undefined => text?.replaceAll('\u00a0', ' ')

describe('a quantity', () => {
  it.each([
    ['time', 0, '0 ms'],
    ['time', 500, '500 ns'],
    ['time', 250_000, '250 µs'],
    ['time', 1_500_000_000, '1.5 s'],
    ['bandwidth', 56_000, '56 kbit/s'],
    ['bandwidth', 2_500_000, '2.5 Mbit/s'],
    ['probability', 0.2, '20 %'],
    ['probability', 0.001, '0.1 %'],
    ['bytes', 65_536, '64 KiB'],
  ] as const)('of %s %d is written %s, and read again', (quantity, value, text) => {
    expect(plain(formatQuantity(quantity, value, en))).toBe(text)
    expect(parseQuantity(quantity, text)).toBe(value)
    expect(parseQuantity(quantity, formatQuantity(quantity, value, es)!)).toBe(value)
  })

  it('is read with its unit, in several spellings, or without', () => {
    expect(parseQuantity('time', '12')).toBe(12_000_000)
    expect(parseQuantity('time', '12us')).toBe(12_000)
    expect(parseQuantity('time', '0,5 s')).toBe(500_000_000)
    expect(parseQuantity('bandwidth', '10M')).toBe(10_000_000)
    expect(parseQuantity('bandwidth', '')).toBe(0)
    expect(parseQuantity('probability', '7')).toBe(0.07)
  })

  it('is refused out of its bounds, or when it is none', () => {
    for (const [quantity, text] of [
      ['time', '1 h'],
      ['time', '-1'],
      ['probability', '101'],
      ['bytes', '100 B'],
      ['time', '1e9'],
      ['time', ''],
    ] as const)
      expect(parseQuantity(quantity, text), text).toBeNull()
    expect(parseQuantity('time', '0', 1000)).toBeNull()
  })

  it('has its place on the slider', () => {
    const { stops } = SCALES.time
    for (const [index, stop] of stops.entries()) expect(nearestStop(stops, stop)).toBe(index)
    expect(stops[nearestStop(stops, 1_200_000)]).toBe(1_000_000)
    expect(SCALES.bandwidth.stops[nearestStop(SCALES.bandwidth.stops, 0)]).toBe(0)
    expect(SCALES.bandwidth.stops[nearestStop(SCALES.bandwidth.stops, 90e9)]).toBe(1e9)
  })
})

it('splits arguments as a shell does, and joins them so that they split the same', () => {
  expect(splitArguments(' -c 3  "hello there" \'a"b\' "" ')).toEqual(['-c', '3', 'hello there', 'a"b', ''])
  for (const words of [[], ['a'], ['a b', ''], ['it’s', 'a"b', "it's"]]) expect(splitArguments(joinArguments(words))).toEqual(words)
})
