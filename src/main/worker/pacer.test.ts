import { describe, expect, it } from 'vitest'
import { LAG_MS_MAX, LIVE_STEP_MS, Pacer, SLICE_NS_MAX, SLICE_WALL_MS } from './pacer.ts'

/** Runs a machine whose host executes `speed` virtual ns in one wall ns until the wall shows `untilMs`; returns the virtual ms reached. */
function drive(pacer: Pacer, speed: number, fromMs: number, untilMs: number, startNs = 0): { virtualMs: number; longestSliceMs: number } {
  let wallMs = fromMs
  let virtualNs = startNs
  let longestSliceMs = 0
  while (wallMs < untilMs) {
    const step = pacer.next(wallMs, virtualNs)
    if (step.kind === 'wait') {
      wallMs += step.ms
      continue
    }
    const ns = step.untilNs - virtualNs
    const sliceMs = ns / 1e6 / speed
    longestSliceMs = Math.max(longestSliceMs, sliceMs)
    pacer.ran(ns, sliceMs)
    virtualNs = step.untilNs
    wallMs += sliceMs
  }
  return { virtualMs: virtualNs / 1e6, longestSliceMs }
}

describe('Pacer', () => {
  it('lets live time follow the wall on a fast host', () => {
    const { virtualMs } = drive(new Pacer('live', 1000), 50, 1000, 3000)
    expect(virtualMs).toBeGreaterThan(1980)
    expect(virtualMs).toBeLessThanOrEqual(2001)
  })

  it('never runs ahead of the wall when live', () => {
    const pacer = new Pacer('live', 0)
    const step = pacer.next(3, 0)
    expect(step).toEqual({ kind: 'run', untilNs: 500_000 })
    expect(pacer.next(3, 3_000_000).kind).toBe('wait')
    expect(pacer.next(3, 2_900_000)).toEqual({ kind: 'run', untilNs: 3_000_000 })
  })

  it('rests after it has caught up, unless something comes in', () => {
    const pacer = new Pacer('live', 0)
    expect(pacer.next(0.4, 0)).toEqual({ kind: 'run', untilNs: 400_000 })
    expect(pacer.next(0.41, 400_000)).toMatchObject({ kind: 'wait', ms: expect.closeTo(LIVE_STEP_MS - 0.01) })
    pacer.wake()
    expect(pacer.next(0.42, 400_000)).toEqual({ kind: 'run', untilNs: 420_000 })
    expect(pacer.next(0.42 + LIVE_STEP_MS, 420_000).kind).toBe('run')
  })

  it('goes as fast as a slow host can, in short slices, without a growing debt', () => {
    const pacer = new Pacer('live', 0)
    const { virtualMs, longestSliceMs } = drive(pacer, 0.25, 0, 4000)
    expect(virtualMs).toBeGreaterThan(950)
    expect(virtualMs).toBeLessThan(1001)
    expect(longestSliceMs).toBeLessThan(2 * SLICE_WALL_MS)
    // The host becomes fast: at most the allowed lag is caught up.
    const after = drive(pacer, 50, 4000, 5000, virtualMs * 1e6)
    expect(after.virtualMs - virtualMs).toBeLessThanOrEqual(1000 + LAG_MS_MAX + 1)
  })

  it('does not rush after the host slept', () => {
    const pacer = new Pacer('live', 0)
    const step = pacer.next(3_600_000, 0)
    expect(step.kind).toBe('run')
    const { virtualMs } = drive(pacer, 50, 3_600_000, 3_601_000)
    expect(virtualMs).toBeLessThanOrEqual(1000 + LAG_MS_MAX + 1)
  })

  it('never waits when fast, and bounds a slice', () => {
    const pacer = new Pacer('fast', 0)
    for (let i = 0; i < 20; i++) pacer.ran(SLICE_NS_MAX, 0.01)
    expect(pacer.next(0, 7)).toEqual({ kind: 'run', untilNs: 7 + SLICE_NS_MAX })
  })

  it('shortens slices at once when they take too long', () => {
    const pacer = new Pacer('fast', 0)
    for (let i = 0; i < 20; i++) pacer.ran(SLICE_NS_MAX, 0.01)
    pacer.ran(SLICE_NS_MAX, 48)
    const step = pacer.next(0, 0)
    expect(step.kind === 'run' && step.untilNs).toBe(SLICE_NS_MAX / 8)
  })

  it('does not make up for time in which it was held back', () => {
    const pacer = new Pacer('live', 0)
    pacer.resume(50, 10_000_000)
    expect(pacer.next(50, 10_000_000).kind).toBe('wait')
  })
})
