import { expect, it } from 'vitest'
import { ConsoleCheck } from './checks.ts'

it('is not held up by a line that a backtracking search never comes back from', () => {
  const check = new ConsoleCheck({ name: '', node: 'ana', condition: { kind: 'matches', pattern: '(a+)+$' }, fromNs: 0, byNs: 1e9 })
  const say = (line: string, atNs: number): void => {
    const bytes = new TextEncoder().encode(line)
    check.take(bytes, new Float64Array(bytes.length).fill(atNs))
  }
  say(`${'a'.repeat(1000)}!\n`, 5)
  expect(check.status().state).toBe('waiting')
  say('aaa\n', 7)
  expect(check.status()).toMatchObject({ state: 'passed', atNs: 7 })
})
