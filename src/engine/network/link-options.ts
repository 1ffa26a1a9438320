import { NetworkError } from './network-error.ts'

/** How a link treats frames, in each direction by itself. Probabilities are from 0 to 1 and concern each frame by itself. */
export interface LinkOptions {
  /** The least time underway, at least 1. */
  latencyNs: number
  /** Added to the latency: uniformly from 0 to this. Frames overtake one another when it is larger than the gap between them. */
  jitterNs?: number
  /** Bits per second, counting a frame's bytes as captured (no preamble, FCS or gap); 0 or absent for no limit. */
  bandwidthBps?: number
  loss?: number
  /** The copy follows the original, and has jitter of its own. */
  duplicate?: number
  /** The frame changes places with the next one; it waits for that one for 10 ms at most. */
  reorder?: number
  /** One bit is flipped, and the frame delivered, as when a device damages it between its ports' checks. */
  corrupt?: number
  /** Bytes that may wait for a link of limited bandwidth, besides the frame that is being sent; more are dropped at the tail. */
  queueBytes?: number
}

export const QUEUE_BYTES_DEFAULT = 128 * 1024
/** One hour. */
const DELAY_NS_MAX = 3_600_000_000_000
/** A terabit per second: a byte takes less than the clock's tick. */
const BANDWIDTH_BPS_MAX = 1e12

export function completeOptions(options: LinkOptions): Required<LinkOptions> {
  return {
    latencyNs: options.latencyNs,
    jitterNs: options.jitterNs ?? 0,
    bandwidthBps: options.bandwidthBps ?? 0,
    loss: options.loss ?? 0,
    duplicate: options.duplicate ?? 0,
    reorder: options.reorder ?? 0,
    corrupt: options.corrupt ?? 0,
    queueBytes: options.queueBytes ?? QUEUE_BYTES_DEFAULT,
  }
}

/** Throws NetworkError for the first option that is out of range. */
export function checkOptions(link: string, options: Partial<LinkOptions>): void {
  const check = (name: keyof LinkOptions, isRight: (value: number) => boolean, expected: string): void => {
    const value = options[name]
    if (value !== undefined && !isRight(value)) throw new NetworkError(`link ${link}, ${name}`, expected, value)
  }
  const within = (first: number, last: number) => (value: number) => Number.isInteger(value) && value >= first && value <= last
  check('latencyNs', within(1, DELAY_NS_MAX), `a whole number of nanoseconds from 1 to ${DELAY_NS_MAX}`)
  check('jitterNs', within(0, DELAY_NS_MAX), `a whole number of nanoseconds from 0 to ${DELAY_NS_MAX}`)
  const isRate = (value: number): boolean => value === 0 || (value >= 1 && value <= BANDWIDTH_BPS_MAX)
  check('bandwidthBps', isRate, `0, or 1 to ${BANDWIDTH_BPS_MAX} bits per second`)
  check('queueBytes', within(0, Number.MAX_SAFE_INTEGER), 'a whole number of bytes')
  for (const name of ['loss', 'duplicate', 'reorder', 'corrupt'] as const)
    check(name, (value) => value >= 0 && value <= 1, 'a probability from 0 to 1')
}
