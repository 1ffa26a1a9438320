import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { Decoder, DecoderOptions, Formatter, FormatterSyntax } from 'iced-x86'
import { expect, test } from 'vitest'
import type { Tier } from '../cpu.ts'
import type { Row } from '../instructions/row.ts'
import { differencesOnAmd, readsEnvironment } from './amd.ts'
import { ANY_MXCSR, writeRecord } from './case.ts'
import type { CaseMode, SiliconCase } from './case.ts'
import { differences } from './compare.ts'
import { EmulatedProcessor } from './emulator.ts'
import { COMPATIBILITY_ROWS, ROWS, generate } from './generate.ts'
import { At, CODE_ADDRESS, RECORD_BYTES } from './layout.ts'
import { isApproximate } from './undefined.ts'
import { X87_ROWS, describeX87, isX87 } from './x87.ts'
import { encodeVectors } from './vectors.ts'
import type { Vector } from './vectors.ts'

/**
 * The emulated processor against the one underneath, on cases that nobody chose. Off unless SILICON says how many:
 *
 *     SILICON=100000 SILICON_SEED=1 SILICON_TIER=interpreter npx vitest run src/engine/machine/cpu/silicon/fuzz.test.ts
 *
 * SILICON_MXCSR=1 starts from any MXCSR, SILICON_FLOAT=1 takes instructions that depend on it. SILICON_X87=1 takes
 * the instructions of the x87 instead of the others. SILICON_LATER=1 those after SSE3. SILICON_MODE=compatibility runs 32-bit code.
 * SILICON_ONLY=name restricts the first instruction to one
 * definition. SILICON_REPORT says how many differences to show. SILICON_RECORD=1 keeps the first VECTORS_PER_ROW cases of each row,
 * where the two agree, in one of the files that vectors.test.ts replays.
 */
const COUNT = Number(process.env.SILICON ?? 0)
const FIRST_SEED = Number(process.env.SILICON_SEED ?? 1) + (process.env.SILICON_MXCSR === undefined ? 0 : ANY_MXCSR)
const TIER = (process.env.SILICON_TIER ?? 'interpreter') as Tier
const ONLY = process.env.SILICON_ONLY
const X87 = process.env.SILICON_X87 !== undefined
const FLOAT = process.env.SILICON_FLOAT !== undefined
const MODE = (process.env.SILICON_MODE ?? 'long') as CaseMode
const LATER = process.env.SILICON_LATER !== undefined
/** What came after SSE3, MMX, and FISTTP. */
const isLater = ({ opcode, definition: { mmx, name } }: Row): boolean =>
  mmx === true || /0F 3[8A]|0F C7|0F AE/.test(opcode) || /^D[BDF]\/1m$/.test(name)
const RECORD = process.env.SILICON_RECORD !== undefined
const SET = MODE !== 'long' ? 'compatibility-' : X87 ? 'x87-' : FLOAT ? 'float-' : LATER ? 'later-' : ''
const FILE = `${SET}vectors.bin.gz`
const VECTORS_PER_ROW = MODE !== 'long' ? 4 : X87 ? 40 : FLOAT ? 10 : LATER ? 8 : 7
const BATCH = 20_000
const PROGRESS_BATCHES = 5
const REPORTED_MAX = Number(process.env.SILICON_REPORT ?? 12)
/** What runner.c calls a case that does not end. */
const ENDLESS = 0xffffffff

const here = fileURLToPath(new URL('.', import.meta.url))
const root = join(here, '../../../../..')

function disassemble(code: readonly number[]): string {
  const decoder = new Decoder(MODE === 'long' ? 64 : 32, Uint8Array.from(code), DecoderOptions.None)
  decoder.ip = BigInt(CODE_ADDRESS)
  const formatter = new Formatter(FormatterSyntax.Intel)
  const lines: string[] = []
  while (decoder.canDecode) {
    const instruction = decoder.decode()
    lines.push(formatter.format(instruction))
    instruction.free()
  }
  formatter.free()
  decoder.free()
  return lines.join('; ')
}

