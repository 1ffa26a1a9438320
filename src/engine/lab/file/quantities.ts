/**
 * Quantities as `lab.json` spells them: always with their unit, so that nobody has to know whether a 5 is nanoseconds or seconds.
 * Every pattern is anchored and has no flags, as JSON Schema wants it.
 */

export const DURATION_PATTERN = /^(\d{1,15}(?:\.\d{1,9})?)(ns|us|ms|s|min|h)$/
export const RATE_PATTERN = /^(\d{1,12}(?:\.\d{1,9})?)(bit|kbit|Mbit|Gbit)$/
export const SIZE_PATTERN = /^(\d{1,15}(?:\.\d{1,6})?)(B|KiB|MiB|GiB|K|M|G)$/
export const PERCENT_PATTERN = /^((?:100|\d{1,2}(?:\.\d{1,9})?))%$/

const DURATION_UNITS_NS: Record<string, number> = { ns: 1, us: 1e3, ms: 1e6, s: 1e9, min: 60e9, h: 3600e9 }
const RATE_UNITS_BPS: Record<string, number> = { bit: 1, kbit: 1e3, Mbit: 1e6, Gbit: 1e9 }
const SIZE_UNITS_BYTES: Record<string, number> = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3, K: 1024, M: 1024 ** 2, G: 1024 ** 3 }

/** Units that a value is written in, largest first. */
const WRITTEN = {
  duration: ['s', 'ms', 'us', 'ns'],
  rate: ['Gbit', 'Mbit', 'kbit', 'bit'],
  size: ['GiB', 'MiB', 'KiB', 'B'],
}

function read(text: string, pattern: RegExp, units: Record<string, number>): number {
  const match = pattern.exec(text)
  if (match === null) return Number.NaN
  const value = Math.round(Number(match[1]) * units[match[2]])
  return Number.isSafeInteger(value) ? value : Number.NaN
}

/** The largest unit in which the value is a whole number. */
function write(value: number, names: string[], units: Record<string, number>): string {
  const name = names.find((unit) => value >= units[unit] && value % units[unit] === 0) ?? names[names.length - 1]
  return `${value / units[name]}${name}`
}

/** Nanoseconds of a duration such as `5ms`; NaN when it is none, or more than 2^53 ns. */
export const parseDuration = (text: string): number => read(text, DURATION_PATTERN, DURATION_UNITS_NS)

export const formatDuration = (ns: number): string => write(ns, WRITTEN.duration, DURATION_UNITS_NS)

/** Bits per second of a rate such as `10Mbit`; NaN when it is none. */
export const parseRate = (text: string): number => read(text, RATE_PATTERN, RATE_UNITS_BPS)

export const formatRate = (bps: number): string => write(bps, WRITTEN.rate, RATE_UNITS_BPS)

/** Bytes of a size such as `64KiB`; NaN when it is none. */
export const parseSize = (text: string): number => read(text, SIZE_PATTERN, SIZE_UNITS_BYTES)

export const formatSize = (bytes: number): string => write(bytes, WRITTEN.size, SIZE_UNITS_BYTES)

/** A probability from 0 to 1, or a percentage such as `5%`; NaN when it is neither. */
export function parseProbability(value: number | string): number {
  if (typeof value === 'number') return value >= 0 && value <= 1 ? value : Number.NaN
  const match = PERCENT_PATTERN.exec(value)
  return match === null ? Number.NaN : Number(match[1]) / 100
}
