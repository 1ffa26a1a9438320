import { describe, expect, it } from 'vitest'
import { Random } from '../testing/random-program.ts'
import { add, compare, divide, multiply, remainder, roundToInteger, scale, squareRoot, subtract } from './arithmetic.ts'
import { DOUBLE, SINGLE, fromBcd, fromFormat, toBcd, toFormat, toInteger } from './convert.ts'
import { BIAS, Exception, bitLength, fromInteger } from './float80.ts'
import type { Context, Float80 } from './float80.ts'
import { arctangent, cosine, exponentialMinusOne, logarithm, logarithmPlusOne, sine, tangent } from './transcendental.ts'

/**
 * Against the numbers of JavaScript, which are doubles rounded to nearest: with 53 bits of precision the x87 gives the same, as long
 * as exponents stay in their range. What silicon does beyond that is in silicon/vectors.test.ts.
 */
const context = (precision = 53): Context => ({
  rounding: 0, precision, flags: 0, masked: 0x3f, narrowDenormal: false, roundedUp: false,
})
const words = new DataView(new ArrayBuffer(8))
function fromNumber(value: number): Float80 {
  words.setFloat64(0, value)
  return fromFormat(DOUBLE, words.getBigUint64(0)).x
}
function toNumber(x: Float80): number {
  words.setBigUint64(0, toFormat(context(64), DOUBLE, x))
  return words.getFloat64(0)
}

const random = new Random(80)
/** Between 2^-100 and 2^100, often with few bits. */
function randomNumber(): number {
  const significand = random.below(3) === 0 ? random.below(16) : random.next() + random.next() / 2 ** 32
  return (random.below(2) === 0 ? 1 : -1) * significand * 2 ** (random.below(136) - 100)
}
const CASES = 3000

describe('as doubles do', () => {
  it.each([
    ['+', add, (a: number, b: number) => a + b],
    ['-', subtract, (a: number, b: number) => a - b],
    ['×', multiply, (a: number, b: number) => a * b],
    ['÷', divide, (a: number, b: number) => a / b],
  ] as const)('a %s b', (_name, operation, expected) => {
    for (let index = 0; index < CASES; index++) {
      const [a, b] = [randomNumber(), randomNumber()]
      expect(toNumber(operation(context(), fromNumber(a), fromNumber(b))), `${a} ${b}`).toBe(expected(a, b))
    }
  })

  it('square roots, remainders, integers, scaling, order', () => {
    for (let index = 0; index < CASES; index++) {
      const [a, b] = [randomNumber(), randomNumber()]
      const [x, y] = [fromNumber(a), fromNumber(b)]
      expect(toNumber(squareRoot(context(), fromNumber(Math.abs(a))))).toBe(Math.sqrt(Math.abs(a)))
      expect(toNumber(roundToInteger({ ...context(), rounding: 3 }, x))).toBe(Math.trunc(a))
      expect(toNumber(scale(context(), x, fromInteger(17n)))).toBe(a * 2 ** 17)
      expect(compare(context(), x, y, false)).toBe(a < b ? 'less' : a > b ? 'greater' : 'equal')
      let step = remainder(context(), x, y, false)
      for (let count = 0; step.partial && count < 20; count++) step = remainder(context(), step.value, y, false)
      expect(toNumber(step.value), `${a} % ${b}`).toBe(a % b)
    }
  })

  it('conversions to singles and integers', () => {
    for (let index = 0; index < CASES; index++) {
      const a = randomNumber()
      words.setUint32(0, Number(toFormat(context(), SINGLE, fromNumber(a))))
      expect(words.getFloat32(0)).toBe(Math.fround(a))
      const back = fromFormat(SINGLE, BigInt(words.getUint32(0))).x
      expect(toNumber(back)).toBe(Math.fround(a))
      const whole = Math.floor(a)
      if (Number.isSafeInteger(whole)) expect(Number(toInteger({ ...context(), rounding: 1 }, fromNumber(a), 64))).toBe(whole + 0)
    }
  })

  it('functions, to the places that a double has', () => {
    for (let index = 0; index < 300; index++) {
      const a = (random.next() / 2 ** 32 - 0.5) * 2
      const b = random.next() / 2 ** 20 + 1e-9
      const near = (x: Float80, expected: number): void => {
        expect(Math.abs(toNumber(x) - expected)).toBeLessThanOrEqual(Math.abs(expected) * 1e-14)
      }
      const [x, y] = [fromNumber(a), fromNumber(b)]
      near(sine(context(), x), Math.sin(a))
      near(cosine(context(), x), Math.cos(a))
      near(tangent(context(), x), Math.tan(a))
      near(arctangent(context(), x, y), Math.atan2(a, b))
      near(exponentialMinusOne(context(), x), Math.expm1(a * Math.LN2))
      near(logarithm(context(), y, fromInteger(1n)), Math.log2(b))
      near(logarithmPlusOne(context(), fromNumber(a / 4), fromInteger(1n)), Math.log1p(a / 4) / Math.LN2)
    }
  })
})

describe('bits', () => {
  it('counts them at any length', () => {
    for (const length of [1, 31, 32, 33, 52, 53, 63, 64, 65, 127, 128, 129, 191, 500, 16_500]) {
      expect(bitLength(1n << BigInt(length - 1))).toBe(length)
      expect(bitLength((1n << BigInt(length)) - 1n)).toBe(length)
    }
    expect(bitLength(0n)).toBe(0)
  })

  it('packs decimals and unpacks them', () => {
    for (const value of [0n, 9n, 10n, 99n, 123456789012345678n, 999999999999999999n]) {
      const bytes = toBcd(context(), { ...fromInteger(value), sign: 1 })
      expect(bytes[9]).toBe(0x80)
      expect(fromBcd(bytes)).toEqual({ ...fromInteger(value), sign: 1 })
    }
    const refused = context()
    expect(toBcd(refused, fromInteger(10n ** 18n))).toEqual(Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0xc0, 0xff, 0xff))
    expect(refused.flags).toBe(Exception.INVALID)
  })

  it('takes no longer for the largest exponents', () => {
    const huge: Float80 = { sign: 0, exponent: 32766, significand: (1n << 64n) - 1n }
    const tiny: Float80 = { sign: 1, exponent: 0, significand: 1n }
    for (const operation of [add, subtract, multiply, divide, scale, logarithm, logarithmPlusOne, arctangent])
      for (const [a, b] of [[huge, tiny], [tiny, huge], [huge, huge], [tiny, tiny]]) operation(context(64), a, b)
    expect(add(context(64), huge, tiny)).toEqual({ ...huge })
    expect(sine(context(64), tiny)).toEqual(tiny)
    expect(roundToInteger(context(64), { ...huge, exponent: BIAS - 1 })).toEqual(fromInteger(1n))
  })
})