test.runIf(COUNT > 0 && process.platform === 'linux' && process.arch === 'x64')('every instruction does what silicon does', () => {
  const folder = mkdtempSync(join(tmpdir(), 'silicon-'))
  try {
    const runner = join(folder, 'runner')
    const zig = join(root, 'node_modules/.bin/zig')
    expect(existsSync(zig)).toBe(true)
    execFileSync(zig, [
      'cc',
      '-target',
      'x86_64-linux-musl',
      '-static-pie',
      '-fPIE',
      '-O1',
      join(here, 'runner.c'),
      '-o',
      runner,
    ])
    const own = MODE === 'long' ? ROWS : COMPATIBILITY_ROWS
    const all = LATER ? [...own, ...X87_ROWS] : X87 ? X87_ROWS : own
    const isWanted = (row: Row): boolean =>
      (ONLY === undefined || row.definition.name === ONLY) && (!FLOAT || row.definition.float === true) && (!LATER || isLater(row))
    const rows = all.filter(isWanted)
    const emulated = new EmulatedProcessor(TIER, MODE)
    const onAmd = readFileSync('/proc/cpuinfo', 'utf8').includes('AuthenticAMD')
    let incomparable = 0
    const problems = new Map<string, { count: number; example: string }>()
    const different = (): number => [...problems.values()].reduce((sum, { count }) => sum + count, 0)
    const traps = new Map<number, number>()
    const kept = new Map<number, Vector[]>()
    for (let done = 0; done < COUNT; done += BATCH) {
      const cases: SiliconCase[] = []
      const count = Math.min(BATCH, COUNT - done)
      for (let index = 0; index < count; index++)
        cases.push(generate(FIRST_SEED + done + index, rows[(FIRST_SEED + done + index) % rows.length], MODE))
      const before = new Uint8Array(count * RECORD_BYTES)
      cases.forEach((each, index) => writeRecord(each, before.subarray(index * RECORD_BYTES, (index + 1) * RECORD_BYTES)))
      const file = join(folder, 'cases')
      writeFileSync(file, before)
      execFileSync(runner, MODE === 'long' ? [file] : [file, MODE])
      const native = readFileSync(file)
      cases.forEach((each, index) => {
        const start = before.slice(index * RECORD_BYTES, (index + 1) * RECORD_BYTES)
        const expected = native.subarray(index * RECORD_BYTES, (index + 1) * RECORD_BYTES)
        const vector = expected.readUInt32LE(At.VECTOR)
        traps.set(vector, (traps.get(vector) ?? 0) + 1)
        if (vector === ENDLESS) return
        const found = start.slice()
        let lines: string[]
        try {
          emulated.run(found)
          lines = onAmd ? differencesOnAmd(emulated, each, { start, expected, found }) : differences(each, expected, found)
        } catch (error) {
          lines = [String(error)]
        }
        if (lines.length > 0 && onAmd && readsEnvironment(each)) {
          incomparable++
          return
        }
        if (lines.length === 0) {
          const sameRow = kept.get(each.seed % rows.length) ?? []
          if (RECORD && !each.names.some(isApproximate) && sameRow.length < VECTORS_PER_ROW)
            kept.set(each.seed % rows.length, [...sameRow, { test: each, outcome: expected.slice() }])
          return
        }
        const name = each.names.join(' ')
        const known = problems.get(name) ?? { count: 0, example: '' }
        known.count++
        const code = Buffer.from(each.code).toString('hex')
        const start80 = each.names.some(isX87) ? [describeX87(start)] : []
        known.example ||= [`seed ${each.seed}: ${code}  ${disassemble(each.code)}`, ...start80, ...lines].join('\n    ')
        problems.set(name, known)
      })
      if ((done / BATCH) % PROGRESS_BATCHES === PROGRESS_BATCHES - 1) console.log(`${done + count} cases, ${different()} differ`)
    }
    const total = different()
    const report = [...problems].sort((a, b) => a[0].split(' ').length - b[0].split(' ').length || b[1].count - a[1].count)
      .slice(0, REPORTED_MAX).map(([name, { count, example }]) => `${name} (${count}):\n  ${example}`)
    const counts = [...traps].map(([vector, n]) => `${vector}: ${n}`).join(', ')
    const warnings = [...new Set(emulated.warnings)].slice(0, 5).join('; ')
    console.log(`${COUNT} cases, ${total} differ, ${incomparable} not comparable; by vector: ${counts}; warnings: ${warnings}`)
    if (problems.size > 0) console.log([...problems.keys()].filter((name) => !name.includes(' ')).join(' '))
    if (RECORD) {
      const vectors = [...kept].sort(([a], [b]) => a - b).flatMap(([, ofRow]) => ofRow)
      writeFileSync(join(here, FILE), gzipSync(encodeVectors(vectors), { level: 9 }))
    }
    expect(total, report.join('\n')).toBe(0)
  } finally {
    rmSync(folder, { recursive: true })
  }
}, 3_600_000)
