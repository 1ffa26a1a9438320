import { describe, expect, it } from 'vitest'
import loadWabt from 'wabt'
import { compile } from '../compile.ts'
import { FrameStack } from './frame-stack.ts'
import { WasmInstance } from '../instance.ts'
import type { CallOutcome, WasmValue } from '../instance.ts'

const wabt = await loadWabt()
const FEATURES = {
  mutable_globals: true, sat_float_to_int: true, sign_extension: true, simd: true, multi_value: true, bulk_memory: true,
  reference_types: true, tail_call: true, exceptions: true, threads: true,
}

function assemble(wat: string): Uint8Array {
  const module = wabt.parseWat('test.wat', wat, FEATURES)
  return new Uint8Array(module.toBinary({ write_debug_names: true }).buffer)
}

interface Result {
  outcome: CallOutcome
  fuel: number
  suspensions: number
}

function run(bytes: Uint8Array, name: string, args: WasmValue[], fuel: number): Result {
  const compiled = compile(bytes)
  const index = compiled.parsed.exports.find((each) => each.name === name)?.index ?? -1
  let total = 0
  const instance = new WasmInstance(compiled, new FrameStack(), {
    imports: () => undefined,
    mayGrow: (pages) => pages !== Infinity,
    notGrown: () => {},
    burned: (units) => (total += units),
  })
  instance.begin(index, args)
  let suspensions = 0
  for (;;) {
    const outcome = instance.run(fuel)
    if (outcome.kind !== 'suspended') return { outcome, fuel: total, suspensions }
    if (++suspensions > 100_000) throw new Error('it does not end')
  }
}

function plain(bytes: Uint8Array, name: string, args: WasmValue[]): CallOutcome {
  const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes as BufferSource))
  try {
    const returned = (instance.exports[name] as (...values: WasmValue[]) => unknown)(...args)
    return { kind: 'done', results: returned === undefined ? [] : ((Array.isArray(returned) ? returned : [returned]) as WasmValue[]) }
  } catch (error) {
    if (!(error instanceof WebAssembly.RuntimeError)) throw error
    return { kind: 'trap', reason: error.message }
  }
}

/** The same results with any amount of fuel as without instrumentation, for the same fuel in all. */
function same(wat: string, name: string, ...args: WasmValue[]): void {
  const bytes = assemble(wat)
  const expected = plain(bytes, name, args)
  const whole = run(bytes, name, args, 1e9)
  expect(whole.suspensions).toBe(0)
  expect(whole.outcome.kind).toBe(expected.kind)
  if (expected.kind === 'done') expect(whole.outcome).toEqual(expected)
  for (const fuel of [0, 1, 7, 23, 100, 1000]) {
    const pieces = run(bytes, name, args, fuel)
    expect(pieces.outcome, `fuel ${fuel}`).toEqual(whole.outcome)
    expect(pieces.fuel, `fuel ${fuel}`).toBe(whole.fuel)
    if (fuel === 0) expect(pieces.suspensions).toBeGreaterThan(0)
  }
}

const FACTORIAL = `(func $f (export "f") (param i32) (result i32)
  (if (result i32) (i32.lt_s (local.get 0) (i32.const 2)) (then (i32.const 1))
    (else (i32.mul (local.get 0) (call $f (i32.sub (local.get 0) (i32.const 1)))))))`

