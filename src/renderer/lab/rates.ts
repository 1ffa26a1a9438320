import type { LabStatus } from '../../protocol/lab.ts'

/** What a link carries now, per virtual second. */
export interface LinkRate {
  framesPerSecond: number
  bitsPerSecond: number
  /** The part of the frames that were lost, 0 to 1. */
  lost: number
}

export type LinkRates = ReadonlyMap<string, LinkRate>

/** Reports closer than this, in virtual nanoseconds, say little about a rate. */
const WINDOW_NS_MIN = 100_000_000
/** Rates are over at least this much of the past, in virtual nanoseconds, when there is that much: shorter, and they flicker. */
const WINDOW_NS = 1_000_000_000
/** Reports kept when virtual time crawls. */
const REPORTS_MAX = 64

/** Turns the counters of successive reports into rates. */
export class LinkRateMeter {
  /** From the one that the rates go out from to the newest. */
  #reports: LabStatus[] = []
  #rates: LinkRates = new Map()

  /** The rates after this report; the same object when nothing is to be said yet. */
  measure(status: LabStatus): LinkRates {
    const newest = this.#reports.at(-1)
    if (status.phase === 'stopped' || status.phase === 'failed') this.#startOver([])
    else if (!newest || status.virtualNs < newest.virtualNs) this.#startOver([status])
    else {
      this.#reports.push(status)
      while (this.#reports.length > REPORTS_MAX || (this.#reports.length > 2 && status.virtualNs - this.#reports[1].virtualNs >= WINDOW_NS))
        this.#reports.shift()
      if (status.virtualNs - this.#reports[0].virtualNs >= WINDOW_NS_MIN) this.#rates = ratesBetween(this.#reports[0], status)
    }
    return this.#rates
  }

  #startOver(reports: LabStatus[]): void {
    this.#reports = reports
    if (this.#rates.size > 0) this.#rates = new Map()
  }
}

function ratesBetween(then: LabStatus, now: LabStatus): LinkRates {
  const seconds = (now.virtualNs - then.virtualNs) / 1e9
  const before = new Map(then.links.map((link) => [link.link, link]))
  const rates = new Map<string, LinkRate>()
  for (const link of now.links) {
    const earlier = before.get(link.link)
    if (!earlier || link.sentFrames < earlier.sentFrames) continue
    const sent = link.sentFrames - earlier.sentFrames
    const dropped = link.droppedFrames - earlier.droppedFrames
    rates.set(link.link, {
      framesPerSecond: sent / seconds,
      bitsPerSecond: ((link.bytes - earlier.bytes) * 8) / seconds,
      lost: sent === 0 ? 0 : Math.min(1, dropped / sent),
    })
  }
  return rates
}
