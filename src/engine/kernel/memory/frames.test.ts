import { describe, expect, it } from 'vitest'
import { PhysicalMemory } from '../../machine/memory.ts'
import { KernelError } from '../syscall/errno.ts'
import { FrameAllocator } from './frames.ts'
import { testMemory } from './testing.ts'

const PAGE = 4096

describe('FrameAllocator', () => {
  it('takes whole frames of a range and leaves out what is excepted', () => {
    const memory = new PhysicalMemory(2 << 20)
    const allocator = new FrameAllocator(memory)
    allocator.add({ start: 0x100001, end: 0x105fff }, [{ start: 0x102800, end: 0x102801 }])
    expect(allocator.total).toBe(3)
    expect([allocator.allocate(), allocator.allocate(), allocator.allocate()]).toEqual([0x101000, 0x103000, 0x104000])
  })

  it('ignores what a memory map claims beyond RAM', () => {
    const memory = new PhysicalMemory(2 << 20)
    const allocator = new FrameAllocator(memory)
    allocator.add({ start: (2 << 20) - PAGE, end: 2 ** 40 })
    expect(allocator.total).toBe(1)
  })

  it('hands out zeroed frames', () => {
    const { memory, allocator } = testMemory(1)
    const frame = allocator.allocate()
    memory.fill(frame, PAGE, 0xaa)
    allocator.release(frame)
    expect(allocator.allocate()).toBe(frame)
    expect(memory.read(frame, PAGE).every((byte) => byte === 0)).toBe(true)
  })

  it('says ENOMEM when none is left, and recovers', () => {
    const { allocator } = testMemory(2)
    const frames = [allocator.allocate(), allocator.allocate()]
    expect(() => allocator.allocate()).toThrow(KernelError)
    allocator.release(frames[0])
    expect(allocator.allocate()).toBe(frames[0])
  })

  it('refuses to free a frame twice', () => {
    const { allocator } = testMemory(2)
    const frame = allocator.allocate()
    allocator.release(frame)
    expect(() => allocator.release(frame)).toThrow('not allocated')
    expect(allocator.referenceCount(frame)).toBe(0)
  })

  it('keeps promised frames for those they were promised to', () => {
    const { allocator } = testMemory(10)
    allocator.promise(5)
    expect([allocator.free, allocator.available]).toEqual([10, 5])
    for (let count = 0; count < 5; count++) allocator.allocate()
    expect(() => allocator.allocate()).toThrow('ENOMEM')
    for (let count = 0; count < 5; count++) allocator.allocate(true)
    expect([allocator.free, allocator.available]).toEqual([0, 0])
  })

  it('promises no more than there is, with room for page tables', () => {
    const { allocator } = testMemory(10)
    expect(() => allocator.promise(7)).toThrow('ENOMEM')
    allocator.promise(6)
    allocator.withdraw(6)
    expect(() => allocator.withdraw(1)).toThrow('withdrawn')
  })
})
