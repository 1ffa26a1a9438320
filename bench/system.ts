import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findCompiler } from '../src/engine/toolchain/zig.ts'
import { buildGuest } from './guests.ts'
import type { Contender, Result } from './harness.ts'
import { digits, interleave, table } from './harness.ts'
import { findQemu, startQemu } from './peers.ts'
import type { Benchmark, Report } from './report.ts'
import { sampleMachine, samplePeer } from './rounds.ts'

/** How often each guest does in one round what it is named for. */
const WORKS = [
  { name: 'syscall', what: 'int 0x80 from ring 3 and back', times: 200_000 },
  { name: 'fault', what: 'page fault that maps a page', times: 50_000 },
  { name: 'switch', what: 'int 0x80 that changes stack and CR3', times: 40_000 },
  { name: 'ports', what: 'read of a port', times: 200_000 },
] as const

/** What it costs to cross between rings, address spaces and devices, beside QEMU's TCG on the same bare image. */
export const system: Benchmark = {
  title: 'what a kernel pays for its crossings',
  async run({ installation, rounds, onRound }) {
    const compiler = findCompiler({ installation })
    const built = mkdtempSync(join(tmpdir(), 'atoll-bench-'))
    try {
      const all = WORKS.flatMap(({ name }): Contender[] => {
        const path = buildGuest(compiler, join(installation, 'bench', 'guest'), built, name, 'bare')
        const image = readFileSync(path)
        return [
          { name: `${name}/QEMU, TCG`, sample: () => samplePeer(() => startQemu(findQemu(), path)) },
          { name: `${name}/Atoll`, sample: async () => sampleMachine(image, 'auto') },
        ]
      })
      return report(await interleave(all, rounds, onRound))
    } finally {
      rmSync(built, { recursive: true })
    }
  },
}

function report(result: Result): Report {
  const value = (contender: string, figure: string): number =>
    result.figures.find(one => one.contender === contender && one.figure === figure)?.median ?? NaN
  const rows = WORKS.map(({ name, what, times }) => {
    const [peer, ours] = [`${name}/QEMU, TCG`, `${name}/Atoll`]
    const sums = [value(peer, 'checksum'), value(ours, 'checksum')]
    if (sums[0] !== sums[1] && !Number.isNaN(sums[0])) throw new Error(`${name}: QEMU counted ${sums[0]}, Atoll ${sums[1]}`)
    const ns = (contender: string): number => (value(contender, 'warm ms') * 1e6) / times
    return [what, digits(ns(ours)), digits(ns(peer)), digits(ns(ours) / ns(peer))]
  })
  return { ...result, text: table(['', 'Atoll, ns', 'QEMU, ns', '× QEMU'], rows) }
}
