import { describe, expect, it } from 'vitest'
import { KERNEL_BASE } from '../arch/layout.ts'
import { PageTable } from './page-table.ts'
import { testMemory } from './testing.ts'

const user = { write: true, execute: false, user: true }

describe('PageTable', () => {
  it('writes entries as the manual lays them out', () => {
    const { memory, allocator } = testMemory(16)
    const table = new PageTable(memory, allocator)
    table.map(0x7fffffffe000, 0x123000, user)
    const level = (base: number, index: number): bigint => memory.readU64(base + index * 8)
    const next = (entry: bigint): number => Number(entry & 0xffffffffff000n)
    const pdpt = level(table.root, 255)
    const directory = level(next(pdpt), 511)
    const last = level(next(directory), 511)
    expect([pdpt, directory, last].map((entry) => entry & 0xfffn)).toEqual([7n, 7n, 7n])
    expect(level(next(last), 510)).toBe((1n << 63n) | 0x123007n)
  })

  it('maps, looks up and unmaps', () => {
    const { memory, allocator } = testMemory(16)
    const table = new PageTable(memory, allocator)
    expect(table.lookup(0x200000)).toBeNull()
    table.map(0x200000, 0x150000, { write: false, execute: true, user: true })
    expect(table.lookup(0x200000)).toEqual({ frame: 0x150000, write: false, execute: true, user: true })
    expect(table.lookup(0x201000)).toBeNull()
    expect(table.unmap(0x200000)).toBe(0x150000)
    expect(table.unmap(0x200000)).toBeNull()
  })

  it('refuses a page that is writable and executable, and one that is mapped', () => {
    const { memory, allocator } = testMemory(16)
    const table = new PageTable(memory, allocator)
    expect(() => table.map(0x200000, 0x150000, { write: true, execute: true, user: true })).toThrow('writable and executable')
    table.map(0x200000, 0x150000, user)
    expect(() => table.map(0x200000, 0x151000, user)).toThrow('mapped already')
  })

  it('shares the kernel half with the kernel and gives the user half back', () => {
    const { memory, allocator } = testMemory(32)
    const kernel = new PageTable(memory, allocator)
    kernel.map(KERNEL_BASE + 0x100000, 0x100000, { write: false, execute: true, user: false })
    const before = allocator.free
    const table = new PageTable(memory, allocator, kernel)
    expect(table.lookup(KERNEL_BASE + 0x100000)).toEqual({ frame: 0x100000, write: false, execute: true, user: false })
    for (const address of [0x10000, 0x200000, 0x555555554000]) table.map(address, allocator.allocate(), user)
    table.destroy()
    expect(allocator.free).toBe(before)
    expect(kernel.lookup(KERNEL_BASE + 0x100000)).not.toBeNull()
  })

  it('says ENOMEM when there is no frame for a table', () => {
    const { memory, allocator } = testMemory(2)
    const table = new PageTable(memory, allocator)
    expect(() => table.map(0x200000, 0x150000, user)).toThrow('ENOMEM')
  })
})
