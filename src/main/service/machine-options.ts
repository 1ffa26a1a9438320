import { UserError } from './errors.ts'
import { describeSize } from './project.ts'

/** What a machine gets unless told otherwise, and the bounds of what it may be told. */
export const RAM_BYTES_DEFAULT = 64 * 1024 * 1024
export const RAM_BYTES_MIN = 16 * 1024 * 1024
export const RAM_BYTES_MAX = 1024 * 1024 * 1024
export const SEED_DEFAULT = 1
export const SEED_MAX = 2 ** 32 - 1

/** Of a first program's argument vector. */
export const ARGS_MAX = 256
export const ARG_LENGTH_MAX = 4096

/** All arguments together, in bytes as the kernel's command line carries them: quoted, in 64 KiB with the program's name and the rest. */
const ARGS_BYTES_MAX = 60_000

const UNITS: Record<string, number> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 }

/** Reads `64M`, `1G`, `16384K` or a number of bytes. Throws a UserError. */
export function parseMemory(text: string): number {
  const match = /^(\d{1,12})\s*([kmg]?)(?:i?b)?$/i.exec(text)
  if (match === null) throw new UserError(`expected an amount of memory such as 64M, found '${text}'`)
  return checkMemory(Number(match[1]) * UNITS[match[2].toLowerCase()])
}

/** Rounds up to whole pages. Throws a UserError when a machine cannot have that much or that little. */
export function checkMemory(bytes: number): number {
  if (!(bytes >= RAM_BYTES_MIN && bytes <= RAM_BYTES_MAX)) {
    throw new UserError(
      `a machine has between ${RAM_BYTES_MIN / 2 ** 20}M and ${RAM_BYTES_MAX / 2 ** 20}M of memory, found ${describeSize(bytes)}`,
    )
  }
  return Math.ceil(bytes / 4096) * 4096
}

/** Throws a UserError when a machine could not be told these arguments. */
export function checkArgs(args: readonly string[]): void {
  let bytes = 0
  for (const arg of args) {
    if (arg.includes('\0')) throw new UserError('an argument has a NUL character, which ends a string in C')
    bytes += new TextEncoder().encode(arg).byteLength + arg.split(/["\\]/).length + 2
  }
  if (bytes > ARGS_BYTES_MAX) throw new UserError(`the arguments take ${describeSize(bytes)}, at most ${describeSize(ARGS_BYTES_MAX)} fit`)
}

const DURATIONS_NS: Record<string, number> = { ns: 1, us: 1e3, ms: 1e6, s: 1e9, m: 60e9, min: 60e9, h: 3600e9 }

/** Reads `10s`, `1.5s`, `250ms`, `2m`; a bare number counts seconds. Returns virtual nanoseconds. Throws a UserError. */
export function parseDurationNs(text: string): number {
  const match = /^(\d{1,9}(?:\.\d{1,9})?)(ns|us|ms|s|m|min|h)?$/.exec(text)
  const ns = match === null ? Number.NaN : Math.round(Number(match[1]) * DURATIONS_NS[match[2] ?? 's'])
  if (!Number.isSafeInteger(ns) || ns <= 0) throw new UserError(`expected a duration such as 10s or 250ms, found '${text}'`)
  return ns
}

const TIERS = ['auto', 'interpreter', 'translator', 'checked'] as const
/** How instructions are executed: `checked` is by translator and interpreter both, held against each other. */
export type TierChoice = (typeof TIERS)[number]

/** Throws a UserError. */
export function parseTier(text: string): TierChoice {
  const found = TIERS.find((tier) => tier === text)
  if (found === undefined) throw new UserError(`expected one of ${TIERS.join(', ')}, found '${text}'`)
  return found
}

export function parseSeed(text: string): number {
  const seed = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (!(seed <= SEED_MAX)) throw new UserError(`expected a seed from 0 to ${SEED_MAX}, found '${text}'`)
  return seed
}
