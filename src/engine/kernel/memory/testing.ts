import { PhysicalMemory } from '../../machine/memory.ts'
import { AddressSpace } from './address-space.ts'
import { FrameAllocator } from './frames.ts'
import { PageTable } from './page-table.ts'

/** Physical memory of `frames` pages from 1 MiB up, all of it the allocator's. */
export function testMemory(frames: number): { memory: PhysicalMemory; allocator: FrameAllocator } {
  const start = 1 << 20
  const memory = new PhysicalMemory(start + frames * 4096)
  const allocator = new FrameAllocator(memory)
  allocator.add({ start, end: memory.bytes })
  return { memory, allocator }
}

/** An address space over such memory, and the pages it asked to be dropped from the TLB. */
export function testSpace(frames: number): {
  memory: PhysicalMemory
  allocator: FrameAllocator
  space: AddressSpace
  invalidated: number[]
} {
  const { memory, allocator } = testMemory(frames)
  const invalidated: number[] = []
  const kernel = new PageTable(memory, allocator)
  const space = new AddressSpace(memory, allocator, kernel, (address) => invalidated.push(address))
  return { memory, allocator, space, invalidated }
}
