import { expect, test } from 'vitest'
import { FetchPlaces } from './fetch-places.ts'
import { RAM_BASE, State } from './state.ts'

test('a place is that of one page, and of one generation', () => {
  const state = new Int32Array(RAM_BASE / 4)
  const places = new FetchPlaces(state)
  const high = 0xffff8000 | 0
  expect(places.find(0x401234, high)).toBeUndefined()
  places.note(0x401234, high, 0xc0567234)
  expect(places.find(0x401fff, high)).toBe(0xc0567fff)
  expect(places.find(0x401234, 0)).toBeUndefined()
  expect(places.find(0x501234, high)).toBeUndefined()
  state[State.JUMP_GENERATION >> 2] += 64
  expect(places.find(0x401fff, high)).toBeUndefined()
})
