import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['src/**/*.test.{ts,tsx}', 'scripts/**/*.test.mjs', 'bench/**/*.test.ts'],
    // Two cores are the smallest machine Atoll is developed on; more workers than that only fight for them.
    pool: 'forks',
    maxWorkers: 2,
    // The first call of the C compiler in a cold cache takes seconds, and a loaded machine takes longer still. The limit is there
    // for what hangs, not for what is slow.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    restoreMocks: true
  }
})
