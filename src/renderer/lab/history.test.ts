import { describe, expect, it } from 'vitest'
import type { History } from './history.ts'
import { canRedo, canUndo, commit, HISTORY_LENGTH_MAX, redo, startHistory, undo } from './history.ts'

type Step = { kind: 'commit'; value: number; gesture: string | null } | { kind: 'undo' } | { kind: 'redo' }

/** A history as simple as can be: a list and a place in it. */
class Model {
  values = [0]
  at = 0
  gesture: string | null = null

  take(step: Step): void {
    if (step.kind === 'undo') {
      if (this.at > 0) {
        this.at--
        this.gesture = null
      }
    } else if (step.kind === 'redo') {
      if (this.at < this.values.length - 1) {
        this.at++
        this.gesture = null
      }
    } else if (step.value !== this.values[this.at]) {
      const isSame = step.gesture !== null && step.gesture === this.gesture
      if (isSame) this.values.splice(this.at, Infinity, step.value)
      else {
        this.values.splice(this.at + 1, Infinity, step.value)
        this.at++
        if (this.at > HISTORY_LENGTH_MAX) {
          this.values.shift()
          this.at--
        }
      }
      this.gesture = step.gesture
    }
  }
}

function take(history: History<number>, step: Step): History<number> {
  return step.kind === 'undo' ? undo(history) : step.kind === 'redo' ? redo(history) : commit(history, step.value, step.gesture)
}

function steps(seed: number, length: number): Step[] {
  let state = seed
  const next = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
  return Array.from({ length }, (): Step => {
    const choice = next(10)
    if (choice < 3) return { kind: 'undo' }
    if (choice < 5) return { kind: 'redo' }
    return { kind: 'commit', value: next(50), gesture: [null, null, 'drag', 'type'][next(4)] }
  })
}

describe('a history', () => {
  it('does what a list and a place in it do, for any steps', () => {
    for (let seed = 1; seed <= 300; seed++) {
      const model = new Model()
      let history = startHistory(0)
      for (const [index, step] of steps(seed, 120).entries()) {
        history = take(history, step)
        model.take(step)
        const where = `seed ${seed}, step ${index}`
        expect(history.present, where).toBe(model.values[model.at])
        expect([...history.past, history.present, ...history.future], where).toEqual(model.values)
      }
    }
  })

  it('comes back to where it was by as many undos, and forth by as many redos', () => {
    for (let seed = 1; seed <= 200; seed++) {
      let history = startHistory(0)
      for (const step of steps(seed, 60)) history = take(history, step)
      const { present } = history
      let count = 0
      for (; canUndo(history); count++) {
        const before = history
        history = undo(history)
        expect(redo(history), `seed ${seed}`).toMatchObject({ past: before.past, present: before.present, future: before.future })
      }
      expect(history.present, `seed ${seed}`).toBe(0)
      for (; count > 0; count--) history = redo(history)
      expect(history.present, `seed ${seed}`).toBe(present)
    }
  })

  it('forgets what was undone when something new is done', () => {
    const history = commit(undo(commit(startHistory(1), 2)), 3)
    expect(canRedo(history)).toBe(false)
    expect(undo(history).present).toBe(1)
  })

  it('undoes one gesture at once, but not two with an undo between them', () => {
    const dragged = commit(commit(commit(startHistory(0), 1, 'drag'), 2, 'drag'), 3, 'drag')
    expect(undo(dragged).present).toBe(0)
    const again = commit(redo(undo(dragged)), 4, 'drag')
    expect(undo(again).present).toBe(3)
  })

  it('is bounded', () => {
    let history = startHistory(0)
    for (let value = 1; value <= HISTORY_LENGTH_MAX + 50; value++) history = commit(history, value)
    expect(history.past).toHaveLength(HISTORY_LENGTH_MAX)
    expect(history.past[0]).toBe(50)
  })
})
