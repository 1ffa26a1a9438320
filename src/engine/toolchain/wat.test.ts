import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { INSTALLATION } from './testing/folders.ts'
import { assembleWat } from './wat.ts'

test('the seed\'s module computes', async () => {
  const { wasm, diagnostics } = await assembleWat('test.wat', readFileSync(join(INSTALLATION, 'user', 'test.wat'), 'utf8'))
  expect(diagnostics).toEqual([])
  const { instance } = await WebAssembly.instantiate(wasm as Uint8Array<ArrayBuffer>)
  const { add, factorial, get_magic_number: magic } = instance.exports as Record<string, (...values: number[]) => number>
  expect([add(2, 40), add(2 ** 31 - 1, 1)]).toEqual([42, -(2 ** 31)])
  expect([factorial(-1), factorial(0), factorial(5), factorial(12), magic()]).toEqual([1, 1, 120, 479001600, 42])
})

test('mistakes have their place, in UTF-16 units', async () => {
  const { wasm, diagnostics } = await assembleWat('m.wat', '(module\n  (func (export "é🐚") (result i32) "é" blah))\n')
  expect(wasm).toBeUndefined()
  expect(diagnostics).toEqual([
    { path: 'm.wat', line: 2, column: 37, endLine: 2, endColumn: 40, severity: 'error', message: 'unexpected token "é", expected ).' },
    { path: 'm.wat', line: 2, column: 41, endLine: 2, endColumn: 45, severity: 'error', message: 'unexpected token blah.' }
  ])
})

test('a module that parses and does not validate', async () => {
  const { diagnostics } = await assembleWat('m.wat', '(module (func (result i32) i64.const 1))')
  expect(diagnostics).toMatchObject([{ line: 1, column: 28, endColumn: 37, message: expect.stringContaining('type mismatch') }])
})

test('names that are not there', async () => {
  const { diagnostics } = await assembleWat('m.wat', '(module (func (call $nope)))')
  expect(diagnostics).toMatchObject([{ line: 1, column: 21, endColumn: 26, message: 'undefined function variable "$nope"' }])
})

const many = `(module ${'(func)'.repeat(5000)}`
const odd = ['', '(module', '"', ';; only a comment', '(;', '\0', '\uD800', '(module (memory 99999999))', many]
test.each(odd)(
  'whatever the text, there is an answer: %j', async text => {
    const { wasm, diagnostics, rest } = await assembleWat('m.wat', text)
    expect(wasm !== undefined || diagnostics.length > 0 || rest !== '').toBe(true)
    for (const { line, column, endColumn } of diagnostics) expect(line >= 1 && column >= 1 && endColumn > column).toBe(true)
  }
)

test('deep nesting does not spoil the next module', async () => {
  await assembleWat('m.wat', `(module (func ${'(block '.repeat(200_000)}`)
  expect((await assembleWat('m.wat', '(module)')).wasm).toBeDefined()
})
