import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { NS_PER_INSTRUCTION } from '../src/engine/machine/cpu/state.ts'
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
/** A computation with a timer's interrupts and without; what they differ by is the price of the interrupts. */
const TICKING = { name: 'tick', undisturbed: 'quiet', what: 'timer interrupt at 10 kHz', hz: 1_193_182 / 119 } as const

/** What it costs to cross between rings, address spaces and devices, beside QEMU's TCG on the same bare image. */
export const system: Benchmark = {
  title: 'what a kernel pays for its crossings',
  async run({ installation, rounds, onRound }) {
    const compiler = findCompiler({ installation })
    const built = mkdtempSync(join(tmpdir(), 'atoll-bench-'))
    try {
      const all = [...WORKS.map(({ name }) => name), TICKING.name, TICKING.undisturbed].flatMap((name): Contender[] => {
        const path = buildGuest(compiler, join(installation, 'bench', 'guest'), built, name, 'bare')
        const image = readFileSync(path)
        return [
          { name: `${name}/${QEMU}`, sample: () => samplePeer(() => startQemu(findQemu(), path)) },
          { name: `${name}/${ATOLL}`, sample: async () => sampleMachine(image, 'auto') },
        ]
      })
      return report(await interleave(all, rounds, onRound))
    } finally {
      rmSync(built, { recursive: true })
    }
  },
}

const QEMU = 'QEMU, TCG'
const ATOLL = 'Atoll'

function report(result: Result): Report {
  const value = (contender: string, figure: string): number =>
    result.figures.find(one => one.contender === contender && one.figure === figure)?.median ?? NaN
  const check = (name: string): void => {
    const sums = [value(`${name}/${QEMU}`, 'checksum'), value(`${name}/${ATOLL}`, 'checksum')]
    if (sums[0] !== sums[1] && !Number.isNaN(sums[0])) throw new Error(`${name}: QEMU counted ${sums[0]}, Atoll ${sums[1]}`)
  }
  const row = (what: string, ours: number, theirs: number): string[] => [what, digits(ours), digits(theirs), digits(ours / theirs)]
  const rows = WORKS.map(({ name, what, times }) => {
    check(name)
    const ns = (contender: string): number => (value(`${name}/${contender}`, 'warm ms') * 1e6) / times
    return row(what, ns(ATOLL), ns(QEMU))
  })
  check(TICKING.name)
  const difference = (contender: string): number =>
    (value(`${TICKING.name}/${contender}`, 'warm ms') - value(`${TICKING.undisturbed}/${contender}`, 'warm ms')) * 1e6
  // QEMU's timer goes by the host's clock, Atoll's by the instructions that ran.
  const ticks = {
    [ATOLL]: (value(`${TICKING.name}/${ATOLL}`, 'instructions') * NS_PER_INSTRUCTION * TICKING.hz) / 1e9,
    [QEMU]: (value(`${TICKING.name}/${QEMU}`, 'warm ms') * TICKING.hz) / 1e3,
  }
  rows.push(row(TICKING.what, difference(ATOLL) / ticks[ATOLL], difference(QEMU) / ticks[QEMU]))
  return { ...result, text: table(['', 'Atoll, ns', 'QEMU, ns', '× QEMU'], rows) }
}
