import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Machine } from '../src/engine/machine/machine.ts'
import type { MachineOptions } from '../src/engine/machine/machine.ts'
import { findCompiler } from '../src/engine/toolchain/zig.ts'
import type { Contender, Result } from './harness.ts'
import { digits, interleave, table } from './harness.ts'
import { buildGuest } from './guests.ts'
import { findQemu, startHosted, startQemu, watch } from './peers.ts'
import type { Benchmark, Report } from './report.ts'

const WORKS = ['crc32', 'sieve', 'calls', 'doubles'] as const
/** Rounds of work in one sample. The first is the cold one; the figure for warm code is the fastest of the rest. */
const ROUNDS = 6
const RAM_BYTES = 16 << 20
/** How long the machine runs before the loop looks at what it printed, in virtual time. */
const SLICE_NS = 1_000_000

const START = 'S'.charCodeAt(0)
const END = 'E'.charCodeAt(0)
const NEWLINE = '\n'.charCodeAt(0)

/** Follows a guest's rounds by the bytes it prints; `now` is in milliseconds. */
class Rounds {
  readonly ms: number[] = []
  /** The last round's checksum is complete. */
  isDone = false
  private checksum = ''
  private startMs = 0
  private isText = false

  see(byte: number, nowMs: number): boolean {
    if (byte === START) this.startMs = nowMs
    else if (byte === END) {
      this.ms.push(nowMs - this.startMs)
      this.checksum = ''
      this.isText = true
    } else if (byte === NEWLINE) this.isText = false
    else if (this.isText) this.checksum += String.fromCharCode(byte)
    this.isDone ||= byte === NEWLINE && this.ms.length >= ROUNDS
    return this.isDone
  }

  figures(): Record<string, number> {
    return { 'first ms': this.ms[0], 'warm ms': Math.min(...this.ms.slice(1)), checksum: Number.parseInt(this.checksum, 16) }
  }
}

async function samplePeer(start: () => ChildProcess): Promise<Record<string, number>> {
  const rounds = new Rounds()
  await watch(start(), (bytes, nowMs) => bytes.some(byte => rounds.see(byte, nowMs)))
  return rounds.figures()
}

/** Runs the bare image on a new machine; the figures have the instructions of one round beside its times. */
function sampleMachine(image: Uint8Array, tier: MachineOptions['tier']): Record<string, number> {
  const machine = new Machine({ ramBytes: RAM_BYTES, tier })
  const rounds = new Rounds()
  let startedAt = 0
  let instructions = 0
  machine.serial.onTransmit = byte => {
    if (rounds.isDone) return
    rounds.see(byte, performance.now())
    if (byte === START) startedAt = machine.instructions
    if (byte === END) instructions = machine.instructions - startedAt
  }
  machine.loadMultiboot(image)
  while (!rounds.isDone) {
    const state = machine.run(machine.clock.nowNs + SLICE_NS)
    if (state.kind !== 'running' && !rounds.isDone) throw new Error(`the machine ended before its work did: ${JSON.stringify(state)}`)
  }
  return { ...rounds.figures(), instructions }
}

function contenders(work: string, bare: string, hosted: string): Contender[] {
  const image = readFileSync(bare)
  const name = (runner: string) => `${work}/${runner}`
  return [
    { name: name('native'), sample: () => samplePeer(() => startHosted(hosted)) },
    { name: name('QEMU, TCG'), sample: () => samplePeer(() => startQemu(findQemu(), bare)) },
    { name: name('Atoll, interpreter'), sample: async () => sampleMachine(image, 'interpreter') },
    { name: name('Atoll, both tiers'), sample: async () => sampleMachine(image, 'auto') }
  ]
}

/** Millions of guest instructions a second, for four pieces of work, beside QEMU's TCG and the host itself. */
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
  return { ...result, text: table(['work: runner', 'first ms', 'warm ms', 'MIPS', '× native', '× QEMU'], rows) }
}
