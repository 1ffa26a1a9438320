import { describe, expect, it } from 'vitest'
import type { LabStatus } from '../../protocol/lab.ts'
import { LinkRateMeter } from './rates.ts'
import { LINK_PRESETS } from './topology.ts'

function report(virtualMs: number, sentFrames: number, { dropped = 0, phase = 'running' as LabStatus['phase'] } = {}): LabStatus {
  const link = {
    link: 'link-1',
    isCut: false,
    impairments: LINK_PRESETS.cable,
    sentFrames,
    deliveredFrames: sentFrames - dropped,
    droppedFrames: dropped,
    bytes: sentFrames * 100,
  }
  return { phase, virtualNs: virtualMs * 1e6, realTimeFactor: 1, machines: [], links: [link], checks: [] }
}

describe('rates', () => {
  it('are per virtual second, over the last second', () => {
    const meter = new LinkRateMeter()
    expect(meter.measure(report(0, 0)).size).toBe(0)
    expect(meter.measure(report(500, 50)).get('link-1')).toEqual({ framesPerSecond: 100, bitsPerSecond: 80_000, lost: 0 })
    expect(meter.measure(report(1000, 50)).get('link-1')?.framesPerSecond).toBe(50)
    expect(meter.measure(report(1500, 50)).get('link-1')?.framesPerSecond).toBe(0)
  })

  it('say which part was lost', () => {
    const meter = new LinkRateMeter()
    meter.measure(report(0, 10, { dropped: 2 }))
    expect(meter.measure(report(200, 20, { dropped: 7 })).get('link-1')?.lost).toBe(0.5)
  })

  it('say nothing from reports that are too close, or of a run that is over', () => {
    const meter = new LinkRateMeter()
    meter.measure(report(0, 0))
    expect(meter.measure(report(50, 1)).size).toBe(0)
    expect(meter.measure(report(200, 2)).size).toBe(1)
    expect(meter.measure(report(300, 2, { phase: 'stopped' })).size).toBe(0)
    expect(meter.measure(report(10, 90)).size).toBe(0)
  })

  it('span more than a second when reports are far apart', () => {
    const meter = new LinkRateMeter()
    meter.measure(report(0, 0))
    expect(meter.measure(report(10_000, 1000)).get('link-1')?.framesPerSecond).toBe(100)
    expect(meter.measure(report(20_000, 1000)).get('link-1')?.framesPerSecond).toBe(0)
  })
})
