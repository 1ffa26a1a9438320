import { describe, expect, it } from 'vitest'
import { MMAP_TOP, STACK_BOTTOM, STACK_GUARD, STACK_TOP, USER_END } from '../arch/layout.ts'
import { Protection } from './address-space.ts'
import { testSpace } from './testing.ts'

const PAGE = 4096
const { NONE, READ, WRITE, EXEC } = Protection
const BASE = 0x400000

describe('areas', () => {
  it('refuses what is not aligned, not user space, taken, or writable and executable', () => {
    const { space } = testSpace(64)
    space.map(BASE, BASE + 2 * PAGE, READ | WRITE, 'anonymous')
    expect(() => space.map(BASE + 1, BASE + PAGE, READ, 'anonymous')).toThrow('EINVAL')
    expect(() => space.map(0, PAGE, READ, 'anonymous')).toThrow('EINVAL')
    expect(() => space.map(USER_END, USER_END + PAGE, READ, 'anonymous')).toThrow('EINVAL')
    expect(() => space.map(BASE + PAGE, BASE + 3 * PAGE, READ, 'anonymous')).toThrow('EINVAL')
    expect(() => space.map(BASE - PAGE, BASE + PAGE, READ, 'anonymous')).toThrow('EINVAL')
    expect(() => space.map(BASE - PAGE, BASE, WRITE | EXEC, 'anonymous')).toThrow('EACCES')
    expect(space.areas).toHaveLength(1)
  })

  it('joins neighbours of a kind and splits what is cut', () => {
    const { space } = testSpace(64)
    space.map(BASE, BASE + PAGE, READ, 'anonymous')
    space.map(BASE + PAGE, BASE + 4 * PAGE, READ, 'anonymous')
    expect(space.areas.map(({ start, end }) => [start, end])).toEqual([[BASE, BASE + 4 * PAGE]])
    space.unmap(BASE + PAGE, BASE + 2 * PAGE)
    expect(space.areas.map(({ start, end }) => [start, end])).toEqual([[BASE, BASE + PAGE], [BASE + 2 * PAGE, BASE + 4 * PAGE]])
    space.protect(BASE + 2 * PAGE, BASE + 3 * PAGE, NONE)
    const parts = space.areas.map(({ start, protection }) => [start, protection])
    expect(parts).toEqual([[BASE, READ], [BASE + 2 * PAGE, NONE], [BASE + 3 * PAGE, READ]])
    space.protect(BASE + 2 * PAGE, BASE + 3 * PAGE, READ)
    space.map(BASE + PAGE, BASE + 2 * PAGE, READ, 'anonymous')
    expect(space.areas.map(({ start, end }) => [start, end])).toEqual([[BASE, BASE + 4 * PAGE]])
  })

  it('finds room from the top down and around what is there', () => {
    const { space } = testSpace(64)
    const first = space.findFree(2 * PAGE)
    expect(first).toBe(MMAP_TOP - 2 * PAGE)
    space.map(first, first + 2 * PAGE, READ, 'anonymous')
    const second = space.findFree(PAGE)
    expect(second).toBe(first - PAGE)
    space.map(second - PAGE, second, READ, 'anonymous')
    expect(space.findFree(PAGE)).toBe(second)
    expect(space.findFree(2 * PAGE)).toBe(second - 3 * PAGE)
  })

  it('promises memory and says ENOMEM when there is not so much', () => {
    const { space, allocator } = testSpace(64)
    expect(() => space.map(BASE, BASE + 64 * PAGE, READ | WRITE, 'anonymous')).toThrow('ENOMEM')
    space.map(BASE, BASE + 40 * PAGE, READ | WRITE, 'anonymous')
    const { free } = allocator
    expect(() => space.map(BASE + 80 * PAGE, BASE + 120 * PAGE, READ | WRITE, 'anonymous')).toThrow('ENOMEM')
    expect(allocator.free).toBe(free)
    for (let page = 0; page < 40; page++) expect(space.populate(BASE + page * PAGE, 'write')).toBe(true)
  })

  it('moves pages, or leaves each where it was when there is no frame for a table', () => {
    // Two regions of the last level, so that the way to the second one needs a table when the first page has moved already.
    const [from, to, bytes] = [BASE, 0x40000000 - 2 * PAGE, 4 * PAGE]
    const { space, allocator } = testSpace(64)
    const unused = allocator.free
    space.map(from, from + bytes, READ | WRITE, 'anonymous')
    for (let page = 0; page < 4; page++) space.copyOut(from + page * PAGE, Uint8Array.of(page + 1))
    space.map(to, to + bytes, READ | WRITE, 'anonymous')
    const contents = (start: number): number[] => [0, 1, 2, 3].map((page) => space.copyIn(start + page * PAGE, 1)[0])
    const taken: number[] = []
    // The first table on the way gets its frames, the second one does not.
    while (allocator.available > 2) taken.push(allocator.allocate())
    expect(() => space.move(from, to, bytes)).toThrow('ENOMEM')
    expect(contents(from)).toEqual([1, 2, 3, 4])
    taken.forEach((frame) => allocator.release(frame))
    space.move(from, to, bytes)
    expect(contents(to)).toEqual([1, 2, 3, 4])
    expect(space.find(from)).toBeNull()
    space.destroy()
    expect(allocator.available).toBe(allocator.free)
    expect(allocator.free).toBe(unused + 1)
  })

  it('gives everything back', () => {
    const { space, allocator } = testSpace(64)
    const { free, available } = allocator
    const rootFrames = 1
    space.map(BASE, BASE + 20 * PAGE, READ | WRITE, 'anonymous')
    space.map(STACK_BOTTOM, STACK_TOP, READ | WRITE, 'stack')
    for (const page of [0, 3, 7]) space.populate(BASE + page * PAGE, 'write')
    space.populate(STACK_TOP - 1, 'write')
    space.protect(BASE, BASE + 4 * PAGE, NONE)
    space.unmap(BASE + 3 * PAGE, BASE + 5 * PAGE)
    space.destroy()
    expect([allocator.free, allocator.available]).toEqual([free + rootFrames, available + rootFrames])
  })
})

