import type { CapturedFrame, LabService } from '../../protocol/lab.ts'
import type { ReadonlyStore, Signal, Store } from '../state/store.ts'
import { createSignal, createStore } from '../state/store.ts'

/** Frames kept here; the service keeps more for the capture file. */
export const FRAMES_MAX = 20_000
/** Frames fetched at once; of a flood the newest. */
const FETCH_FRAMES_MAX = 1000
/** Between two fetches, in milliseconds. */
const FETCH_PAUSE_MS = 150

/** The frames seen on the lab's links, oldest first, fetched while somebody watches. */
export class Traffic {
  readonly #service: LabService
  readonly #frames: Store<readonly CapturedFrame[]> = createStore<readonly CapturedFrame[]>([])
  /** Frames as they come in. */
  readonly onFrames: Signal<[frames: readonly CapturedFrame[]]> = createSignal()
  #watchers = 0
  #last = 0
  #announced = 0
  #isFetching = false
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(service: LabService) {
    this.#service = service
  }

  get frames(): ReadonlyStore<readonly CapturedFrame[]> {
    return this.#frames
  }

  /** Fetches from now on, until the result is called. */
  watch(): () => void {
    this.#watchers++
    void this.#fetch()
    return () => {
      this.#watchers--
    }
  }

  /** The service has frames up to `newest`; a smaller number than before means that the lab began anew. */
  announced(newest: number): void {
    if (newest < this.#last) this.reset()
    this.#announced = newest
    void this.#fetch()
  }

  /** Another run, another lab or another connection. */
  reset(): void {
    this.#last = 0
    this.#announced = 0
    this.#frames.set([])
  }

  /** Asks for what an earlier page may have missed. */
  catchUp(): void {
    this.reset()
    this.#announced = 1
    void this.#fetch()
  }

  /** Empties the list; what comes next is shown. */
  clear(): void {
    this.#frames.set([])
  }

  async #fetch(): Promise<void> {
    if (this.#isFetching || this.#timer !== undefined || this.#watchers === 0 || this.#announced <= this.#last) return
    this.#isFetching = true
    const after = this.#last
    try {
      const frames = await this.#service.labFrames(after, FETCH_FRAMES_MAX)
      // Anything else belongs to a run that is over.
      if (after === this.#last) this.#take(frames)
    } catch {
      // The connection is lost, which has its own banner; what is announced after it is fetched then.
      this.#announced = this.#last
    } finally {
      this.#isFetching = false
    }
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      void this.#fetch()
    }, FETCH_PAUSE_MS)
  }

  #take(frames: readonly CapturedFrame[]): void {
    const newest = frames.at(-1)?.number
    if (newest === undefined) {
      this.#announced = this.#last
      return
    }
    this.#last = newest
    this.#frames.update((kept) => [...kept, ...frames].slice(-FRAMES_MAX))
    this.onFrames.emit(frames)
  }
}
