import { describe, expect, it } from 'vitest'
import { closingLine, countClosingLine, countPlaywright, countVitest, settle } from './counts.mjs'

describe('counts', () => {
  it('are vitest\'s own, and one for a file that did not load', () => {
    const report = {
      numPassedTests: 3, numFailedTests: 1, numPendingTests: 2, numTodoTests: 0,
      testResults: [
        { status: 'failed', assertionResults: [{ status: 'failed' }] },
        { status: 'failed', assertionResults: [] },
        { status: 'passed', assertionResults: [{ status: 'passed' }] }
      ]
    }
    expect(countVitest(report)).toEqual({ passed: 3, failed: 2, skipped: 2 })
  })

  it('are Playwright\'s own, and one for each error outside a test', () => {
    const report = { stats: { expected: 5, unexpected: 1, flaky: 1, skipped: 2 }, errors: [{ message: 'no server' }] }
    expect(countPlaywright(report)).toEqual({ passed: 5, failed: 3, skipped: 2 })
  })

  it('are read from the last closing line', () => {
    expect(countClosingLine('1 passed, 0 failed\n4 passed, 2 failed, 1 skipped\n')).toEqual({ passed: 4, failed: 2, skipped: 1 })
    expect(countClosingLine('all is well')).toBeUndefined()
  })
})

describe('a suite that ended badly', () => {
  it('failed, when it left no count', () => {
    expect(settle(undefined, 0)).toEqual({ passed: 0, failed: 1, skipped: 0 })
  })

  it('failed, when it was killed or exited with an error after counting no failure', () => {
    const counts = { passed: 7, failed: 0, skipped: 0 }
    expect(settle(counts, null)).toEqual({ passed: 7, failed: 1, skipped: 0 })
    expect(settle(counts, 1)).toEqual({ passed: 7, failed: 1, skipped: 0 })
    expect(settle(counts, 0)).toEqual(counts)
  })
})

describe('the closing line', () => {
  it('adds up, and names what was skipped only when something was', () => {
    const counts = { passed: 2, failed: 1, skipped: 0 }
    expect(closingLine([counts, counts])).toBe('4 passed, 2 failed')
    expect(closingLine([counts, { passed: 0, failed: 0, skipped: 3 }])).toBe('2 passed, 1 failed, 3 skipped')
  })
})
