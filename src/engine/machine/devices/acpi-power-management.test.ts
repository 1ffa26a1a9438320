import { describe, expect, it } from 'vitest'
import { Clock } from '../clock.ts'
import { AcpiPowerManagement, PM1A_CNT_BLK, PM1A_EVT_BLK, PM_TMR_BLK } from './acpi-power-management.ts'

function setUp() {
  const clock = new Clock()
  const log: string[] = []
  const device = new AcpiPowerManagement(clock, (asserted) => log.push(`SCI ${asserted}`), () => log.push('off'), (text) => log.push(text))
  return { clock, log, device }
}

describe('ACPI fixed hardware', () => {
  it('counts at 3.579545 MHz in 24 bits (4.8.2.1)', () => {
    const { clock, device } = setUp()
    clock.advance(1_000_000_000)
    expect(device.readPort(PM_TMR_BLK, 4)).toBe(3_579_545)
    clock.advance(4_000_000_000)
    expect(device.readPort(PM_TMR_BLK, 4)).toBe(17_897_727 % 2 ** 24)
  })

  it('sets TMR_STS whenever the highest bit changes, and asks for the SCI while TMR_EN is set', () => {
    const { clock, log, device } = setUp()
    device.writePort(PM1A_EVT_BLK + 2, 2, 1)
    expect([device.readPort(PM1A_EVT_BLK, 2), device.readPort(PM1A_EVT_BLK + 2, 2)]).toEqual([0, 1])
    const halfNs = clock.nextDueNs
    expect(Math.abs(halfNs - (0x800000 * 88_000) / 315)).toBeLessThan(1)
    clock.advance(halfNs)
    clock.runDue()
    expect([device.readPort(PM1A_EVT_BLK, 2), log.at(-1)]).toEqual([1, 'SCI true'])
    device.writePort(PM1A_EVT_BLK, 2, 1)
    expect([device.readPort(PM1A_EVT_BLK, 2), log.at(-1)]).toEqual([0, 'SCI false'])
    expect(clock.nextDueNs).toBeGreaterThan(halfNs)
  })

  it('is in ACPI mode, and goes off when SLP_EN is written with the type of S5 (4.8.3.2)', () => {
    const { log, device } = setUp()
    expect(device.readPort(PM1A_CNT_BLK, 2)).toBe(1)
    device.writePort(PM1A_CNT_BLK, 2, 0x1400)
    expect([device.readPort(PM1A_CNT_BLK, 2), log]).toEqual([0x1401, []])
    device.writePort(PM1A_CNT_BLK, 2, 0x3401)
    device.writePort(PM1A_CNT_BLK, 2, 0x2001)
    expect(log).toEqual(['ACPI power management: the guest asks for a sleep of type 5, which is none of this machine\'s', 'off'])
  })
})
