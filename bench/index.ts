import { cpus } from 'node:os'
import { cpu } from './cpu.ts'
import { firstLight } from './first-light.ts'
import { lab } from './lab.ts'
import { links } from './links.ts'
import type { Benchmark } from './report.ts'
import { system } from './system.ts'
import { translation } from './translation.ts'

export const BENCHMARKS: Readonly<Record<string, Benchmark>> = { 'first-light': firstLight, cpu, translation, system, lab, links }

export const ROUNDS_DEFAULT = 5

export interface RunOptions {
  /** Names of BENCHMARKS; all of them when empty. */
  names: readonly string[]
  /** The folder of package.json. */
  installation: string
  rounds?: number
  /** One JSON document instead of tables. */
  json?: boolean
  /** Receives the report, piece by piece. */
  out(text: string): void
  /** Receives what tells a person that something is going on. */
  progress(text: string): void
}

/** Runs benchmarks one after the other. Returns what they found to be wrong. Throws RangeError when a name is none. */
export async function runBenchmarks(options: RunOptions): Promise<string[]> {
  const { names, installation, rounds = ROUNDS_DEFAULT, json = false, out, progress } = options
  const unknown = names.find(name => !(name in BENCHMARKS))
  const known = Object.keys(BENCHMARKS)
  if (unknown !== undefined) throw new RangeError(`there is no benchmark ${unknown}; there are ${known.join(', ')}`)
  const platform = `${process.platform} ${process.arch}`
  const host = { cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length, node: process.version, platform }
  const reports: Record<string, unknown> = {}
  const failures: string[] = []
  if (!json) out(`${host.cpu}, ${host.cores} cores, Node ${host.node}; medians of ${rounds} interleaved rounds\n`)
  for (const name of names.length > 0 ? names : known) {
    const { title, run } = BENCHMARKS[name]
    const onRound = (round: number) => progress(`${name}: round ${round + 1} of ${rounds}\n`)
    const { text, ...report } = await run({ installation, rounds, onRound })
    reports[name] = report
    if (report.failure !== undefined) failures.push(`${name}: ${report.failure}`)
    if (json) continue
    out(`\n${name}: ${title}\n\n${text}\n`)
    for (const { contender, reason } of report.missing) out(`missing: ${contender}: ${reason}\n`)
  }
  if (json) out(`${JSON.stringify({ host, rounds, reports }, undefined, 2)}\n`)
  return failures
}
