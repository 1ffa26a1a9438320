import { describe, expect, test } from 'vitest'
import { Code, ModuleWriter } from './code.ts'
import { Op, Type } from './opcodes.ts'

/** A module whose one function returns what `write` leaves on the stack. */
function evaluate(type: typeof Type.i32 | typeof Type.i64, write: (code: Code) => void, locals = 0): number | bigint {
  const writer = new ModuleWriter()
  const index = writer.declare([], [type])
  const code = new Code()
  write(code)
  writer.define(index, [{ count: locals, type: Type.i32 }], code)
  writer.exportFunction('f', index)
  const memory = new WebAssembly.Memory({ initial: 1 })
  const instance = new WebAssembly.Instance(new WebAssembly.Module(writer.finish(1)), { e: { memory } })
  return (instance.exports.f as () => number | bigint)()
}

describe('Code', () => {
  test('encodes i64 constants from numbers and from halves', () => {
    for (const value of [
      0,
      1,
      -1,
      63,
      64,
      -64,
      -65,
      127,
      128,
      0x7fffffff,
      -0x80000000,
      0xffffffff,
      2 ** 40 + 5,
      -(2 ** 40) - 5,
      Number.MAX_SAFE_INTEGER,
      Number.MIN_SAFE_INTEGER,
    ])
      expect(evaluate(Type.i64, (code) => code.i64Const(value))).toBe(BigInt(value))
    for (const value of [
      0n,
      -1n,
      0x7fffffffffffffffn,
      -0x8000000000000000n,
      0x0123456789abcdefn,
      -0x0123456789abcdefn,
      0xdeadbeefn,
      -0xdeadbeefn,
    ])
      expect(
        evaluate(Type.i64, (code) => code.i64ConstHalves(Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n)))),
      ).toBe(value)
  })

  test('keeps the value of a set that is read at once, and of the local', () => {
    const value = evaluate(Type.i32, (code) => {
      code.i32Const(7)
      code.set(0)
      code.get(0)
      code.get(0)
      code.op(Op.i32_add)
    }, 1)
    expect(value).toBe(14)
  })

  test('branches by the depth a label was opened at', () => {
    const value = evaluate(Type.i32, (code) => {
      code.block(Type.i32)
      const outer = code.depth
      code.block()
      code.i32Const(5)
      code.br(outer)
      code.end()
      code.i32Const(6)
      code.end()
    })
    expect(value).toBe(5)
  })

  test('refuses a function with blocks left open', () => {
    const writer = new ModuleWriter()
    const index = writer.declare([], [])
    const code = new Code()
    code.block()
    expect(() => writer.define(index, [], code)).toThrow(/1 blocks left open/)
  })
})