describe('access', () => {
  it('makes pages real where the area permits it', () => {
    const { space } = testSpace(64)
    space.map(BASE, BASE + PAGE, READ, 'anonymous')
    expect(space.populate(BASE, 'write')).toBe(false)
    expect(space.populate(BASE, 'execute')).toBe(false)
    expect(space.table.lookup(BASE)).toBeNull()
    expect(space.populate(BASE, 'read')).toBe(true)
    expect(space.table.lookup(BASE)).toMatchObject({ write: false, execute: false, user: true })
    expect(space.populate(BASE + PAGE, 'read')).toBe(false)
  })

  it('copies across pages, and EFAULT is all or nothing for the program', () => {
    const { space } = testSpace(64)
    space.map(BASE, BASE + 2 * PAGE, READ | WRITE, 'anonymous')
    const bytes = Uint8Array.from({ length: 100 }, (_, index) => index)
    space.copyOut(BASE + PAGE - 50, bytes)
    expect(space.copyIn(BASE + PAGE - 50, 100)).toEqual(bytes)
    expect(() => space.copyIn(BASE + 2 * PAGE - 50, 100)).toThrow('EFAULT')
    expect(() => space.copyOut(0, bytes)).toThrow('EFAULT')
    expect(() => space.copyOut(2 ** 64, bytes)).toThrow('EFAULT')
    expect(() => space.copyIn(USER_END - 10, 20)).toThrow('EFAULT')
    expect(space.copyIn(0, 0)).toEqual(new Uint8Array(0))
  })

  it('does not let the kernel write what the program may only read', () => {
    const { space } = testSpace(64)
    space.map(BASE, BASE + PAGE, READ | EXEC, 'image')
    space.load(BASE, Uint8Array.of(0x90))
    expect(space.copyIn(BASE, 1)).toEqual(Uint8Array.of(0x90))
    expect(() => space.copyOut(BASE, Uint8Array.of(0xcc))).toThrow('EFAULT')
  })

  it('keeps what a page held while nobody may use it', () => {
    const { space, invalidated } = testSpace(64)
    space.map(BASE, BASE + PAGE, READ | WRITE, 'anonymous')
    space.copyOut(BASE, Uint8Array.of(42))
    space.protect(BASE, BASE + PAGE, NONE)
    expect(invalidated).toEqual([BASE])
    expect(() => space.copyIn(BASE, 1)).toThrow('EFAULT')
    space.protect(BASE, BASE + PAGE, READ)
    expect(space.copyIn(BASE, 1)).toEqual(Uint8Array.of(42))
  })

  it('reads strings up to a bound', () => {
    const { space } = testSpace(64)
    space.map(BASE, BASE + 2 * PAGE, READ | WRITE, 'anonymous')
    space.copyOut(BASE + PAGE - 3, new TextEncoder().encode('/año\0'))
    expect(space.copyInString(BASE + PAGE - 3, 100)).toBe('/año')
    space.copyOut(BASE, new Uint8Array(2 * PAGE).fill(0x61))
    expect(() => space.copyInString(BASE, 100)).toThrow('ENAMETOOLONG')
    expect(() => space.copyInString(BASE + PAGE, 2 * PAGE)).toThrow('EFAULT')
  })

  it('knows the guard page below the stack', () => {
    const { space } = testSpace(64)
    space.map(STACK_BOTTOM, STACK_TOP, READ | WRITE, 'stack')
    expect(space.populate(STACK_BOTTOM, 'write')).toBe(true)
    expect(space.populate(STACK_BOTTOM - 1, 'write')).toBe(false)
    const asked = [STACK_BOTTOM - 1, STACK_GUARD, STACK_GUARD - 1, STACK_BOTTOM]
    expect(asked.map((address) => space.isStackGuard(address))).toEqual([true, true, false, false])
  })

  it('a frame shortage on first touch is ENOMEM and loses nothing', () => {
    const { space, allocator } = testSpace(12)
    space.map(BASE, BASE + 2 * PAGE, READ | WRITE, 'anonymous')
    const others: number[] = []
    while (allocator.available > 0) others.push(allocator.allocate())
    expect(() => space.populate(BASE, 'write')).toThrow('ENOMEM')
    for (const frame of others) allocator.release(frame)
    expect(space.populate(BASE, 'write')).toBe(true)
  })
})

describe('the heap', () => {
  it('grows and shrinks by bytes, and stays when it cannot', () => {
    const { space } = testSpace(64)
    space.heapStart = BASE
    space.heapEnd = BASE
    expect(space.setHeapEnd(0)).toBe(BASE)
    expect(space.setHeapEnd(BASE + 100)).toBe(BASE + 100)
    expect(space.setHeapEnd(BASE + 3 * PAGE)).toBe(BASE + 3 * PAGE)
    expect(space.areas).toHaveLength(1)
    expect(space.setHeapEnd(BASE + 1000 * PAGE)).toBe(BASE + 3 * PAGE)
    expect(space.setHeapEnd(BASE + PAGE)).toBe(BASE + PAGE)
    expect(space.areas[0].end).toBe(BASE + PAGE)
    space.map(BASE + 2 * PAGE, BASE + 3 * PAGE, READ, 'anonymous')
    expect(space.setHeapEnd(BASE + 5 * PAGE)).toBe(BASE + PAGE)
  })
})
