import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import type { Tier } from '../cpu.ts'
import type { CaseMode } from './case.ts'
import { writeRecord } from './case.ts'
import { differences } from './compare.ts'
import { EmulatedProcessor } from './emulator.ts'
import { COMPATIBILITY_ROWS, ROWS } from './generate.ts'
import { RECORD_BYTES } from './layout.ts'
import { isApproximate } from './undefined.ts'
import { decodeVectors, encodeVectors } from './vectors.ts'
import { X87_ROWS } from './x87.ts'

const read = (name: string): Uint8Array => new Uint8Array(gunzipSync(readFileSync(new URL(name, import.meta.url))))
/**
 * What processors did with the cases, as recorded by fuzz.test.ts: an Intel Xeon (Sapphire Rapids) and two AMD EPYC (Zen 5, and Zen 4 for
 * compatibility mode).
 */
const sets = [
  { name: 'general and SSE, Intel', rows: ROWS, bytes: read('vectors.bin.gz') },
  { name: 'x87, Intel', rows: X87_ROWS, bytes: read('x87-vectors.bin.gz') },
  { name: 'floating point under any MXCSR, AMD', rows: ROWS, bytes: read('float-vectors.bin.gz') },
  { name: 'MMX and what came after SSE3, AMD', rows: ROWS, bytes: read('later-vectors.bin.gz') },
  {
    name: 'compatibility mode, AMD', rows: COMPATIBILITY_ROWS, bytes: read('compatibility-vectors.bin.gz'),
    mode: 'compatibility' as CaseMode,
  },
].map((set) => ({ mode: 'long' as CaseMode, ...set })).map((set) => ({ ...set, vectors: decodeVectors(set.bytes, set.mode) }))

test('the vectors cover every instruction of the table', () => {
  const covered = new Set(sets.flatMap(({ vectors }) => vectors.flatMap(({ test: { names } }) => names)))
  const names = sets.flatMap(({ rows }) => rows.map(({ definition }) => definition.name)).filter((name) => !isApproximate(name))
  expect(names.filter((name) => !covered.has(name))).toEqual([])
})

describe.each(sets)('what a processor of silicon did, the emulated one does: $name', ({ bytes, mode, vectors }) => {
  test('the vectors are written as they are read', () => expect(encodeVectors(vectors)).toEqual(bytes))

  for (const tier of ['interpreter', 'translator'] satisfies Tier[])
    test(tier, () => {
      const processor = new EmulatedProcessor(tier, mode)
      const problems: string[] = []
      // Each case is a region of its own to translate: a quarter of them, two or so of each row, is what a test may take.
      for (const { test: each, outcome } of vectors.filter((_, index) => tier === 'interpreter' || index % 4 === 0)) {
        const record = new Uint8Array(RECORD_BYTES)
        writeRecord(each, record)
        processor.run(record)
        const lines = differences(each, outcome, record)
        if (lines.length === 0) continue
        const code = Buffer.from(each.code).toString('hex')
        problems.push(`${each.names.join(' ')} (seed ${each.seed}, ${code}):\n  ${lines.join('\n  ')}`)
      }
      expect(problems.slice(0, 10).join('\n')).toBe('')
    })
})
