import { describe, expect, it } from 'vitest'
import { STACK_TOP } from '../arch/layout.ts'
import { testSpace } from '../memory/testing.ts'
import { parseElf } from './elf.ts'
import { buildStack, loadImage } from './loader.ts'
import { CODE, makeElf } from './testing.ts'

const MEMORY = 64 << 20
const PAGE = 4096

describe('loadImage', () => {
  it('maps each segment with its protection and leaves the rest zero', () => {
    const { space } = testSpace(64)
    const data = Uint8Array.of(1, 2, 3)
    const text = { flags: 5, address: 0x201000, bytes: CODE }
    const file = makeElf({ segments: [text, { flags: 6, address: 0x203ffe, offset: 0x2ffe, bytes: data, memoryBytes: 0x3000 }] })
    loadImage(space, parseElf(file, MEMORY), file)
    expect(space.areas.map(({ start, end, protection, kind }) => [start, end, protection, kind])).toEqual([
      [0x201000, 0x202000, 5, 'image'],
      [0x203000, 0x207000, 3, 'image'],
      [STACK_TOP - (8 << 20), STACK_TOP, 3, 'stack'],
    ])
    expect(space.copyIn(0x201000, 2)).toEqual(CODE)
    expect(space.copyIn(0x203ffc, 6)).toEqual(Uint8Array.of(0, 0, 1, 2, 3, 0))
    expect(space.table.lookup(0x205000)).toBeNull()
    expect(space.heapStart).toBe(0x207000)
  })
})

describe('buildStack', () => {
  it('is what the System V ABI says', () => {
    const { space } = testSpace(64)
    const file = makeElf()
    const image = parseElf(file, MEMORY)
    loadImage(space, image, file)
    const random = Uint8Array.from({ length: 16 }, (_, index) => index + 1)
    const { stack, argc, argv } = buildStack(space, image, '/bin/echo', ['echo', 'echo', 'año'], ['HOME=/'], random)
    expect(stack % 16).toBe(0)
    expect([argc, argv]).toEqual([3, stack + 8])
    const word = (index: number): number => Number(new DataView(space.copyIn(stack + index * 8, 8).buffer).getBigUint64(0, true))
    const text = (index: number): string => space.copyInString(word(index), 100)
    expect(word(0)).toBe(3)
    expect([text(1), text(2), text(3)]).toEqual(['echo', 'echo', 'año'])
    expect(word(1)).not.toBe(word(2))
    expect(word(4)).toBe(0)
    expect(text(5)).toBe('HOME=/')
    expect(word(6)).toBe(0)
    const aux = new Map<number, number>()
    for (let index = 7; word(index) !== 0; index += 2) aux.set(word(index), word(index + 1))
    expect(aux.get(9)).toBe(image.entry)
    expect(aux.get(6)).toBe(PAGE)
    expect(space.copyInString(aux.get(31) ?? 0, 100)).toBe('/bin/echo')
    expect(space.copyIn(aux.get(25) ?? 0, 16)).toEqual(random)
  })

  it('bounds arguments', () => {
    const { space } = testSpace(64)
    const file = makeElf()
    const image = parseElf(file, MEMORY)
    loadImage(space, image, file)
    expect(() => buildStack(space, image, '/x', ['a'.repeat(200_000)], [], new Uint8Array(16))).toThrow('E2BIG')
  })
})
