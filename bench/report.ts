import type { Result } from './harness.ts'

export interface BenchmarkOptions {
  /** The folder of package.json. */
  installation: string
  /** How often every contender is sampled. */
  rounds: number
  onRound(round: number): void
}

/** Everything that was measured, and the same as a table for a person. */
export interface Report extends Result {
  text: string
  /** What it found to be wrong, in one sentence. */
  failure?: string
}

export interface Benchmark {
  title: string
  run(options: BenchmarkOptions): Promise<Report>
}
