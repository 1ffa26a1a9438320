import type { I18n } from '../i18n/i18n.ts'

/** The kinds of numbers that describe a link, with the base unit in which they are kept. */
export type Quantity = 'time' | 'bandwidth' | 'probability' | 'bytes'

interface Unit {
  /** What a person may type, in lower case. */
  names: readonly string[]
  symbol: string
  factor: number
}

interface Scale {
  /** From small to large. */
  units: readonly Unit[]
  /** Unit of a number typed without one. */
  bare: Unit
  min: number
  max: number
  /** Where a slider stops, from left to right. */
  stops: readonly number[]
}

const unit = (symbol: string, factor: number, ...names: string[]): Unit => ({ names: [symbol.toLowerCase(), ...names], symbol, factor })

/** 1, 2, 5, 10, … from `first` to `last`. */
function decades(first: number, last: number): number[] {
  const stops: number[] = []
  for (let power = first; power <= last; power *= 10) for (const step of [1, 2, 5]) if (power * step <= last) stops.push(power * step)
  return stops
}

const NS = unit('ns', 1)
const US = unit('µs', 1000, 'us', 'μs')
const MS = unit('ms', 1_000_000)
const S = unit('s', 1_000_000_000, 'sec')
const BPS = unit('bit/s', 1, 'bps', 'b')
const KBPS = unit('kbit/s', 1000, 'kbps', 'k', 'kbit')
const MBPS = unit('Mbit/s', 1_000_000, 'mbps', 'm', 'mbit')
const GBPS = unit('Gbit/s', 1_000_000_000, 'gbps', 'g', 'gbit')
const PERCENT = unit('%', 0.01)
const B = unit('B', 1)
const KIB = unit('KiB', 1024, 'kb', 'k')
const MIB = unit('MiB', 1024 * 1024, 'mb', 'm')

/** No limit: what a bandwidth of 0 says. */
const UNLIMITED = 0

export const SCALES: Record<Quantity, Scale> = {
  time: { units: [NS, US, MS, S], bare: MS, min: 0, max: 10 * S.factor, stops: [0, ...decades(10 * US.factor, 5 * S.factor)] },
  bandwidth: { units: [BPS, KBPS, MBPS, GBPS], bare: MBPS, min: 0, max: 100 * GBPS.factor, stops: [...decades(10_000, 1e9), UNLIMITED] },
  probability: {
    units: [PERCENT],
    bare: PERCENT,
    min: 0,
    max: 1,
    stops: [0, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1],
  },
  bytes: {
    units: [B, KIB, MIB],
    bare: KIB,
    min: 1518,
    max: 64 * MIB.factor,
    stops: Array.from({ length: 13 }, (_, i) => 2048 * 2 ** i),
  },
}

/** As a person reads it: `40 ms`, `2.5 Mbit/s`, `20 %`; null for a bandwidth without limit. */
export function formatQuantity(quantity: Quantity, value: number, { number }: I18n): string | null {
  if (quantity === 'bandwidth' && value === UNLIMITED) return null
  const { units, bare } = SCALES[quantity]
  const chosen = value === 0 ? bare : (units.findLast(({ factor }) => value >= factor) ?? units[0])
  return `${number(value / chosen.factor, { maximumSignificantDigits: 4 })}\u00a0${chosen.symbol}`
}

/** Bits per second as a measurement: none of them is `0 bit/s`. */
export function formatBitRate(bitsPerSecond: number, i18n: I18n): string {
  return formatQuantity('bandwidth', Math.round(bitsPerSecond), i18n) ?? `${i18n.number(0)}\u00a0${BPS.symbol}`
}

/** What a person typed, with a decimal point or comma; null when it is none, or out of bounds. An empty bandwidth has no limit. */
export function parseQuantity(quantity: Quantity, text: string, min = SCALES[quantity].min): number | null {
  const { units, bare, max } = SCALES[quantity]
  const trimmed = text.trim().toLowerCase()
  if (quantity === 'bandwidth' && (trimmed === '' || trimmed === '∞')) return UNLIMITED
  const match = /^(\d+(?:[.,]\d+)?|[.,]\d+)\s*(\D*)$/.exec(trimmed)
  if (!match) return null
  const chosen = match[2] === '' ? bare : units.find(({ names }) => names.includes(match[2]))
  if (!chosen) return null
  // Factors below 1 would bring binary fractions where a person sees round numbers.
  const amount = Number(match[1].replace(',', '.'))
  const value = chosen.factor < 1 ? amount / Math.round(1 / chosen.factor) : Math.round(amount * chosen.factor)
  return value >= min && value <= max ? value : null
}

/** The slider's stop nearest to a value, by ratio. */
export function nearestStop(stops: readonly number[], value: number): number {
  const exact = stops.indexOf(value)
  if (exact >= 0) return exact
  let best = 0
  for (const [index, stop] of stops.entries()) {
    if (stop === UNLIMITED) continue
    const distance = (at: number): number => Math.abs(Math.log((stops[at] || 1e-9) / (value || 1e-9)))
    if (distance(index) < distance(best)) best = index
  }
  return best
}

/** Splits arguments as a shell does: at blanks, unless quotes hold them together. */
export function splitArguments(text: string): string[] {
  const words: string[] = []
  let word: string | null = null
  let quote = ''
  for (const char of text) {
    if (quote !== '') {
      if (char === quote) quote = ''
      else word += char
    } else if (char === '"' || char === "'") {
      quote = char
      word ??= ''
    } else if (/\s/.test(char)) {
      if (word !== null) words.push(word)
      word = null
    } else word = (word ?? '') + char
  }
  if (word !== null) words.push(word)
  return words
}

export function joinArguments(words: readonly string[]): string {
  return words.map((word) => (word === '' || /[\s"']/.test(word) ? (word.includes('"') ? `'${word}'` : `"${word}"`) : word)).join(' ')
}
