import type { ChildProcess } from 'node:child_process'
import { execFile, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { findCompiler } from '../src/engine/toolchain/zig.ts'
import { buildGuest } from './guests.ts'
import type { Contender, Result } from './harness.ts'
import { digits, interleave, table } from './harness.ts'
import { findQemu, startHosted, startQemu, watch } from './peers.ts'
import type { Benchmark, Report } from './report.ts'

const LOOP = 'source to first user output, ms'
const BOOT = 'start to first serial byte, ms'

/** Milliseconds from the start of the command line to the first byte that the program itself prints. */
async function loop(installation: string, program: string): Promise<Record<string, number>> {
  const start = performance.now()
  let output = ''
  let endMs = 0
  const child = spawn(process.execPath, [join(installation, 'scripts', 'atoll.mjs'), 'run', program], { stdio: ['ignore', 'pipe', 'pipe'] })
  await watch(child, (bytes, nowMs) => {
    output += Buffer.from(bytes).toString('latin1')
    endMs = nowMs
    return output.includes('[user] ')
  })
  return { [LOOP]: endMs - start }
}

/** hello.c with a greeting that no cache has seen. */
function edited(installation: string, folder: string): string {
  const text = readFileSync(join(installation, 'user', 'hello.c'), 'utf8')
  const path = join(folder, 'edited.c')
  const greeting = `Hello at ${process.hrtime.bigint()}!`
  if (!text.includes('Hello from ring-3!')) throw new Error('user/hello.c has lost its greeting')
  writeFileSync(path, text.replace('Hello from ring-3!', greeting))
  return path
}

/** Milliseconds until a process has printed anything. */
async function firstByte(start: () => ChildProcess): Promise<number> {
  const startMs = performance.now()
  let endMs = 0
  await watch(start(), (_, nowMs) => {
    endMs = nowMs
    return true
  })
  return endMs - startMs
}

function contenders(installation: string, folder: string): Contender[] {
  const compiler = findCompiler({ installation })
  const source = join(installation, 'bench', 'guest')
  const hello = join(installation, 'user', 'hello.c')
  const image = buildGuest(compiler, source, folder, 'hello', 'bare')
  const bareLoop = async (kind: 'bare' | 'hosted', start: (path: string) => ChildProcess) => {
    const startMs = performance.now()
    const path = buildGuest(compiler, source, folder, 'hello', kind)
    const builtMs = performance.now() - startMs
    return { [LOOP]: builtMs + await firstByte(() => start(path)) }
  }
  return [
    { name: 'Atoll, edited source', sample: () => loop(installation, edited(installation, folder)) },
    { name: 'Atoll, same source again', sample: () => loop(installation, hello) },
    { name: 'same compiler, then QEMU (no kernel)', sample: () => bareLoop('bare', path => startQemu(findQemu(), path)) },
    { name: 'same compiler, then the host', sample: () => bareLoop('hosted', startHosted) },
    { name: 'Atoll, machine to first user instruction', sample: () => bootSample(installation, hello) },
    {
      name: 'QEMU, start to first serial byte (no kernel)',
      sample: async () => ({ [BOOT]: await firstByte(() => startQemu(findQemu(), image)) })
    }
  ]
}

async function bootSample(installation: string, program: string): Promise<Record<string, number>> {
  const { stdout } = await promisify(execFile)(process.execPath, [join(installation, 'out', 'bench', 'boot-sample.js'), program])
  return JSON.parse(stdout)
}

/** The two waits a person has: from a saved file to its output, and from a machine's creation to its first user instruction. */
export const firstLight: Benchmark = {
  title: 'from source to the first byte that a person sees, and the boot in it',
  async run({ installation, rounds, onRound }) {
    const folder = mkdtempSync(join(tmpdir(), 'atoll-bench-'))
    try {
      return report(await interleave(contenders(installation, folder), rounds, onRound))
    } finally {
      rmSync(folder, { recursive: true })
    }
  }
}

function report(result: Result): Report {
  const peer = result.figures.find(figure => figure.contender.startsWith('QEMU'))?.median ?? NaN
  const peerLoop = result.figures.find(figure => figure.contender.startsWith('same compiler, then QEMU'))?.median ?? NaN
  const rows = result.figures.map(({ contender, figure, median, least, most }) =>
    [contender, figure, digits(median), digits(least), digits(most), digits(median / (figure === LOOP ? peerLoop : peer))])
  return { ...result, text: table(['what', 'figure', 'median', 'least', 'most', '× QEMU'], rows) }
}
