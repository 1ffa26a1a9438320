import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { Row } from './links.ts'
import { measureLinks, ROWS } from './links.ts'

const installation = join(import.meta.dirname, '..')
const chosen = (...names: string[]): Row[] => ROWS.filter(({ configured }) => names.includes(configured))

it('finds that links do as they are told', async () => {
  const rows = chosen('latency 10 ms', 'jitter 5 ms', 'loss 50 %', 'bandwidth 10 Mbit/s')
  expect(rows).toHaveLength(5)
  const verdicts = await measureLinks(rows, installation, { counts: 0.2 })
  for (const { row, expected, observed, isRight } of verdicts)
    expect(isRight, `${row.configured}: ${row.measured}: expected ${expected}, observed ${observed}`).toBe(true)
})

it('finds that one does not', async () => {
  const [latency, loss, bandwidth] = chosen('latency 10 ms', 'loss 10 %', 'bandwidth 10 Mbit/s')
  const other = (row: Row, link: object): Row => ({ ...row, probe: { ...row.probe, link: { ...row.probe.link, ...link } } })
  const rows = [other(latency, { latency: '10.01ms' }), other(loss, { loss: '15%' }), other(bandwidth, { bandwidth: '10.1Mbit' })]
  const verdicts = await measureLinks(rows, installation, { counts: 0.2 })
  expect(verdicts.map(({ isRight }) => isRight)).toEqual([false, false, false])
})
