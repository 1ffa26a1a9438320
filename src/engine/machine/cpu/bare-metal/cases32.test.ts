import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Tier } from '../cpu.ts'
import { Machine } from '../../machine.ts'
import type { Case32 } from './testing/cases32.ts'
import { RECORD_BYTES, ROWS, case32, differences, fingerprint } from './testing/cases32.ts'

/**
 * Every instruction that 32-bit programs have, in forms that nobody chose, here and on QEMU. `expected/cases32.bin` has a fingerprint of
 * what QEMU 7.2 made of each of the first cases.
 *
 *     CASES32=20000 CASES32_FIRST=1 CASES32_TIER=interpreter npx vitest run src/engine/machine/cpu/bare-metal/cases32.test.ts
 *
 * compares as many with the QEMU that is installed; CASES32_RECORD=1 writes the fingerprints anew.
 */
const HERE = import.meta.dirname
const ZIG = join(HERE, '../../../../../node_modules/.bin/zig')
const FILE = join(HERE, 'expected/cases32.bin')
const QEMU = 'qemu-system-x86_64'
const RAM_MIB = 128
/** Where cases32.S says at which address the cases are. */
const START_AT = 0x2fff000
const LIMIT_NS = 1e11
const PER_ROW = 8
const COUNT = Number(process.env.CASES32 ?? 0)
const FIRST = Number(process.env.CASES32_FIRST ?? 1)
const TIER = (process.env.CASES32_TIER ?? 'interpreter') as Tier
const RECORD = process.env.CASES32_RECORD !== undefined

const hasQemu = spawnSync(QEMU, ['--version']).status === 0
let folder = ''
let image = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'atoll-cases32-'))
  image = join(folder, 'cases32.elf')
  const link = ['-nostdlib', '-static', `-Wl,-T,${join(HERE, 'link.ld')}`, '-Wl,--build-id=none', '-Wl,-e,entry32']
  execFileSync(ZIG, ['cc', '-target', 'x86_64-freestanding-none', ...link, '-o', image, join(HERE, 'cases32.S')], { stdio: 'pipe' })
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const casesFrom = (first: number, count: number): Case32[] => Array.from({ length: count }, (_, index) => case32(first + index))
const recordOf = (all: Uint8Array, index: number): Uint8Array => all.subarray(index * RECORD_BYTES, (index + 1) * RECORD_BYTES)

function joined(cases: readonly Case32[]): Uint8Array {
  const bytes = new Uint8Array(cases.length * RECORD_BYTES)
  cases.forEach(({ record }, index) => bytes.set(record, index * RECORD_BYTES))
  return bytes
}

function runHere(cases: readonly Case32[], tier: Tier): Uint8Array {
  const machine = new Machine({ ramBytes: RAM_MIB << 20, tier })
  const bytes = joined(cases)
  machine.loadKernel(new Uint8Array(readFileSync(image)), 'cases32', { modules: [{ bytes, commandLine: '' }] })
  expect(machine.run(LIMIT_NS)).toEqual({ kind: 'exited', code: 0 })
  return machine.memory.read(machine.memory.readU32(START_AT), bytes.length)
}

function runOnQemu(cases: readonly Case32[]): Uint8Array {
  const [before, after] = [join(folder, 'before'), join(folder, 'after')]
  writeFileSync(before, joined(cases))
  const devices = ['-device', 'isa-debug-exit,iobase=0xf4,iosize=4', '-debugcon', `file:${after}`, '-display', 'none', '-no-reboot']
  spawnSync(QEMU, ['-kernel', image, '-initrd', before, '-cpu', 'qemu64', '-m', String(RAM_MIB), ...devices], { timeout: 100_000 })
  const bytes = readFileSync(after)
  // The firmware writes there too.
  return bytes.subarray(bytes.length - cases.length * RECORD_BYTES)
}

/** One line for each case that differs, the first of them. */
function report(cases: readonly Case32[], isWrong: (test: Case32, index: number) => string): string {
  const lines = cases.map((each, index) => {
    const wrong = isWrong(each, index)
    return wrong === '' ? '' : `${each.name} ${Buffer.from(each.record.subarray(40, 55)).toString('hex')}: ${wrong}`
  })
  return lines.filter((line) => line !== '').slice(0, 12).join('\n')
}

describe('what 32-bit programs execute', () => {
  const cases = casesFrom(1, ROWS.length * PER_ROW)

  test.each(['interpreter', 'translator'] as const)('is what QEMU made of it: %s', (tier) => {
    const fingerprints = new Uint32Array(new Uint8Array(readFileSync(FILE)).buffer)
    expect(fingerprints.length).toBe(cases.length)
    const found = runHere(cases, tier)
    expect(report(cases, (each, index) => (fingerprint(each, recordOf(found, index)) === fingerprints[index] ? '' : 'another'))).toBe('')
  })

  test.runIf(hasQemu && (COUNT > 0 || RECORD))('and is what QEMU makes of it', () => {
    if (RECORD) {
      const outcomes = runOnQemu(cases)
      writeFileSync(FILE, new Uint8Array(Uint32Array.from(cases, (each, index) => fingerprint(each, recordOf(outcomes, index))).buffer))
    }
    const more = casesFrom(FIRST, COUNT)
    if (more.length === 0) return
    const [expected, found] = [runOnQemu(more), runHere(more, TIER)]
    expect(report(more, (each, index) => differences(each, recordOf(expected, index), recordOf(found, index)))).toBe('')
  }, 600_000)
})
