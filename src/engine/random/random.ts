/**
 * Deterministic random numbers for one consumer: xoshiro128** (Blackman and Vigna, 2018), seeded by SplitMix32 with the finalizer of
 * MurmurHash3.
 */
export class Random {
  /** The whole state: four u32. */
  private readonly state: Uint32Array

  constructor(seed: number) {
    this.state = new Uint32Array(4)
    let z = seed >>> 0
    for (let index = 0; index < 4; index++) {
      z = (z + 0x9e3779b9) >>> 0
      let mixed = z
      mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
      mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
      this.state[index] = mixed ^ (mixed >>> 16)
    }
  }

  /** The next u32. */
  next(): number {
    const s = this.state
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

  bytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length)
    for (let index = 0; index < length; index++) bytes[index] = this.next() >>> 24
    return bytes
  }
}
