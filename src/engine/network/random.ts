/**
 * Randomness of the network: xoshiro128** (Blackman and Vigna, 2018), one stream for each impairment of each direction of each
 * link, so that what happens on one link, or to one option, never changes another's luck. A stream's state is seeded from the
 * lab's seed and the stream's name by FNV-1a, and spread by the finalizer of MurmurHash3.
 */
const FNV_OFFSET = 0x811c9dc5
const FNV_PRIME = 0x01000193
const GOLDEN_RATIO = 0x9e3779b9
const TWO_32 = 2 ** 32
const TWO_53 = 2 ** 53

export class RandomStream {
  readonly #state = new Uint32Array(4)

  /** @param seed any integer up to 2^53 */
  constructor(seed: number, name: string) {
    let hash = FNV_OFFSET
    const mix = (value: number): void => {
      hash = Math.imul(hash ^ value, FNV_PRIME)
    }
    mix(seed >>> 0)
    mix(Math.floor(seed / TWO_32) >>> 0)
    for (let i = 0; i < name.length; i++) mix(name.charCodeAt(i))
    for (let i = 0; i < 4; i++) {
      hash = (hash + GOLDEN_RATIO) | 0
      let z = hash
      z = Math.imul(z ^ (z >>> 16), 0x85ebca6b)
      z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35)
      this.#state[i] = z ^ (z >>> 16)
    }
  }

  /** The next 32 bits, unsigned. */
  next(): number {
    const s = this.#state
    const scaled = Math.imul(s[1], 5)
    const result = Math.imul((scaled << 7) | (scaled >>> 25), 9) >>> 0
    const shifted = s[1] << 9
    s[2] ^= s[0]
    s[3] ^= s[1]
    s[1] ^= s[2]
    s[0] ^= s[3]
    s[2] ^= shifted
    s[3] = (s[3] << 11) | (s[3] >>> 21)
    return result
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
