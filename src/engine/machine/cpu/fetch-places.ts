import { FETCH_PLACES, FETCH_PLACES_END, State } from './state.ts'

/** Words of a place: linear page (halves), State.JUMP_GENERATION, offset of the page in the machine's memory. */
const Field = { LO: 0, HI: 1, GENERATION: 2, HOST: 3 } as const
const FIELDS = 4
const PLACES = (FETCH_PLACES_END - FETCH_PLACES) / 4 / FIELDS
const placeOf = (lo: number): number => (FETCH_PLACES >> 2) + ((lo >>> 12) & (PLACES - 1)) * FIELDS
const GENERATION = State.JUMP_GENERATION >> 2

/**
 * Where the pages are that code was fetched from last. A place serves as long as the jump cache's entries of its generation do, and for the
 * same reason: whatever may move a page of code makes those stale.
 */
export class FetchPlaces {
  private readonly state: Int32Array

  /** @param state the machine's memory by words */
  constructor(state: Int32Array) {
    this.state = state
  }

  /** Offset in the machine's memory of the byte at a linear address (halves), if that is known. */
  find(lo: number, hi: number): number | undefined {
    const { state } = this
    const at = placeOf(lo)
    const isKnown = state[at] === (lo & ~0xfff) && state[at + Field.HI] === hi && state[at + Field.GENERATION] === state[GENERATION]
    return isKnown ? (state[at + Field.HOST] >>> 0) + (lo & 0xfff) : undefined
  }

  /** @param host where `find` shall find it, in RAM */
  note(lo: number, hi: number, host: number): void {
    const { state } = this
    const at = placeOf(lo)
    state[at] = lo & ~0xfff
    state[at + Field.HI] = hi
    state[at + Field.GENERATION] = state[GENERATION]
    state[at + Field.HOST] = host - (lo & 0xfff)
  }
}
