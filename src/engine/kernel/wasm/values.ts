import type { FunctionType } from './binary/module.ts'
import { ValueType, valueTypeName } from './binary/opcodes.ts'
import type { WasmValue } from './instance.ts'

/** Values between modules and the outside: as words of WASM_EXEC, and as text for `--invoke`. */

const WORD_BYTES = 4
const TYPES_AS_WORDS: Record<number, number> = { [ValueType.I32]: 1, [ValueType.F32]: 1, [ValueType.I64]: 2, [ValueType.F64]: 2 }

/** 32-bit words that values of these types take; null when one of them cannot be passed. */
export function wordCount(types: readonly number[]): number | null {
  let words = 0
  for (const type of types) {
    const count = TYPES_AS_WORDS[type]
    if (count === undefined) return null
    words += count
  }
  return words
}

/** Values from words, the low one of two first. */
export function decodeValues(types: readonly number[], words: Uint8Array): WasmValue[] {
  const view = new DataView(words.buffer, words.byteOffset)
  let at = 0
  return types.map((type) => {
    const start = at
    at += TYPES_AS_WORDS[type] * WORD_BYTES
    switch (type) {
      case ValueType.I32:
        return view.getInt32(start, true)
      case ValueType.F32:
        return view.getFloat32(start, true)
      case ValueType.I64:
        return view.getBigInt64(start, true)
      default:
        return view.getFloat64(start, true)
    }
  })
}

export function encodeValues(types: readonly number[], values: readonly WasmValue[]): Uint8Array {
  const bytes = new Uint8Array((wordCount(types) ?? 0) * WORD_BYTES)
  const view = new DataView(bytes.buffer)
  let at = 0
  types.forEach((type, index) => {
    const value = values[index]
    if (typeof value === 'bigint') view.setBigInt64(at, value, true)
    else if (type === ValueType.I32) view.setInt32(at, value, true)
    else if (type === ValueType.F32) view.setFloat32(at, value, true)
    else view.setFloat64(at, value, true)
    at += TYPES_AS_WORDS[type] * WORD_BYTES
  })
  return bytes
}

/** `(i32, i64) -> f64`. */
export function signatureText({ params, results }: FunctionType): string {
  const list = (types: readonly number[]): string => types.map(valueTypeName).join(', ')
  return `(${list(params)})${results.length === 0 ? '' : ` -> ${list(results)}`}`
}

const INTEGER = /^[-+]?(0x[0-9a-f]+|[0-9]+)$/i
const FLOAT = /^[-+]?(inf|nan|0x[0-9a-f]+|([0-9]+\.?[0-9]*|\.[0-9]+)(e[-+]?[0-9]+)?)$/i

/** A value as it is written on a command line; null for what is none of the type. Integers may be signed or unsigned. */
export function parseValue(type: number, text: string): WasmValue | null {
  if (type === ValueType.I32 || type === ValueType.I64) {
    if (!INTEGER.test(text)) return null
    const isNegative = text.startsWith('-')
    const magnitude = BigInt(text.replace(/^[-+]/, ''))
    const value = isNegative ? -magnitude : magnitude
    const bits = type === ValueType.I32 ? 32 : 64
    if (value >= 1n << BigInt(bits) || value < -(1n << BigInt(bits - 1))) return null
    return type === ValueType.I32 ? Number(BigInt.asIntN(32, value)) : BigInt.asIntN(64, value)
  }
  if ((type !== ValueType.F32 && type !== ValueType.F64) || !FLOAT.test(text)) return null
  const unsigned = text.replace(/^[-+]/, '').toLowerCase()
  const magnitude = unsigned === 'inf' ? Infinity : unsigned === 'nan' ? Number.NaN : Number(unsigned)
  return text.startsWith('-') ? -magnitude : magnitude
}

/** Digits after which every f32 is told apart. */
const F32_DIGITS_MAX = 9

/** The shortest decimal text that reads back as the value. */
export function formatValue(type: number, value: WasmValue): string {
  if (typeof value === 'bigint') return `${value}`
  if (Number.isNaN(value)) return 'nan'
  if (!Number.isFinite(value)) return value < 0 ? '-inf' : 'inf'
  if (Object.is(value, -0)) return '-0'
  if (type !== ValueType.F32) return `${value}`
  for (let digits = 1; digits < F32_DIGITS_MAX; digits++) {
    const text = value.toPrecision(digits)
    if (Math.fround(Number(text)) === value) return `${Number(text)}`
  }
  return `${Number(value.toPrecision(F32_DIGITS_MAX))}`
}