describe('instrumented code', () => {
  it('recurses', () => same(`(module ${FACTORIAL})`, 'f', 10))

  it('loops', () => {
    same(`(module (func (export "f") (param i64) (result i64) (local i64)
      (loop (local.set 1 (i64.add (local.get 1) (local.get 0)))
        (br_if 0 (i64.ne (local.tee 0 (i64.sub (local.get 0) (i64.const 1))) (i64.const 0)))) (local.get 1)))`, 'f', 1000n)
  })

  it('keeps operands below a call', () => {
    same(`(module ${FACTORIAL} (func (export "g") (param i32) (result i32 i64 f32 f64)
      (local.get 0) (i64.const -7) (f32.const 1.5) (f64.const nan:0x4000000000123)
      (call $f (local.get 0)) (call $f (i32.const 5)) (i32.add)
      (local.set 0) (i64.extend_i32_s (local.get 0)) (drop)))`, 'g', 6)
  })

  it('branches with values out of divided blocks', () => {
    same(`(module ${FACTORIAL} (func (export "g") (param i32) (result i32)
      (i32.const 100)
      (block $out (result i32 i32)
        (i32.const 1) (i32.const 2)
        (block $in (result i32 i32)
          (call $f (local.get 0)) (i32.const 9)
          (br_if $out (i32.gt_s (local.get 0) (i32.const 5)))
          (br_table $in $out $in (i32.and (local.get 0) (i32.const 3))))
        (i32.add) (call $f (i32.const 3)) (i32.add) (br $out))
      (i32.add) (i32.add)))`, 'g', 3)
    for (const n of [0, 1, 2, 3, 4, 5, 6, 7, 8])
      same(`(module ${FACTORIAL} (func (export "g") (param i32) (result i32)
        (block $a (block $b (block $c (br_table $a $b $c (call $f (local.get 0)))) (return (i32.const 7))) (drop (call $f (i32.const 4)))
          (br_if 1 (i32.const 77) (i32.ge_s (local.get 0) (i32.const 0))) (drop)) (i32.const 5)))`, 'g', n)
  })

  it('passes parameters to divided loops', () => {
    same(`(module (func $id (param i32) (result i32) (loop) (local.get 0)) (func (export "g") (param i32) (result i32)
      (i32.const 1) (local.get 0)
      (loop $l (param i32 i32) (result i32)
        (local.set 0) (call $id) (local.get 0) (i32.mul)
        (local.tee 0) (local.get 0) (i32.const 3) (i32.sub) (local.get 0) (i32.const 1000) (i32.lt_s)
        (if (param i32 i32) (result i32) (then (br $l)) (else (drop))))))`, 'g', 5)
  })

  it('calls through a table that changes meanwhile', () => {
    same(`(module (table 2 funcref) (elem (i32.const 0) $a $b) (type $t (func (param i32) (result i32)))
      (func $a (type $t) (local i32) (table.set (i32.const 0) (ref.func $b))
        (loop (local.set 1 (i32.add (local.get 1) (local.get 0))) (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
        (local.get 1))
      (func $b (type $t) (i32.mul (local.get 0) (i32.const 1000)))
      (func (export "g") (param i32) (result i32) (i32.add
        (call_indirect (type $t) (local.get 0) (i32.const 0)) (call_indirect (type $t) (local.get 0) (i32.const 0)))))`, 'g', 9)
  })

  it('burns fuel for bulk instructions by their size', () => {
    const wat = `(module (memory 2) (func (export "g") (param i32) (result i32)
      (loop (memory.fill (i32.const 8) (i32.const 3) (i32.const 80000)) (memory.copy (i32.const 0) (i32.const 100) (i32.const 1000))
      (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))) (i32.load (i32.const 900))))`
    same(wat, 'g', 5)
    expect(run(assemble(wat), 'g', [5], 1e9).fuel).toBeGreaterThan(5 * 10_000)
  })

  it('keeps every type, SIMD too', () => {
    same(`(module (func $id (param v128 f32 f64) (result v128) (loop) (local.get 0)) (func (export "g") (result i64 i64)
      (local v128) (local.set 0 (call $id (v128.const i64x2 0x1122334455667788 -5) (f32.const -0) (f64.const inf)))
      (i64x2.extract_lane 0 (local.get 0))
      (i64x2.extract_lane 1 (i64x2.add (local.get 0) (call $id (local.get 0) (f32.const 0) (f64.const 1))))))`, 'g')
  })

  it('traps as plain code does', () => {
    same('(module (func (export "g") (param i32) (result i32) (loop) (i32.div_s (i32.const 1) (local.get 0))))', 'g', 0)
    same('(module (memory 1) (func (export "g") (param i32) (result i32) (loop) (i32.load (local.get 0))))', 'g', 65533)
    same('(module (func (export "g") (loop) unreachable))', 'g')
  })

  it('ends recursion at the same depth whatever the host', () => {
    const bytes = assemble('(module (func $f (export "f") (call $f)))')
    expect(run(bytes, 'f', [], 1e9).outcome).toEqual({ kind: 'overflow' })
    expect(run(bytes, 'f', [], 1000).outcome).toEqual({ kind: 'overflow' })
  })
})
