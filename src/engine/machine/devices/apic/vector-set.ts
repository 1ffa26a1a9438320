/** A set of the 256 vectors, as IRR, ISR and TMR hold it: eight words of 32 bits (SDM vol. 3, 11.8.4). */
export class VectorSet {
  readonly words = new Uint32Array(8)

  add(vector: number): void {
    this.words[vector >> 5] |= 1 << (vector & 31)
  }
  remove(vector: number): void {
    this.words[vector >> 5] &= ~(1 << (vector & 31))
  }
  has(vector: number): boolean {
    return (this.words[vector >> 5] & (1 << (vector & 31))) !== 0
  }
  /** The highest vector, which has the highest priority; -1 when there is none. */
  get highest(): number {
    for (let i = 7; i >= 0; i--) if (this.words[i] !== 0) return i * 32 + 31 - Math.clz32(this.words[i])
    return -1
  }
  clear(): void {
    this.words.fill(0)
  }
}
