import { PAGE_BYTES, STACK_BOTTOM, STACK_TOP, pageCeil, pageFloor } from '../arch/layout.ts'
import type { AddressSpace } from '../memory/address-space.ts'
import { Protection } from '../memory/address-space.ts'
import { KernelError } from '../syscall/errno.ts'
import type { ElfImage } from './elf.ts'
import { SegmentFlag } from './elf.ts'

function protectionOf(flags: number): number {
  const read = (flags & SegmentFlag.R) !== 0 ? Protection.READ : 0
  const write = (flags & SegmentFlag.W) !== 0 ? Protection.WRITE : 0
  const execute = (flags & SegmentFlag.X) !== 0 ? Protection.EXEC : 0
  return read | write | execute
}

/**
 * Maps a checked program into an empty address space and copies its segments; what has no bytes in the file (`.bss`) becomes
 * real when touched. The heap starts after the image, the stack ends at STACK_TOP. Throws ENOMEM.
 */
export function loadImage(space: AddressSpace, image: ElfImage, file: Uint8Array): void {
  let end = 0
  for (const segment of image.segments) {
    const start = Math.max(pageFloor(segment.address), end)
    const segmentEnd = pageCeil(segment.address + segment.memoryBytes)
    if (segmentEnd > start) space.map(start, segmentEnd, protectionOf(segment.flags) || Protection.READ, 'image')
    end = segmentEnd
    space.load(segment.address, file.subarray(segment.fileOffset, segment.fileOffset + segment.fileBytes))
  }
  space.heapStart = end
  space.heapEnd = end
  space.map(STACK_BOTTOM, STACK_TOP, Protection.READ | Protection.WRITE, 'stack')
}

/** Auxiliary vector types, System V ABI x86-64 supplement, figure 3.11, and Linux's include/uapi/linux/auxvec.h. */
const Aux = {
  NULL: 0, PHDR: 3, PHENT: 4, PHNUM: 5, PAGESZ: 6, BASE: 7, FLAGS: 8, ENTRY: 9, UID: 11, EUID: 12, GID: 13, EGID: 14,
  PLATFORM: 15, HWCAP: 16, CLKTCK: 17, SECURE: 23, RANDOM: 25, EXECFN: 31,
} as const

/** Bytes that arguments and environment may take, strings and pointers together. */
export const ARGUMENTS_BYTES_MAX = 128 << 10
export const RANDOM_BYTES = 16

export interface ProgramStart {
  /** Stack pointer at the entry point, 16-byte aligned: argc lies there. */
  stack: number
  argc: number
  /** Address of argv[0]'s pointer. */
  argv: number
}

/**
 * Lays the initial stack out as the System V ABI (x86-64 supplement, 3.4.1) says: argc, argv, 0, envp, 0, auxiliary vector, then the
 * strings. `random` are the 16 bytes AT_RANDOM points at. Throws E2BIG, ENOMEM.
 */
export function buildStack(
  space: AddressSpace, image: ElfImage, path: string, args: readonly string[], environment: readonly string[], random: Uint8Array,
): ProgramStart {
  const encoder = new TextEncoder()
  const texts = [...args, ...environment, path, 'x86_64'].map((text) => encoder.encode(`${text}\0`))
  if (texts.reduce((sum, text) => sum + text.length + 8, 0) > ARGUMENTS_BYTES_MAX) throw new KernelError('E2BIG')
  let top = STACK_TOP - 8 - random.length
  const randomAddress = top
  space.load(top, random)
  const addresses = texts.map((text) => {
    top -= text.length
    space.load(top, text)
    return top
  })
  const [pathAddress, platformAddress] = addresses.slice(-2)
  const words = [args.length, ...addresses.slice(0, args.length), 0, ...addresses.slice(args.length, -2), 0]
  const aux: [number, number][] = [
    [Aux.PHDR, image.programHeaders],
    [Aux.PHENT, 56],
    [Aux.PHNUM, image.programHeaders === 0 ? 0 : image.programHeaderCount],
    [Aux.PAGESZ, PAGE_BYTES],
    [Aux.BASE, 0],
    [Aux.FLAGS, 0],
    [Aux.ENTRY, image.entry],
    [Aux.UID, 0],
    [Aux.EUID, 0],
    [Aux.GID, 0],
    [Aux.EGID, 0],
    [Aux.HWCAP, 0],
    [Aux.CLKTCK, 100],
    [Aux.SECURE, 0],
    [Aux.PLATFORM, platformAddress],
    [Aux.RANDOM, randomAddress],
    [Aux.EXECFN, pathAddress],
    [Aux.NULL, 0],
  ]
  words.push(...aux.flat())
  const stack = Math.floor((top - words.length * 8) / 16) * 16
  const bytes = new Uint8Array(words.length * 8)
  const view = new DataView(bytes.buffer)
  words.forEach((word, index) => view.setBigUint64(index * 8, BigInt(word), true))
  space.load(stack, bytes)
  return { stack, argc: args.length, argv: stack + 8 }
}
