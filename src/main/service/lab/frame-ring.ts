import type { FrameFate, WireEvent } from '../../../engine/lab/run/wire.ts'
import type { CapturedFrame } from '../../../protocol/lab.ts'
import { LabCapture } from './lab-capture.ts'

/** What is kept of a lab's traffic: the newest frames, up to both limits. */
export const FRAMES_MAX = 20_000
const FRAME_BYTES_MAX = 16 * 1024 * 1024

type Seen = WireEvent & { kind: FrameFate }

/** The newest frames of a lab, each when its fate is known. */
export class FrameRing {
  #events: Seen[] = []
  #first = 0
  #bytes = 0
  /** The number of the last frame; 0 when there was none. */
  newest = 0

  take(event: WireEvent): void {
    if (event.kind === 'sent') return
    this.newest += 1
    this.#events.push({ ...event, kind: event.kind })
    this.#bytes += event.frame.byteLength
    while (this.#events.length - this.#first > FRAMES_MAX || this.#bytes > FRAME_BYTES_MAX) {
      this.#bytes -= this.#events[this.#first].frame.byteLength
      this.#first += 1
    }
    if (this.#first < FRAMES_MAX) return
    this.#events = this.#events.slice(this.#first)
    this.#first = 0
  }

  /** The newest frames, at most `limit`, numbered above `after`, oldest first. */
  after(after: number, limit: number): CapturedFrame[] {
    const kept = this.#events.length - this.#first
    const wanted = Math.min(kept, limit, Math.max(0, this.newest - after))
    return this.#events.slice(this.#events.length - wanted).map(({ timeNs, link, from, to, kind, frame }, index) => ({
      number: this.newest - wanted + 1 + index,
      timeNs,
      link,
      from: from.node,
      to: to.node,
      fate: kind,
      bytes: frame,
    }))
  }

  /** Everything kept, as pcapng. */
  capture(): Uint8Array {
    const pieces: Uint8Array[] = []
    const capture = new LabCapture((bytes) => pieces.push(bytes))
    for (let index = this.#first; index < this.#events.length; index++) capture.take(this.#events[index])
    return Buffer.concat(pieces)
  }
}
