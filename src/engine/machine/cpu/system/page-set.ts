/** Size class of a guest page. NONE: there is none. */
export const Span = { NONE: 0, SMALL: 1, LARGE: 2, HUGE: 3 } as const

const ENTRIES = 4096

/**
 * A set of guest pages that may hold more than was put into it: pages that share an entry are taken for one another. So it has one size,
 * and emptying it is one addition. For what may be forgotten more often than need be.
 */
export class PageSet {
  private readonly stamps = new Int32Array(ENTRIES)
  private stamp = 1

  add(lo: number, hi: number, span: number): void {
    this.stamps[entry(lo, hi, span)] = this.stamp
  }

  /** False: no page is in the set that holds an address, whatever its size. */
  mayHold(lo: number, hi: number): boolean {
    const { stamps, stamp } = this
    for (let span: number = Span.SMALL; span <= Span.HUGE; span++) if (stamps[entry(lo, hi, span)] === stamp) return true
    return false
  }

  clear(): void {
    this.stamp = (this.stamp + 1) | 0
    if (this.stamp !== 0) return
    this.stamps.fill(0)
    this.stamp = 1
  }
}

function entry(lo: number, hi: number, span: number): number {
  const shift = span === Span.SMALL ? 12 : span === Span.LARGE ? 21 : 30
  const page = (lo >>> shift) ^ (hi << (32 - shift))
  return (page ^ (page >>> 12) ^ (span << 10)) & (ENTRIES - 1)
}
