import { describe, expect, it } from 'vitest'
import loadWabt from 'wabt'
import { Random } from '../../../random/random.ts'
import { WasmFormatError } from '../binary/bytes.ts'
import { compile } from '../compile.ts'
import { WasmInstance } from '../instance.ts'
import { RandomModule } from '../testing/random-module.ts'
import { FrameStack } from './frame-stack.ts'

const wabt = await loadWabt()
const stack = new FrameStack()
const FEATURES = { multi_value: true, bulk_memory: true, mutable_globals: true, sign_extension: true }
const SEEDS = 150
const MUTATIONS = 3000
const PORTIONS_MAX = 200_000

function assemble(seed: number): Uint8Array {
  const module = wabt.parseWat(`seed-${seed}.wat`, new RandomModule(seed).text(), FEATURES)
  return new Uint8Array(module.toBinary({}).buffer)
}

const shown = (values: unknown[], memory: ArrayBufferLike): string => {
  let hash = 0
  for (const byte of new Uint8Array(memory)) hash = (Math.imul(hash, 31) + byte) | 0
  return `${values.join(' ')} memory ${hash}`
}

/** Results, or that it trapped, and the memory. */
function plain(bytes: Uint8Array): string {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes as BufferSource))
  const { buffer } = exports['memory'] as WebAssembly.Memory
  try {
    return shown((exports['f0'] as (...args: unknown[]) => unknown[])(5, -3n), buffer)
  } catch (error) {
    if (!(error instanceof WebAssembly.RuntimeError)) throw error
    return shown(['trap'], buffer)
  }
}

function suspended(bytes: Uint8Array, fuel: number): { text: string; burned: number } {
  let burned = 0
  const instance = new WasmInstance(compile(bytes), stack, {
    imports: () => undefined, mayGrow: () => false, notGrown: () => {}, burned: (units) => (burned += units),
  })
  instance.begin(instance.compiled.parsed.exports.find(({ name }) => name === 'f0')?.index ?? -1, [5, -3n])
  for (let portion = 0; portion < PORTIONS_MAX; portion++) {
    const outcome = instance.run(fuel)
    if (outcome.kind === 'suspended') continue
    const { buffer } = instance.memory ?? new Uint8Array()
    return { text: shown(outcome.kind === 'done' ? outcome.results : [outcome.kind], buffer), burned }
  }
  throw new Error('it does not end')
}

describe('random modules', () => {
  it('compute the same however often they are suspended', () => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      const bytes = assemble(seed)
      const expected = plain(bytes)
      const [whole, ...pieces] = [1e9, 0, 17, 150].map((fuel) => suspended(bytes, fuel))
      expect(whole.text, `seed ${seed}`).toBe(expected)
      for (const piece of pieces) expect(piece, `seed ${seed}`).toEqual(whole)
    }
  })
})

describe('damaged modules', () => {
  it('are refused, or run within their bounds', () => {
    const random = new Random(1)
    const originals = Array.from({ length: 20 }, (_, seed) => assemble(seed + 1))
    let accepted = 0
    for (let round = 0; round < MUTATIONS; round++) {
      const bytes = originals[random.next() % originals.length].slice()
      for (let count = 1 + (random.next() % 3); count > 0; count--) bytes[8 + (random.next() % (bytes.length - 8))] = random.next()
      const cut = random.next() % 4 === 0 ? bytes.subarray(0, random.next() % bytes.length) : bytes
      try {
        compile(cut)
        accepted++
      } catch (error) {
        if (!(error instanceof WasmFormatError)) throw new Error(`round ${round} throws ${String(error)}`, { cause: error })
        continue
      }
      runBounded(cut, round)
    }
    expect(accepted).toBeGreaterThan(MUTATIONS / 50)
  })

  /** Runs every export that takes numbers for a few portions. Whatever the code does, it ends in one of the outcomes. */
  function runBounded(bytes: Uint8Array, round: number): void {
    const compiled = compile(bytes)
    if (compiled.parsed.imports.length > 0) return
    let instance: WasmInstance
    try {
      instance = new WasmInstance(compiled, stack, {
        imports: () => undefined, mayGrow: (pages) => pages < 10, notGrown: () => {}, burned: () => {},
      })
    } catch (error) {
      if (error instanceof WebAssembly.RuntimeError || error instanceof WebAssembly.LinkError) return
      throw new Error(`round ${round} throws ${String(error)}`, { cause: error })
    }
    for (const { kind, index } of compiled.parsed.exports) {
      if (kind !== 0) continue
      const { params } = compiled.parsed.types[compiled.parsed.functions[index]]
      instance.begin(index, params.map((type) => (type === 0x7e ? 5n : 5)))
      for (let portion = 0; portion < 20 && instance.isBusy; portion++) instance.run(1000)
      if (instance.isBusy) instance.abandon()
    }
  }
})
