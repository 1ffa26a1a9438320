import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { findCompiler } from '../src/engine/toolchain/zig.ts'
import { WORKS, geometricMean } from './cpu.ts'
import { buildGuest } from './guests.ts'
import type { Contender, Result } from './harness.ts'
import { digits, interleave, table } from './harness.ts'
import { findQemu, startHosted, startQemu } from './peers.ts'
import type { Benchmark, Report } from './report.ts'
import { samplePeer } from './rounds.ts'

const MIB = 2 ** 20
/** Instructions of a round of guest/once.c, as Atoll counts them. */
const ONCE_INSTRUCTIONS = 1_073_500
/** As many are translated: enough to tell from. */
const TRANSLATED = 100_000
/** What the memory of a machine that has translated them is compared with. */
const BASELINE = 'once/tier 0, as far as tier 1'

/** What the kernels are run with: flags of V8, and whether regions count. The first is what the others are compared with. */
const BUILDS = [
  { name: 'as it is', flags: [], kind: 'counted' },
  { name: 'Liftoff only', flags: ['--liftoff-only'], kind: 'counted' },
  { name: 'TurboFan only', flags: ['--no-liftoff'], kind: 'counted' },
  { name: 'without exact time', flags: [], kind: 'uncounted' },
] as const

async function child(installation: string, flags: readonly string[], args: readonly string[]): Promise<Record<string, number>> {
  const sample = join(installation, 'out', 'bench', 'translation-sample.js')
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, sample, ...args])
  return JSON.parse(stdout)
}

/** What it costs to run code for the first time and to translate it, and what the translation's ways are worth. */
export const translation: Benchmark = {
  title: 'code that runs once, translation, and what its ways are worth',
  async run({ installation, rounds, onRound }) {
    const folder = mkdtempSync(join(tmpdir(), 'atoll-bench-'))
    try {
      const build = (name: string, kind: 'bare' | 'hosted') =>
        buildGuest(findCompiler({ installation }), join(installation, 'bench', 'guest'), folder, name, kind)
      const kernels = WORKS.map((work) => build(work, 'bare'))
      const once = build('once', 'bare')
      const hosted = build('once', 'hosted')
      // Without laziness a module's compilation is over when it is made.
      const whole = ['--expose-gc', '--no-wasm-lazy-compilation']
      const peer = async (start: () => ReturnType<typeof startHosted>) =>
        ({ 'run once, ns': ((await samplePeer(start))['first ms'] * 1e6) / ONCE_INSTRUCTIONS })
      const contenders: Contender[] = [
        { name: 'once/host', sample: () => peer(() => startHosted(hosted)) },
        { name: 'once/QEMU, TCG', sample: () => peer(() => startQemu(findQemu(), once)) },
        { name: 'once/tier 0', sample: () => child(installation, whole, ['once', 'interpreter', once, String(ONCE_INSTRUCTIONS * 2)]) },
        { name: BASELINE, sample: () => child(installation, whole, ['once', 'interpreter', once, String(TRANSLATED)]) },
        { name: 'once/tier 1', sample: () => child(installation, whole, ['once', 'translator', once, String(TRANSLATED)]) },
        ...BUILDS.map(({ name, flags, kind }): Contender => (
          { name: `kernels/${name}`, sample: () => child(installation, flags, ['kernels', kind, ...kernels]) })),
      ]
      return report(await interleave(contenders, rounds, onRound))
    } finally {
      rmSync(folder, { recursive: true })
    }
  },
}

function report(result: Result): Report {
  const value = (contender: string, figure: string): number =>
    result.figures.find((one) => one.contender === contender && one.figure === figure)?.median ?? NaN
  const rows: string[][] = []
  for (const { contender, figure, median, least, most } of result.figures)
    if (contender.startsWith('once/') && contender !== BASELINE && figure !== 'bytes resident')
      rows.push([contender.replace('once/', ''), figure, digits(median), digits(least), digits(most)])
  const grown = value('once/tier 1', 'bytes resident') - value(BASELINE, 'bytes resident')
  const translated = value('once/tier 1', 'guest bytes translated')
  rows.push(['tier 1', 'resident beside what tier 0 has, MiB', digits(grown / MIB), '', ''])
  rows.push(['tier 1', 'the same, bytes for a guest byte', digits(grown / translated), '', ''])
  for (const { name } of BUILDS.slice(1)) {
    const ratios = WORKS.map((work) => value(`kernels/${name}`, work) / value(`kernels/${BUILDS[0].name}`, work))
    rows.push([name, 'kernels, times as they are', digits(geometricMean(ratios)), digits(Math.min(...ratios)), digits(Math.max(...ratios))])
  }
  return { ...result, text: table(['what', 'figure', 'median', 'least', 'most'], rows) }
}
