/**
 * What a suite came to.
 * @typedef {{ passed: number, failed: number, skipped: number }} Counts
 */

/**
 * Reads vitest's JSON report. A file that could not even be loaded has no tests to fail, so it counts as one failure.
 * @returns {Counts}
 */
export function countVitest(report) {
  const failed = one => one.status === 'failed'
  const broken = report.testResults.filter(file => failed(file) && !file.assertionResults.some(failed))
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + broken.length,
    skipped: report.numPendingTests + report.numTodoTests
  }
}

/**
 * Reads Playwright's JSON report. Errors outside any test (a server that did not start, a file that does
 * not load) count as failures.
 * @returns {Counts}
 */
export function countPlaywright(report) {
  const { expected, unexpected, flaky, skipped } = report.stats
  return { passed: expected, failed: unexpected + flaky + report.errors.length, skipped }
}

/**
 * Reads the closing `N passed, N failed` of a program's output.
 * @returns {Counts | undefined} undefined when there is none
 */
export function countClosingLine(output) {
  const last = [...output.matchAll(/^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$/gm)].at(-1)
  return last && { passed: Number(last[1]), failed: Number(last[2]), skipped: Number(last[3] ?? 0) }
}

/**
 * Holds a suite's counts against how its process ended, so that no crash passes for a success.
 * @param {Counts | undefined} counts
 * @param {number | null} status exit status; null when it was killed
 * @returns {Counts}
 */
export function settle(counts, status) {
  if (counts === undefined) return { passed: 0, failed: 1, skipped: 0 }
  return status !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts
}

/** The line that everything ends with. */
export function closingLine(all) {
  const sum = key => all.reduce((total, counts) => total + counts[key], 0)
  const skipped = sum('skipped')
  return `${sum('passed')} passed, ${sum('failed')} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`
}
