/**
 * Loads a Multiboot 1 image into guest memory and writes the information structure it expects.
 *
 * Source: Multiboot Specification version 0.6.96 ("the specification"), sections 3.1 (header), 3.2 (machine state) and 3.3
 * (boot information).
 */
import type { PhysicalMemory } from '../memory.ts'
import { BadImage } from './bad-image.ts'
import type { BootExecutable, LoadSegment } from './elf.ts'
import { checkElfHeader, isElf, readElf } from './elf.ts'
import { claim, encode, findRoom, hex, LOWER_END, memoryMap, place, placeModules, UPPER_START } from './placement.ts'

export { BadImage } from './bad-image.ts'

const HEADER_MAGIC = 0x1badb002
/** In EAX at entry. */
export const BOOTLOADER_MAGIC = 0x2badb002
/** The header lies within the first 8,192 bytes of the file, aligned to 4. */
const SEARCH_BYTES = 8192
const HEADER_BYTES = 12
const HEADER_WITH_ADDRESSES_BYTES = 32

const HeaderFlag = { PAGE_ALIGN: 1 << 0, MEMORY_INFO: 1 << 1, VIDEO_MODE: 1 << 2, ADDRESSES: 1 << 16 } as const
/** Bits 0 to 15 are requirements: a loader that does not know one must refuse the image. */
const REQUIREMENTS_UNKNOWN = 0xffff & ~(HeaderFlag.PAGE_ALIGN | HeaderFlag.MEMORY_INFO | HeaderFlag.VIDEO_MODE)
/** Offsets in the header. */
const Header = { FLAGS: 4, CHECKSUM: 8, HEADER_ADDR: 12, LOAD_ADDR: 16, LOAD_END_ADDR: 20, BSS_END_ADDR: 24, ENTRY_ADDR: 28 } as const

const InfoFlag = { MEMORY: 1 << 0, CMDLINE: 1 << 2, MODS: 1 << 3, MMAP: 1 << 6, BOOT_LOADER_NAME: 1 << 9 } as const
/** Offsets in the information structure. */
const Info = {
  FLAGS: 0,
  MEM_LOWER: 4,
  MEM_UPPER: 8,
  CMDLINE: 16,
  MODS_COUNT: 20,
  MODS_ADDR: 24,
  MMAP_LENGTH: 44,
  MMAP_ADDR: 48,
  BOOT_LOADER_NAME: 64,
} as const
const INFO_BYTES = 120
const MODULE_BYTES = 16
const MMAP_ENTRY_BYTES = 24

export const BOOT_LOADER_NAME = 'Atoll'

export interface MultibootModule {
  bytes: Uint8Array
  commandLine: string
}

export interface MultibootOptions {
  commandLine?: string
  modules?: MultibootModule[]
}

/** What the processor starts with: EIP, and EBX for the information structure's physical address. */
export interface MultibootEntry {
  entry: number
  info: number
  /** What the image asked for and does not get; for the machine's warnings. */
  warnings: string[]
}

/**
 * Puts image, modules and information structure into memory. The image goes where it says; modules follow it, on page
 * boundaries; the structure goes below 640 KiB where the image leaves room.
 *
 * Throws BadImage, before anything is written, when the image cannot be loaded.
 */
export function loadMultiboot(memory: PhysicalMemory, image: Uint8Array, options: MultibootOptions = {}): MultibootEntry {
  const { executable, flags } = parse(image)
  const taken = claim(memory, executable.segments)
  if (!taken.some((range) => executable.entry >= range.start && executable.entry < range.end))
    throw new BadImage('outside-ram', `The entry point ${hex(executable.entry)} is outside what the image loads.`)

  const modules = options.modules ?? []
  const commandLine = encode(options.commandLine ?? '')
  const moduleLines = modules.map((module) => encode(module.commandLine))
  const loaderName = encode(BOOT_LOADER_NAME)
  const placed = placeModules(memory, taken, modules)
  const mmap = memoryMap(memory.bytes)
  const strings = [commandLine, ...moduleLines, loaderName]
  const fixedBytes = INFO_BYTES + modules.length * MODULE_BYTES + mmap.length * MMAP_ENTRY_BYTES
  const info = findRoom(memory, [...taken, ...placed], fixedBytes + strings.reduce((total, string) => total + string.length, 0))

  place(memory, image, executable.segments)
  modules.forEach((module, i) => memory.write(placed[i].start, module.bytes))

  let at = info + fixedBytes
  const put = (string: Uint8Array): number => {
    memory.write(at, string)
    at += string.length
    return at - string.length
  }
  memory.fill(info, fixedBytes, 0)
  const modulesAt = info + INFO_BYTES
  const mmapAt = modulesAt + modules.length * MODULE_BYTES
  memory.writeU32(info + Info.FLAGS, InfoFlag.MEMORY | InfoFlag.CMDLINE | InfoFlag.MODS | InfoFlag.MMAP | InfoFlag.BOOT_LOADER_NAME)
  memory.writeU32(info + Info.MEM_LOWER, Math.floor(LOWER_END / 1024))
  memory.writeU32(info + Info.MEM_UPPER, Math.floor((memory.bytes - UPPER_START) / 1024))
  memory.writeU32(info + Info.CMDLINE, put(commandLine))
  memory.writeU32(info + Info.MODS_COUNT, modules.length)
  memory.writeU32(info + Info.MODS_ADDR, modulesAt)
  moduleLines.forEach((line, i) => {
    const entry = modulesAt + i * MODULE_BYTES
    memory.writeU32(entry, placed[i].start)
    memory.writeU32(entry + 4, placed[i].end)
    memory.writeU32(entry + 8, put(line))
  })
  memory.writeU32(info + Info.MMAP_LENGTH, mmap.length * MMAP_ENTRY_BYTES)
  memory.writeU32(info + Info.MMAP_ADDR, mmapAt)
  mmap.forEach(({ start, end, type }, i) => {
    // `size` does not count itself.
    const entry = mmapAt + i * MMAP_ENTRY_BYTES
    memory.writeU32(entry, MMAP_ENTRY_BYTES - 4)
    memory.writeU64(entry + 4, BigInt(start))
    memory.writeU64(entry + 12, BigInt(end - start))
    memory.writeU32(entry + 20, type)
  })
  memory.writeU32(info + Info.BOOT_LOADER_NAME, put(loaderName))

  const warnings =
    (flags & HeaderFlag.VIDEO_MODE) !== 0 ? ['Multiboot: the image asks for a video mode, and this machine has no display'] : []
  return { entry: executable.entry, info, warnings }
}

