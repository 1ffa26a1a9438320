import { expect, test } from 'vitest'
import wabt from 'wabt'
import { ModuleWriter } from '../../wasm/code.ts'
import { Type } from '../../wasm/opcodes.ts'
import { decode } from '../decode.ts'
import type { Instruction } from '../decode.ts'
import { FloatClass } from '../float/unit.ts'
import { ModeBit } from '../state.ts'
import { findBlocks } from './blocks.ts'
import { Translator } from './translate.ts'

const START = 0x1000

/** What a region looks like as text: the shape of the code is what this shows. */
async function textOf(bytes: readonly number[]): Promise<string> {
  const code = Uint8Array.from(bytes)
  const blocks = findBlocks(START, (address) => {
    const instructions: Instruction[] = []
    for (let at = address - START; at >= 0 && at < code.length;) {
      const instruction = decode(code, at, code.length, ModeBit.LONG)
      if (typeof instruction === 'string') break
      instructions.push(instruction)
      at += instruction.length
      if (instruction.definition.control) break
    }
    return instructions.length > 0 ? instructions : undefined
  }, () => [], FloatClass.STICKY)
  const mode = ModeBit.LONG | ModeBit.USER
  const { body, locals } = new Translator(blocks, { mode, floatClass: FloatClass.STICKY, table: undefined }).translate()
  const writer = new ModuleWriter()
  const region = writer.declare([Type.i32], [Type.i32])
  writer.define(region, locals, body)
  writer.exportFunction('r', region)
  const module = (await wabt()).readWasm(writer.finish(128), { readDebugNames: false })
  module.validate()
  const text = module.toText({ foldExprs: true, inlineExport: false })
  module.destroy()
  return text.replace(/\(local [^)]*\)/g, '(local …)')
}

test('a loop is a loop, its flags are never made, and its count is checked at the header', async () => {
  // xor eax,eax; L: add eax,ecx; sub ecx,1; jne L; hlt
  expect(await textOf([0x31, 0xc0, 0x01, 0xc8, 0x83, 0xe9, 0x01, 0x75, 0xf9, 0xf4])).toMatchSnapshot()
})

test('a load checks the TLB in line and leaves by the common exit', async () => {
  // mov rax,[rdi+8]; hlt
  expect(await textOf([0x48, 0x8b, 0x47, 0x08, 0xf4])).toMatchSnapshot()
})

test('a multiplication by a reciprocal is a division, which V8 multiplies for', async () => {
  // mov rbx,0xcccccccccccccccd ; mov rax,rcx ; mul rbx ; shr rdx,3 ; hlt
  const multiplier = [0xcd, ...Array<number>(7).fill(0xcc)]
  const text = await textOf([0x48, 0xbb, ...multiplier, 0x48, 0x89, 0xc8, 0x48, 0xf7, 0xe3, 0x48, 0xc1, 0xea, 0x03, 0xf4])
  expect(text).toMatch(/i64\.div_u\s+\(local\.get \d+\)\s+\(i64\.const 10\)/)
})

test('a division of which only the remainder is read is one of the remainder', async () => {
  // xor edx,edx ; div rbx ; mov rax,rbx ; hlt
  const text = await textOf([0x31, 0xd2, 0x48, 0xf7, 0xf3, 0x48, 0x89, 0xd8, 0xf4])
  expect(text).toContain('i64.rem_u')
  // xor edx,edx ; div rbx ; add rax,rbx ; hlt
  expect(await textOf([0x31, 0xd2, 0x48, 0xf7, 0xf3, 0x48, 0x01, 0xd8, 0xf4])).not.toContain('i64.rem_u')
})
