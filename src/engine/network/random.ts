import { Random } from '../random/random.ts'

/**
 * Randomness of the network: one stream for each impairment of each direction of each link, so that what happens on one link, or to one
 * option, never changes another's luck. A stream is seeded from the lab's seed and the stream's name by FNV-1a.
 */
const FNV_OFFSET = 0x811c9dc5
const FNV_PRIME = 0x01000193
const TWO_32 = 2 ** 32
const TWO_53 = 2 ** 53

export class RandomStream extends Random {
  /** @param seed any integer up to 2^53 */
  constructor(seed: number, name: string) {
    let hash = FNV_OFFSET
    const mix = (value: number): void => {
      hash = Math.imul(hash ^ value, FNV_PRIME)
    }
    mix(seed >>> 0)
    mix(Math.floor(seed / TWO_32) >>> 0)
    for (let i = 0; i < name.length; i++) mix(name.charCodeAt(i))
    super(hash)
  }

  /** Uniform in [0, 1), with 53 bits. */
  fraction(): number {
    const high = this.next() >>> 5
    const low = this.next() >>> 6
    return (high * 2 ** 26 + low) / TWO_53
  }

  /** True with this probability. Draws once whatever the probability, so that a change of it moves nothing else. */
  chance(probability: number): boolean {
    return this.fraction() < probability
  }

  /** A whole number from 0 to `limit`, `limit` excluded. */
  below(limit: number): number {
    return Math.floor(this.fraction() * limit)
  }
}
