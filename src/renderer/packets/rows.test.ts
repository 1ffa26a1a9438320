import { expect, it } from 'vitest'
import type { CapturedFrame } from '../../protocol/lab.ts'
import { createI18nFor } from '../i18n/i18n.ts'
import { PacketRows } from './rows.ts'
import { arpFrame, echoFrame } from './testing/build-frame.ts'

const frame = (number: number): CapturedFrame => ({
  number,
  timeNs: number * 1000,
  link: 'link-1',
  from: 'alice',
  to: 'bob',
  fate: number % 5 === 0 ? 'lost' : 'delivered',
  bytes: number % 3 === 0 ? arpFrame(1) : echoFrame(8, number),
})

it('are the same step by step as all at once, while frames come and go', () => {
  for (const filter of ['', 'icmp', 'arp', 'fate:lost', 'nothing-has-this']) {
    const rows = new PacketRows(createI18nFor('en'))
    let frames: CapturedFrame[] = []
    for (let number = 1; number <= 60; number += 4) {
      frames = [...frames, ...[0, 1, 2, 3].map((i) => frame(number + i))].slice(-20)
      const numbers = rows.update(frames, filter).map((row) => row.frame.number)
      expect(numbers).toEqual(new PacketRows(createI18nFor('en')).update(frames, filter).map((row) => row.frame.number))
    }
  }
})

it('start anew with another run, and follow the filter', () => {
  const rows = new PacketRows(createI18nFor('es'))
  const first = [frame(1), frame(2), frame(3)]
  expect(rows.update(first, '')).toHaveLength(3)
  expect(rows.update(first, 'arp').map(({ info }) => info)).toEqual(['¿Quién tiene 10.0.0.2? Responde a 10.0.0.1'])
  expect(rows.update([], 'arp')).toEqual([])
  expect(rows.update([frame(1), frame(3)], 'arp')).toHaveLength(1)
  const same = rows.update([frame(1)], '')
  expect(same).toHaveLength(1)
})
