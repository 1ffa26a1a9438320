import { expect, it } from 'vitest'
import { matchScore, rank } from './palette.ts'

it('ranks beginnings before words before insides before scattered letters', () => {
  const titles = ['Reset layout', 'Show console', 'Save all', 'Build and boot', 'Close editor', 'Clear console']
  expect(rank('co', titles, (title) => title)).toEqual(['Show console', 'Clear console', 'Close editor'])
  expect(rank('s', titles, (title) => title).slice(0, 2)).toEqual(['Show console', 'Save all'])
  expect(rank('bab', titles, (title) => title)).toEqual(['Build and boot'])
})

it('does not care about case or accents', () => {
  expect(matchScore('MAQUINA', 'Detener la máquina')).toBeGreaterThan(0)
  expect(matchScore('xyz', 'Detener la máquina')).toBe(-1)
})

it('keeps the order of the table when nothing is typed', () => {
  expect(rank('', ['b', 'a'], (text) => text)).toEqual(['b', 'a'])
})
