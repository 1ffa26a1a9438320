import { writeRecord } from './case.ts'
import type { CaseMode, SiliconCase } from './case.ts'
import { RECORD_BYTES } from './layout.ts'

/**
 * Cases with the outcomes that a processor gave, as bytes, so that every machine can hold the emulator against them.
 *
 * A case is stored as its seed and what it adds to the state that the seed stands for; its outcome as the runs of bytes
 * that differ from the record before. Changing how case.ts makes a state from a seed makes stored vectors worthless:
 * record them anew.
 */
export interface Vector {
  test: SiliconCase
  /** The record afterwards, RECORD_BYTES. */
  outcome: Uint8Array
}

/** Equal bytes between two that differ which are not worth a new run. */
const GAP = 3
const RUN_BYTES_MAX = 255

class Writer {
  private readonly bytes: number[] = []
  u(value: number, size: number): void {
    for (let index = 0; index < size; index++) this.bytes.push(Math.floor(value / 2 ** (index * 8)) & 0xff)
  }
  u64(value: bigint): void {
    for (let index = 0n; index < 64n; index += 8n) this.bytes.push(Number((value >> index) & 0xffn))
  }
  raw(values: Iterable<number>): void {
    this.bytes.push(...values)
  }
  finish(): Uint8Array {
    return Uint8Array.from(this.bytes)
  }
}

class Reader {
  private readonly bytes: Uint8Array
  private at = 0
  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }
  get done(): boolean {
    return this.at === this.bytes.length
  }
  u(size: number): number {
    let value = 0
    for (let index = 0; index < size; index++) value += this.bytes[this.at++] * 2 ** (index * 8)
    return value
  }
  u64(): bigint {
    return BigInt(this.u(4)) | (BigInt(this.u(4)) << 32n)
  }
  raw(count: number): Uint8Array {
    this.at += count
    return this.bytes.subarray(this.at - count, this.at)
  }
}

/** Where `after` differs from `before`, in runs. */
function runsOf(before: Uint8Array, after: Uint8Array): { from: number; to: number }[] {
  const runs: { from: number; to: number }[] = []
  for (let at = 0; at < after.length; at++) {
    if (before[at] === after[at]) continue
    const last = runs[runs.length - 1]
    if (last !== undefined && at - last.to <= GAP && at + 1 - last.from <= RUN_BYTES_MAX) last.to = at + 1
    else runs.push({ from: at, to: at + 1 })
  }
  return runs
}

export function encodeVectors(vectors: readonly Vector[]): Uint8Array {
  const writer = new Writer()
  const before = new Uint8Array(RECORD_BYTES)
  for (const { test, outcome } of vectors) {
    writer.u(test.seed, 4)
    writer.u(test.registers.length, 1)
    for (const [register, value] of test.registers) {
      writer.u(register, 1)
      writer.u64(value)
    }
    writer.u(test.memory.length, 1)
    for (const [offset, value] of test.memory) {
      writer.u(offset, 2)
      writer.u64(value)
    }
    writer.u(test.code.length, 1)
    writer.raw(test.code)
    writer.u(test.undefinedFlags, 2)
    writer.u(test.undefinedBefore, 2)
    const names = test.names.join(' ')
    writer.u(names.length, 1)
    writer.raw(Array.from(names, (letter) => letter.charCodeAt(0)))
    writeRecord(test, before)
    const runs = runsOf(before, outcome)
    writer.u(runs.length, 1)
    for (const { from, to } of runs) {
      writer.u(from, 2)
      writer.u(to - from, 1)
      writer.raw(outcome.subarray(from, to))
    }
  }
  return writer.finish()
}

/** @param mode of all cases of the file, which does not say it */
export function decodeVectors(bytes: Uint8Array, mode: CaseMode = 'long'): Vector[] {
  const reader = new Reader(bytes)
  const vectors: Vector[] = []
  while (!reader.done) {
    const seed = reader.u(4)
    const registers = Array.from({ length: reader.u(1) }, () => [reader.u(1), reader.u64()] as const)
    const memory = Array.from({ length: reader.u(1) }, () => [reader.u(2), reader.u64()] as const)
    const code = [...reader.raw(reader.u(1))]
    const undefinedFlags = reader.u(2)
    const undefinedBefore = reader.u(2)
    const names = String.fromCharCode(...reader.raw(reader.u(1))).split(' ')
    const test: SiliconCase = { seed, registers, memory, code, undefinedFlags, undefinedBefore, names, mode }
    const outcome = new Uint8Array(RECORD_BYTES)
    writeRecord(test, outcome)
    for (let runs = reader.u(1); runs > 0; runs--) {
      const from = reader.u(2)
      const length = reader.u(1)
      outcome.set(reader.raw(length), from)
    }
    vectors.push({ test, outcome })
  }
  return vectors
}
