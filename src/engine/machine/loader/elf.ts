/**
 * The little of an ELF executable that a boot loader reads: where it starts and what goes where in physical memory.
 *
 * Source: System V Application Binary Interface, edition 4.1, chapters 4 and 5; ELF-64 Object File Format 1.5.
 */
import { BadImage } from './bad-image.ts'

const EI_CLASS = 4
const EI_DATA = 5
const ELFCLASS32 = 1
const ELFCLASS64 = 2
const ELFDATA2LSB = 1
const ET_EXEC = 2
const ET_DYN = 3
const EM_386 = 3
const EM_X86_64 = 62
const PT_LOAD = 1
const EHDR32_BYTES = 52
const EHDR64_BYTES = 64
const PHDR32_BYTES = 32
const PHDR64_BYTES = 56

const MACHINES: Record<number, string> = {
  2: 'SPARC',
  8: 'MIPS',
  20: 'PowerPC',
  21: 'PowerPC64',
  22: 'S/390',
  40: 'ARM',
  183: 'AArch64',
  243: 'RISC-V',
  258: 'LoongArch',
}
const TYPES: Record<number, string> = { 0: 'no file type', 1: 'a relocatable object', 4: 'a core dump' }

/** A piece of the file and the physical memory it goes to; `memoryBytes - fileBytes` zeros follow it. */
export interface LoadSegment {
  fileOffset: number
  fileBytes: number
  physical: number
  memoryBytes: number
}

export interface BootExecutable {
  /** Physical address of the first instruction. */
  entry: number
  segments: LoadSegment[]
}

export function isElf(image: Uint8Array): boolean {
  return image.length >= 4 && image[0] === 0x7f && image[1] === 0x45 && image[2] === 0x4c && image[3] === 0x46
}

/** Throws BadImage when the ELF header is cut off or is not that of an x86 executable. */
export function checkElfHeader(image: Uint8Array): void {
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength)
  if (image.length < EHDR32_BYTES) throw new BadImage('truncated', `The ELF header is cut off: the file has ${image.length} bytes.`)
  const elfClass = image[EI_CLASS]
  if (elfClass === ELFCLASS64 && image.length < EHDR64_BYTES)
    throw new BadImage('truncated', `The ELF header is cut off: the file has ${image.length} bytes, the header ${EHDR64_BYTES}.`)
  const machine = view.getUint16(18, image[EI_DATA] === ELFDATA2LSB)
  const expected = elfClass === ELFCLASS64 ? EM_X86_64 : EM_386
  if (image[EI_DATA] !== ELFDATA2LSB || machine !== expected)
    throw new BadImage('wrong-machine', `The file is an ELF for ${MACHINES[machine] ?? `machine ${machine}`}, not for x86.`)
  if (elfClass !== ELFCLASS32 && elfClass !== ELFCLASS64)
    throw new BadImage('not-multiboot', `The file is an ELF of unknown class ${elfClass}.`)
  const type = view.getUint16(16, true)
  if (type !== ET_EXEC && type !== ET_DYN)
    throw new BadImage('not-executable', `The ELF is ${TYPES[type] ?? `of type ${type}`}, not an executable.`)
}

/** Reads the loadable segments of an executable that passed `checkElfHeader`. Throws BadImage when they are not all in the file. */
export function readElf(image: Uint8Array): BootExecutable {
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength)
  const wide = image[EI_CLASS] === ELFCLASS64
  const u64 = (offset: number): number => Number(view.getBigUint64(offset, true))
  const table = wide ? u64(32) : view.getUint32(28, true)
  const entryBytes = view.getUint16(wide ? 54 : 42, true)
  const count = view.getUint16(wide ? 56 : 44, true)
  if (count > 0 && entryBytes < (wide ? PHDR64_BYTES : PHDR32_BYTES))
    throw new BadImage(
      'truncated',
      `The ELF's program headers have ${entryBytes} bytes each; ${wide ? PHDR64_BYTES : PHDR32_BYTES} are needed.`,
    )
  if (table + count * entryBytes > image.length)
    throw new BadImage(
      'truncated',
      `The file ends before its program headers do: it has ${image.length} bytes and needs ${table + count * entryBytes}.`,
    )

  const entryVirtual = wide ? view.getBigUint64(24, true) : BigInt(view.getUint32(24, true))
  let entry: number | null = null
  const segments: LoadSegment[] = []
  for (let i = 0; i < count; i++) {
    const at = table + i * entryBytes
    if (view.getUint32(at, true) !== PT_LOAD) continue
    const virtual = wide ? view.getBigUint64(at + 16, true) : BigInt(view.getUint32(at + 8, true))
    const segment: LoadSegment = wide
      ? { fileOffset: u64(at + 8), physical: u64(at + 24), fileBytes: u64(at + 32), memoryBytes: u64(at + 40) }
      : {
          fileOffset: view.getUint32(at + 4, true),
          physical: view.getUint32(at + 12, true),
          fileBytes: view.getUint32(at + 16, true),
          memoryBytes: view.getUint32(at + 20, true),
        }
    if (segment.memoryBytes === 0) continue
    if (segment.fileBytes > segment.memoryBytes)
      throw new BadImage('truncated', `Segment ${i} has ${segment.fileBytes} bytes in the file but only ${segment.memoryBytes} in memory.`)
    if (segment.fileOffset + segment.fileBytes > image.length)
      throw new BadImage(
        'truncated',
        `The file ends before segment ${i} does: it has ${image.length} bytes and needs ${segment.fileOffset + segment.fileBytes}.`,
      )
    segments.push(segment)
    if (entryVirtual >= virtual && entryVirtual < virtual + BigInt(segment.memoryBytes))
      entry = segment.physical + Number(entryVirtual - virtual)
  }
  if (segments.length === 0) throw new BadImage('not-executable', 'The ELF has no loadable segment.')
  // An entry outside every segment's addresses can only be meant physically.
  return { entry: entry ?? Number(entryVirtual), segments }
}
