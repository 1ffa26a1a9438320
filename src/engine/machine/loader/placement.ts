/** Where things go in the PC's physical memory: what firmware reports, and room for what a loader hands over. */
import type { PhysicalMemory } from '../memory.ts'
import { PAGE_BYTES } from '../memory.ts'
import { BadImage } from './bad-image.ts'
import type { LoadSegment } from './elf.ts'

/** The PC's first mebibyte: 639 KiB, then the extended BIOS data area, video memory and firmware. */
export const LOWER_END = 0x9fc00
export const UPPER_START = 0x100000
/** Below it lie the real-mode vectors and the BIOS data area. */
const LOWER_START = 0x1000

/** Physical memory from `start` up to `end`. */
export interface Range {
  start: number
  end: number
}

/** As the firmware's INT 15H, AX = E820H numbers them (ACPI 6.5, table 15.4). */
export const MemoryType = { AVAILABLE: 1, RESERVED: 2 } as const

/** The memory map as firmware reports it. */
export function memoryMap(ramBytes: number): (Range & { type: number })[] {
  return [
    { start: 0, end: LOWER_END, type: MemoryType.AVAILABLE },
    { start: LOWER_END, end: UPPER_START, type: MemoryType.RESERVED },
    ...(ramBytes > UPPER_START ? [{ start: UPPER_START, end: ramBytes, type: MemoryType.AVAILABLE }] : []),
  ]
}

/** The memory that segments take. Throws BadImage when it is not all RAM or when two segments want the same. */
export function claim(memory: PhysicalMemory, segments: readonly LoadSegment[]): Range[] {
  const taken: Range[] = []
  for (const segment of segments) {
    const range = { start: segment.physical, end: segment.physical + segment.memoryBytes }
    if (!memory.contains(range.start, segment.memoryBytes))
      throw new BadImage(
        'outside-ram',
        `The image claims memory from ${hex(range.start)} to ${hex(range.end)}, but the machine has ${mebibytes(memory.bytes)}.`,
      )
    if (range.start < UPPER_START && range.end > LOWER_END)
      throw new BadImage(
        'overlap',
        `The image claims memory from ${hex(range.start)} to ${hex(range.end)}, where the PC's video memory and firmware are.`,
      )
    const other = taken.find((held) => range.start < held.end && held.start < range.end)
    if (other !== undefined)
      throw new BadImage('overlap', `Two segments of the image both claim memory at ${hex(Math.max(range.start, other.start))}.`)
    taken.push(range)
  }
  return taken
}

/** Copies segments from the file to where they go. */
export function place(memory: PhysicalMemory, image: Uint8Array, segments: readonly LoadSegment[]): void {
  for (const segment of segments) {
    memory.write(segment.physical, image.subarray(segment.fileOffset, segment.fileOffset + segment.fileBytes))
    memory.fill(segment.physical + segment.fileBytes, segment.memoryBytes - segment.fileBytes, 0)
  }
}

/** Room for files behind an image, on page boundaries, in their order. Throws BadImage when there is not enough. */
export function placeModules(memory: PhysicalMemory, taken: readonly Range[], modules: readonly { bytes: Uint8Array }[]): Range[] {
  let next = Math.max(UPPER_START, ...taken.map((range) => range.end))
  return modules.map(({ bytes }) => {
    const start = alignUp(next, PAGE_BYTES)
    if (!memory.contains(start, bytes.length))
      throw new BadImage(
        'outside-ram',
        `A module of ${bytes.length} bytes does not fit behind the image: the machine has ${mebibytes(memory.bytes)} of memory.`,
      )
    next = start + bytes.length
    return { start, end: next }
  })
}

/** The lowest place below 640 KiB, else behind everything, for `bytes` bytes that no range holds. */
export function findRoom(memory: PhysicalMemory, taken: readonly Range[], bytes: number): number {
  const sorted = [...taken].sort((a, b) => a.start - b.start)
  let at = LOWER_START
  for (const range of sorted) {
    if (at + bytes <= range.start) break
    at = Math.max(at, alignUp(range.end, 16))
  }
  if (at < UPPER_START && at + bytes > LOWER_END) at = alignUp(Math.max(UPPER_START, ...sorted.map((range) => range.end)), PAGE_BYTES)
  if (!memory.contains(at, bytes))
    throw new BadImage(
      'outside-ram',
      `The image leaves no room for ${bytes} bytes of boot information: the machine has ${mebibytes(memory.bytes)} of memory.`,
    )
  return at
}

/** A C string in UTF-8. */
export function encode(text: string): Uint8Array {
  return new TextEncoder().encode(`${text}\0`)
}

export const alignUp = (n: number, to: number): number => Math.ceil(n / to) * to
export const hex = (n: number): string => `0x${n.toString(16)}`
export const mebibytes = (bytes: number): string => `${Math.floor(bytes / 2 ** 20)} MiB`
