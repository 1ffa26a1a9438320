import { expect, it } from 'vitest'
import { compilePattern, PatternError, PATTERN_SIZE_MAX } from './pattern.ts'

const wrong = (text: string): string => {
  try {
    compilePattern(text)
  } catch (error) {
    if (error instanceof PatternError) return error.message
    throw error
  }
  return ''
}

it.each(['(a+)+$', '(a|a)+$', '(a|aa)+$', '(.*a){20}$', '^(([a-z])+.)+[A-Z]([a-z])+$'])('%s reads a line once', (text) => {
  expect(compilePattern(text).test(`${'a'.repeat(1000)}!`)).toBe(false)
})

it.each([
  ['^three: back after 2\\.\\d{3} ms$', 'three: back after 2.125 ms', 'three: back after 3.125 ms'],
  ['^\\+ hugo \\(169\\.254\\.\\d+\\.\\d+\\)', '+ hugo (169.254.7.9); 7 living', '- hugo (169.254.7.9)'],
  ['[0-9a-f:]{17} ', '02:00:00:00:00:01 eth0', '02:00'],
  ['\\bpong\\b|seq=[^3]', 'a pong', 'ponging seq=3'],
  ['^\\p{Lu}.$', 'Ñ😀', 'ñ😀'],
])('%s means what it means to RegExp', (text, match, other) => {
  for (const line of [match, other]) expect(compilePattern(text).test(line), line).toBe(new RegExp(text, 'u').test(line))
  expect(compilePattern(text).test(match)).toBe(true)
})

it('knows flags, and says what it does not know', () => {
  expect(compilePattern('(?i)HELLO').test('hello')).toBe(true)
  expect(['(', '(?=a)b', '(?<!a)b', '(a)\\1', 'a**', 'x{1001}'].map(wrong)).toMatchInlineSnapshot(`
    [
      "missing closing ): \`(\`",
      "invalid or unsupported Perl syntax: \`(?=\`",
      "invalid named capture: \`(?<!a)b\`",
      "invalid escape sequence: \`\\1\`",
      "invalid nested repetition operator: \`**\`",
      "invalid repeat count: \`{1001}\`",
    ]
  `)
})

it('takes no more steps for a character than it says', () => {
  expect(wrong(`x{${PATTERN_SIZE_MAX - 10}}`)).toBe('')
  expect(wrong('(x{100}y{100}){5}')).toMatch(/^it takes \d+ steps, at most 1000 are allowed$/)
})
