import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findCompiler } from '../src/engine/toolchain/zig.ts'
import type { Contender, Result } from './harness.ts'
import { digits, interleave, table } from './harness.ts'
import { buildGuest } from './guests.ts'
import { findQemu, findQemuUser, startHosted, startQemu, startQemuUser } from './peers.ts'
import type { Benchmark, Report } from './report.ts'
import { sampleMachine, samplePeer } from './rounds.ts'

export const WORKS = [
  'crc32', 'sha256', 'divide', 'sort', 'interpreter', 'calls', 'strings', 'memory', 'sieve', 'chase', 'matrix', 'nbody'
] as const
function contenders(work: string, bare: string, hosted: string): Contender[] {
  const image = readFileSync(bare)
  const name = (runner: string) => `${work}/${runner}`
  return [
    { name: name('native'), sample: () => samplePeer(() => startHosted(hosted)) },
    { name: name('QEMU, user mode'), sample: () => samplePeer(() => startQemuUser(findQemuUser(), hosted)) },
    { name: name('QEMU, TCG'), sample: () => samplePeer(() => startQemu(findQemu(), bare)) },
    { name: name('Atoll, interpreter'), sample: async () => sampleMachine(image, 'interpreter') },
    { name: name('Atoll, both tiers'), sample: async () => sampleMachine(image, 'auto') }
  ]
}

/** Millions of guest instructions a second, for a dozen pieces of work, beside QEMU's TCG and the host itself. */
export const cpu: Benchmark = {
  title: 'processor: the same work on the same bare image',
  async run({ installation, rounds, onRound }) {
    const compiler = findCompiler({ installation })
    const built = mkdtempSync(join(tmpdir(), 'atoll-bench-'))
    try {
      const source = join(installation, 'bench', 'guest')
      const build = (work: string, kind: 'bare' | 'hosted') => buildGuest(compiler, source, built, work, kind)
      const all = WORKS.flatMap(work => contenders(work, build(work, 'bare'), build(work, 'hosted')))
      return report(await interleave(all, rounds, onRound))
    } finally {
      rmSync(built, { recursive: true })
    }
  }
}

export const geometricMean = (ratios: readonly number[]): number =>
  Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length)

function report(result: Result): Report {
  const value = (contender: string, figure: string): number =>
    result.figures.find(one => one.contender === contender && one.figure === figure)?.median ?? NaN
  const names = [...new Set(result.figures.map(figure => figure.contender))]
  const rows = names.map(name => {
    const [work] = name.split('/')
    const ours = `${work}/Atoll, both tiers`
    const warm = value(name, 'warm ms')
    const instructions = value(ours, 'instructions')
    return [
      name.replace('/', ': '), digits(value(name, 'first ms')), digits(warm), digits(instructions / warm / 1000),
      digits(warm / value(`${work}/native`, 'warm ms')), digits(warm / value(`${work}/QEMU, TCG`, 'warm ms'))
    ]
  })
  for (const work of WORKS) {
    const sums = new Set(names.filter(name => name.startsWith(`${work}/`)).map(name => value(name, 'checksum')))
    const list = [...sums].map(sum => sum.toString(16)).join(', ')
    if (sums.size > 1) throw new Error(`${work}: the runners computed different checksums, ${list}`)
  }
  const mean = (runner: string, figure: string, peer: string): string =>
    digits(geometricMean(WORKS.map(work => value(`${work}/${runner}`, figure) / value(`${work}/${peer}`, figure))))
  const runners = [...new Set(names.map(name => name.split('/')[1]))]
  for (const runner of runners)
    rows.push([`geometric mean: ${runner}`, '', '', '', mean(runner, 'warm ms', 'native'), mean(runner, 'warm ms', 'QEMU, TCG')])
  return { ...result, text: table(['work: runner', 'first ms', 'warm ms', 'MIPS', '× native', '× QEMU'], rows) }
}
