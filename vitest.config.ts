import { defineConfig } from 'vitest/config'

/** Tests of what the build made rather than of the source: Node 20 cannot start a worker from TypeScript. */
const BUILT = 'src/**/*.built.test.ts'

const shared = {
  // Two cores are the smallest machine Atoll is developed on; more workers than that only fight for them.
  pool: 'forks' as const,
  maxWorkers: 2,
  // The first call of the C compiler in a cold cache takes seconds, and a loaded machine takes longer still. The limit is there
  // for what hangs, not for what is slow.
  testTimeout: 60_000,
  hookTimeout: 120_000,
  restoreMocks: true
}

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...shared,
          name: 'unit',
          include: ['src/**/*.test.{ts,tsx}', 'scripts/**/*.test.mjs', 'bench/**/*.test.ts'],
          exclude: ['**/node_modules/**', BUILT]
        }
      },
      { test: { ...shared, name: 'built', include: [BUILT] } }
    ]
  }
})
