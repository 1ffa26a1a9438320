import { describe, expect, it } from 'vitest'
import { digits, interleave, median, table } from './harness.ts'

describe('interleave', () => {
  it('lets contenders take turns', async () => {
    const turns: string[] = []
    const contender = (name: string) => ({ name, sample: async () => (turns.push(name), { ms: turns.length }) })
    const { figures } = await interleave([contender('a'), contender('b')], 3)
    expect(turns).toEqual(['a', 'b', 'a', 'b', 'a', 'b'])
    expect(figures).toEqual([
      { contender: 'a', figure: 'ms', median: 3, least: 1, most: 5, samples: 3 },
      { contender: 'b', figure: 'ms', median: 4, least: 2, most: 6, samples: 3 }
    ])
  })

  it('goes on without a contender that cannot be had', async () => {
    let tries = 0
    const absent = { name: 'absent', sample: () => (tries++, Promise.reject(new Error('not installed'))) }
    const { figures, missing } = await interleave([absent, { name: 'here', sample: async () => ({ ms: 1 }) }], 2)
    expect(figures.map(figure => figure.contender)).toEqual(['here'])
    expect(missing).toEqual([{ contender: 'absent', reason: 'not installed' }])
    expect(tries).toBe(1)
  })
})

describe('median', () => {
  it('is the middle, or the mean of the two middles', () => {
    expect(median([5, 1, 3])).toBe(3)
    expect(median([4, 1, 3, 2])).toBe(2.5)
    expect(median([])).toBeNaN()
  })
})

describe('table', () => {
  it('lines its columns up', () => {
    expect(table(['runner', 'ms'], [['Atoll', '85.2'], ['QEMU', '103']])).toBe('runner    ms\n------  ----\nAtoll   85.2\nQEMU     103')
  })

  it('writes three significant digits', () => {
    expect([1234.5, 99.96, 12.34, 1.234].map(digits)).toEqual(['1235', '100.0', '12.3', '1.23'])
  })
})
