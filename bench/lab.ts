import type { ChildProcess } from 'node:child_process'
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { findCompiler } from '../src/engine/toolchain/zig.ts'
import { buildGuest } from './guests.ts'
import type { Contender, Result } from './harness.ts'
import { digits, interleave, table } from './harness.ts'
import { findQemu, firstByte, residentBytes, startQemu } from './peers.ts'
import type { Benchmark, Report } from './report.ts'

const MACHINES = 16
const MIB = 2 ** 20

async function sampleLab(installation: string, ...args: string[]): Promise<Record<string, number>> {
  const sample = join(installation, 'out', 'bench', 'lab-sample.js')
  const { stdout } = await promisify(execFile)(process.execPath, [sample, installation, String(MACHINES), ...args])
  return JSON.parse(stdout)
}

/** As many QEMUs at once, each with a kernel that prints one byte and halts. */
async function sampleQemu(image: string): Promise<Record<string, number>> {
  const qemu = findQemu()
  const startMs = performance.now()
  const children: ChildProcess[] = []
  try {
    for (let i = 0; i < MACHINES; i++) children.push(startQemu(qemu, image))
    const times = await Promise.all(children.map(firstByte))
    const bytes = children.reduce((sum, { pid }) => sum + residentBytes(pid), 0)
    return { 'start to last first byte, ms': Math.max(...times) - startMs, 'MiB each, at the first byte': bytes / MACHINES / MIB }
  } finally {
    for (const child of children) child.kill('SIGKILL')
  }
}

/** What sixteen machines cost: time, memory, and how far ahead of the wall they are. */
export const lab: Benchmark = {
  title: `${MACHINES} machines on a switch, each with its kernel and shell, beside as many QEMUs that print one byte`,
  async run({ installation, rounds, onRound }) {
    const folder = mkdtempSync(join(tmpdir(), 'atoll-bench-'))
    try {
      const image = buildGuest(findCompiler({ installation }), join(installation, 'bench', 'guest'), folder, 'hello', 'bare')
      const contenders: Contender[] = [
        { name: 'Atoll, a worker for each core', sample: () => sampleLab(installation) },
        { name: 'Atoll, in one thread', sample: () => sampleLab(installation, '0') },
        { name: 'QEMU (no kernel, no network)', sample: () => sampleQemu(image) },
      ]
      return report(await interleave(contenders, rounds, onRound))
    } finally {
      rmSync(folder, { recursive: true })
    }
  },
}

function report(result: Result): Report {
  const peer = (unit: string): number =>
    result.figures.find(({ contender, figure }) => contender.startsWith('QEMU') && figure.includes(unit))?.median ?? NaN
  const ratio = (figure: string, median: number): string => {
    const unit = figure.includes('MiB each, ') ? 'MiB each, ' : figure.startsWith('start to ') ? 'start to ' : undefined
    return unit === undefined ? '' : digits(median / peer(unit))
  }
  const rows = result.figures.map(({ contender, figure, median, least, most }) =>
    [contender, figure, digits(median), digits(least), digits(most), ratio(figure, median)])
  return { ...result, text: table(['what', 'figure', 'median', 'least', 'most', '× QEMU'], rows) }
}
