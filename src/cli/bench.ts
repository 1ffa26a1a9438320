import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { appRoot } from '../main/service/app-root.ts'
import { UserError } from '../main/service/errors.ts'
import { ExitStatus } from './exit-status.ts'
import { say } from './report.ts'

interface BenchModule {
  runBenchmarks(options: {
    names: readonly string[]
    installation: string
    rounds?: number
    json?: boolean
    out(text: string): void
    progress(text: string): void
  }): Promise<string[]>
}

export interface BenchOptions {
  rounds?: number
  json?: boolean
}

/** `atoll bench`: the benchmarks are built beside the command line, and only a checkout has them. */
export async function bench(names: string[], { rounds, json }: BenchOptions): Promise<number> {
  const file = join(appRoot(), 'out', 'bench', 'index.js')
  if (!existsSync(file)) throw new UserError('the benchmarks are part of a checkout, not of an installed Atoll')
  const { runBenchmarks } = (await import(pathToFileURL(file).href)) as BenchModule
  try {
    const failures = await runBenchmarks({
      names,
      installation: appRoot(),
      rounds,
      json,
      out: (text) => process.stdout.write(text),
      progress: (text) => process.stderr.write(text),
    })
    for (const failure of failures) say(failure)
    return failures.length === 0 ? ExitStatus.OK : ExitStatus.CHECK_FAILED
  } catch (error) {
    if (error instanceof RangeError) throw new UserError(error.message)
    throw error
  }
}
