import { defineConfig } from '@playwright/test'
import { findBrowser } from './scripts/test/browser.mjs'

const executablePath = findBrowser()
const isRoot = process.getuid?.() === 0

export default defineConfig({
  testDir: 'e2e',
  outputDir: 'test-results/e2e',
  // Each test has its own server, project folder and browser context, so tests do not see one another. On two cores a browser, a
  // compiler and a machine are work enough for one at a time.
  workers: 1,
  retries: 0,
  forbidOnly: process.env.CI !== undefined,
  // For what hangs, not for what is slow: the first POSIX program on a fresh machine waits for musl to be built.
  timeout: 120_000,
  expect: { timeout: 30_000 },
  reporter: 'list',
  use: {
    browserName: 'chromium',
    viewport: { width: 1280, height: 800 },
    trace: 'retain-on-failure',
    screenshot: 'only-on-failure',
    launchOptions: {
      executablePath,
      args: ['--disable-background-networking', '--no-first-run', ...(isRoot ? ['--no-sandbox'] : [])]
    }
  }
})