function parse(image: Uint8Array): { executable: BootExecutable; flags: number } {
  if (image.length === 0) throw new BadImage('not-multiboot', 'The file is empty.')
  const elf = isElf(image)
  if (elf) checkElfHeader(image)
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength)
  const header = findHeader(view)
  if (header < 0)
    throw new BadImage(
      'not-multiboot',
      `The ${elf ? 'ELF' : 'file'} is no Multiboot image: it has no Multiboot header in its first ${SEARCH_BYTES} bytes.`,
    )
  const flags = view.getUint32(header + Header.FLAGS, true)
  const unknown = flags & REQUIREMENTS_UNKNOWN
  if (unknown !== 0)
    throw new BadImage('unsupported', `The Multiboot header requires features that no version 1 loader has (flags ${hex(unknown)}).`)
  if ((flags & HeaderFlag.ADDRESSES) !== 0) return { executable: readAddresses(view, header), flags }
  if (elf) return { executable: readElf(image), flags }
  throw new BadImage('not-multiboot', 'The file is not an ELF, and its Multiboot header does not say where it is to be loaded.')
}

function findHeader(view: DataView): number {
  for (let at = 0, end = Math.min(view.byteLength, SEARCH_BYTES) - HEADER_BYTES; at <= end; at += 4) {
    if (view.getUint32(at, true) !== HEADER_MAGIC) continue
    if ((HEADER_MAGIC + view.getUint32(at + Header.FLAGS, true) + view.getUint32(at + Header.CHECKSUM, true)) % 2 ** 32 === 0) return at
  }
  return -1
}

/** The specification, 3.1.3: the header's address fields, which come before whatever an ELF header says. */
function readAddresses(view: DataView, header: number): BootExecutable {
  if (header + HEADER_WITH_ADDRESSES_BYTES > view.byteLength)
    throw new BadImage('truncated', `The file ends within its Multiboot header: it has ${view.byteLength} bytes.`)
  const field = (offset: number): number => view.getUint32(header + offset, true)
  const headerAddress = field(Header.HEADER_ADDR)
  const loadAddress = field(Header.LOAD_ADDR)
  const loadEnd = field(Header.LOAD_END_ADDR)
  const bssEnd = field(Header.BSS_END_ADDR)
  const fileOffset = header - (headerAddress - loadAddress)
  if (loadAddress > headerAddress || fileOffset < 0)
    throw new BadImage(
      'truncated',
      `The Multiboot header, at offset ${hex(header)} of the file, says ${hex(headerAddress)} in an image from ${hex(loadAddress)} on.`,
    )
  const end = loadEnd === 0 ? loadAddress + view.byteLength - fileOffset : loadEnd
  if (end <= headerAddress)
    throw new BadImage('truncated', `The Multiboot header says the image ends at ${hex(end)}, before the header itself.`)
  if (fileOffset + end - loadAddress > view.byteLength)
    throw new BadImage(
      'truncated',
      `The file ends before its image does: it has ${view.byteLength} bytes and needs ${fileOffset + end - loadAddress}.`,
    )
  if (bssEnd !== 0 && bssEnd < end)
    throw new BadImage(
      'overlap',
      `The Multiboot header puts the end of the zeroed data, ${hex(bssEnd)}, before the end of the image, ${hex(end)}.`,
    )
  const segment: LoadSegment = {
    fileOffset,
    fileBytes: end - loadAddress,
    physical: loadAddress,
    memoryBytes: (bssEnd === 0 ? end : bssEnd) - loadAddress,
  }
  return { entry: field(Header.ENTRY_ADDR), segments: [segment] }
}
