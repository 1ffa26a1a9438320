/**
 * Loads a Multiboot2 image into guest memory and writes the boot information it expects.
 *
 * Source: Multiboot2 Specification version 2.0 ("the specification"), sections 3.1 (header), 3.3 (i386 machine state) and 3.6 (boot
 * information). Entry through EFI and relocation by the loader are not for this machine: an image that insists on them is refused.
 */
import type { PhysicalMemory } from '../memory.ts'
import { BadImage } from './bad-image.ts'
import type { BootExecutable, LoadSegment } from './elf.ts'
import { checkElfHeader, isElf, readElf } from './elf.ts'
import type { MultibootEntry, MultibootOptions } from './multiboot.ts'
import { BOOT_LOADER_NAME } from './multiboot.ts'
import { alignUp, claim, encode, findRoom, hex, LOWER_END, memoryMap, place, placeModules, UPPER_START } from './placement.ts'

const HEADER_MAGIC = 0xe85250d6
/** In EAX at entry. */
export const MULTIBOOT2_BOOTLOADER_MAGIC = 0x36d76289
/** The header lies within the first 32,768 bytes of the file, aligned to 8. */
const SEARCH_BYTES = 32_768
const HEADER_ALIGNMENT = 8
const ARCHITECTURE_I386 = 0
/** Offsets in the header; tags follow. */
const Header = { ARCHITECTURE: 4, LENGTH: 8, CHECKSUM: 12, TAGS: 16 } as const

/** Tags of the header (3.1.4 to 3.1.13). */
const HeaderTag = {
  END: 0,
  INFORMATION_REQUEST: 1,
  ADDRESS: 2,
  ENTRY_ADDRESS: 3,
  CONSOLE_FLAGS: 4,
  FRAMEBUFFER: 5,
  MODULE_ALIGN: 6,
  EFI_BOOT_SERVICES: 7,
  ENTRY_ADDRESS_EFI_I386: 8,
  ENTRY_ADDRESS_EFI_AMD64: 9,
  RELOCATABLE: 10,
} as const
const TAG_BYTES = 8
const TAG_OPTIONAL = 1
/** Bytes of a tag's content that is read here. */
const CONTENT_BYTES = new Map<number, number>([[HeaderTag.ADDRESS, 16], [HeaderTag.ENTRY_ADDRESS, 4], [HeaderTag.CONSOLE_FLAGS, 4]])
const CONSOLE_REQUIRED = 1
/** What only matters to an image that EFI starts, or that would rather be elsewhere; it runs without. */
const HARMLESS = new Set<number>([
  HeaderTag.MODULE_ALIGN, HeaderTag.FRAMEBUFFER, HeaderTag.EFI_BOOT_SERVICES, HeaderTag.ENTRY_ADDRESS_EFI_I386,
  HeaderTag.ENTRY_ADDRESS_EFI_AMD64, HeaderTag.RELOCATABLE,
])

/** Tags of the boot information (3.6). */
const InfoTag = { END: 0, CMDLINE: 1, BOOT_LOADER_NAME: 2, MODULE: 3, BASIC_MEMINFO: 4, MMAP: 6, ACPI_OLD: 14, ACPI_NEW: 15 } as const
const PROVIDED = new Set<number>(Object.values(InfoTag))
const INFO_ALIGNMENT = 8
const MMAP_ENTRY_BYTES = 24
/** An RSDP's length in revision 1 and, with 64-bit addresses, from 2 on (ACPI 6.5, 5.2.5.3). */
const RSDP_OLD_BYTES = 20
const RSDP_NEW_BYTES = 36

export interface Multiboot2Options extends MultibootOptions {
  /** Physical address of the ACPI root pointer. */
  rsdp?: number
}

interface Parsed {
  executable: BootExecutable
  warnings: string[]
}

/** Whether a file has a Multiboot2 header. */
export function isMultiboot2(image: Uint8Array): boolean {
  return findHeader(new DataView(image.buffer, image.byteOffset, image.byteLength)) >= 0
}

/** Puts image, modules and boot information into memory; as `loadMultiboot` otherwise. */
export function loadMultiboot2(memory: PhysicalMemory, image: Uint8Array, options: Multiboot2Options = {}): MultibootEntry {
  const { executable, warnings } = parse(image)
  const taken = claim(memory, executable.segments)
  if (!taken.some((range) => executable.entry >= range.start && executable.entry < range.end))
    throw new BadImage('outside-ram', `The entry point ${hex(executable.entry)} is outside what the image loads.`)
  const modules = options.modules ?? []
  const placed = placeModules(memory, taken, modules)
  const bytes = information(memory, { ...options, modules: modules.map(({ commandLine }, i) => ({ ...placed[i], commandLine })) })
  const info = findRoom(memory, [...taken, ...placed], bytes.length + INFO_ALIGNMENT)
  const aligned = alignUp(info, INFO_ALIGNMENT)
  place(memory, image, executable.segments)
  modules.forEach((module, i) => memory.write(placed[i].start, module.bytes))
  memory.write(aligned, bytes)
  return { entry: executable.entry, info: aligned, warnings }
}

function findHeader(view: DataView): number {
  for (let at = 0, end = Math.min(view.byteLength, SEARCH_BYTES) - Header.TAGS; at <= end; at += HEADER_ALIGNMENT) {
    if (view.getUint32(at, true) !== HEADER_MAGIC) continue
    const field = (offset: number): number => view.getUint32(at + offset, true)
    if ((HEADER_MAGIC + field(Header.ARCHITECTURE) + field(Header.LENGTH) + field(Header.CHECKSUM)) % 2 ** 32 === 0) return at
  }
  return -1
}

function parse(image: Uint8Array): Parsed {
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength)
  const header = findHeader(view)
  const elf = isElf(image)
  if (header < 0) throw new BadImage('not-multiboot', `The file has no Multiboot2 header in its first ${SEARCH_BYTES} bytes.`)
  const architecture = view.getUint32(header + Header.ARCHITECTURE, true)
  if (architecture !== ARCHITECTURE_I386)
    throw new BadImage('wrong-machine', `The Multiboot2 header is for architecture ${architecture}, not for x86.`)
  const end = header + view.getUint32(header + Header.LENGTH, true)
  if (end > view.byteLength)
    throw new BadImage('truncated', `The file ends within its Multiboot2 header: it has ${view.byteLength} bytes and needs ${end}.`)
  const tags = readTags(view, header + Header.TAGS, end)
  const warnings: string[] = []
  for (const tag of tags.values()) checkTag(view, tag, warnings)

  const address = tags.get(HeaderTag.ADDRESS)
  if (elf) checkElfHeader(image)
  else if (address === undefined)
    throw new BadImage('not-multiboot', 'The file is not an ELF, and its Multiboot2 header does not say where it is to be loaded.')
  const executable = address === undefined ? readElf(image) : readAddresses(view, header, address)
  const entry = tags.get(HeaderTag.ENTRY_ADDRESS)
  if (entry !== undefined) executable.entry = view.getUint32(entry.content, true)
  else if (address !== undefined)
    throw new BadImage('not-executable', 'The Multiboot2 header has no entry address tag, and so does not say where to start.')
  return { executable, warnings }
}

interface Tag {
  type: number
  flags: number
  /** Offset and length of what follows the tag's head. */
  content: number
  bytes: number
}

/** Up to the end tag; the last of a type counts. */
function readTags(view: DataView, from: number, end: number): Map<number, Tag> {
  const tags = new Map<number, Tag>()
  for (let at = from; ;) {
    if (at + TAG_BYTES > end) throw new BadImage('truncated', 'The Multiboot2 header ends without an end tag.')
    const type = view.getUint16(at, true)
    const size = view.getUint32(at + 4, true)
    if (type === HeaderTag.END) return tags
    if (size < TAG_BYTES || at + size > end)
      throw new BadImage('truncated', `A tag of type ${type} in the Multiboot2 header says that it has ${size} bytes, more than there are.`)
    tags.set(type, { type, flags: view.getUint16(at + 2, true), content: at + TAG_BYTES, bytes: size - TAG_BYTES })
    at = alignUp(at + size, HEADER_ALIGNMENT)
  }
}

function checkTag(view: DataView, tag: Tag, warnings: string[]): void {
  const { type, flags, content, bytes } = tag
  if (bytes < (CONTENT_BYTES.get(type) ?? 0))
    throw new BadImage('truncated', `A tag of type ${type} in the Multiboot2 header has ${bytes} bytes of content, too few.`)
  const isOptional = (flags & TAG_OPTIONAL) !== 0
  if (type === HeaderTag.INFORMATION_REQUEST) {
    for (let at = 0; at + 4 <= bytes; at += 4) {
      const request = view.getUint32(content + at, true)
      if (!PROVIDED.has(request) && !isOptional)
        throw new BadImage('unsupported', `The Multiboot2 header requires boot information of type ${request}, which this machine has not.`)
    }
    return
  }
  if (type === HeaderTag.CONSOLE_FLAGS) {
    if ((view.getUint32(content, true) & CONSOLE_REQUIRED) !== 0 && !isOptional)
      throw new BadImage('unsupported', 'The Multiboot2 header requires a console, and this machine has no display.')
    return
  }
  if (type === HeaderTag.ADDRESS || type === HeaderTag.ENTRY_ADDRESS || HARMLESS.has(type)) {
    if (type === HeaderTag.FRAMEBUFFER) warnings.push('Multiboot2: the image asks for a framebuffer, and this machine has no display')
    return
  }
  if (!isOptional) throw new BadImage('unsupported', `The Multiboot2 header has a tag of type ${type}, which version 2.0 does not know.`)
}

/** The address tag (3.1.5), which comes before whatever an ELF header says. */
function readAddresses(view: DataView, header: number, { content }: Tag): BootExecutable {
  const field = (i: number): number => view.getUint32(content + i * 4, true)
  const [headerAddress, loadAddress, loadEnd, bssEnd] = [field(0), field(1), field(2), field(3)]
  /** All ones: the file is loaded from its beginning. */
  const fromStart = loadAddress === 0xffffffff
  const start = fromStart ? headerAddress - header : loadAddress
  const fileOffset = header - (headerAddress - start)
  if (start < 0 || start > headerAddress || fileOffset < 0)
    throw new BadImage(
      'truncated',
      `The Multiboot2 header, at offset ${hex(header)} of the file, says ${hex(headerAddress)} in an image from ${hex(loadAddress)} on.`,
    )
  const end = loadEnd === 0 ? start + view.byteLength - fileOffset : loadEnd
  if (end <= headerAddress || fileOffset + end - start > view.byteLength)
    throw new BadImage(
      'truncated',
      `The Multiboot2 header says that the image ends at ${hex(end)}, which is not within a file of ${view.byteLength} bytes.`,
    )
  if (bssEnd !== 0 && bssEnd < end)
    throw new BadImage('overlap', `The Multiboot2 header puts the end of the zeroed data, ${hex(bssEnd)}, before ${hex(end)}, the image's.`)
  const segment: LoadSegment = {
    fileOffset,
    fileBytes: end - start,
    physical: start,
    memoryBytes: (bssEnd === 0 ? end : bssEnd) - start,
  }
  return { entry: start, segments: [segment] }
}

interface Information {
  commandLine?: string
  rsdp?: number
  modules: readonly { start: number; end: number; commandLine: string }[]
}

/** The boot information: its size, a reserved word, and tags at multiples of 8. */
function information(memory: PhysicalMemory, { commandLine = '', rsdp, modules }: Information): Uint8Array {
  const bytes: number[] = [0, 0, 0, 0, 0, 0, 0, 0]
  const u32 = (n: number): number[] => [n & 0xff, (n >>> 8) & 0xff, (n >>> 16) & 0xff, n >>> 24]
  const u64 = (n: number): number[] => [...u32(n % 2 ** 32), ...u32(Math.floor(n / 2 ** 32))]
  const tag = (type: number, ...content: number[]): void => {
    bytes.push(...u32(type), ...u32(TAG_BYTES + content.length), ...content)
    while (bytes.length % INFO_ALIGNMENT !== 0) bytes.push(0)
  }
  tag(InfoTag.CMDLINE, ...encode(commandLine))
  tag(InfoTag.BOOT_LOADER_NAME, ...encode(BOOT_LOADER_NAME))
  for (const module of modules) tag(InfoTag.MODULE, ...u32(module.start), ...u32(module.end), ...encode(module.commandLine))
  tag(InfoTag.BASIC_MEMINFO, ...u32(Math.floor(LOWER_END / 1024)), ...u32(Math.floor((memory.bytes - UPPER_START) / 1024)))
  const map = memoryMap(memory.bytes).flatMap(({ start, end, type }) => [...u64(start), ...u64(end - start), ...u32(type), ...u32(0)])
  tag(InfoTag.MMAP, ...u32(MMAP_ENTRY_BYTES), ...u32(0), ...map)
  if (rsdp !== undefined && rsdp !== 0) {
    tag(InfoTag.ACPI_OLD, ...memory.read(rsdp, RSDP_OLD_BYTES))
    tag(InfoTag.ACPI_NEW, ...memory.read(rsdp, RSDP_NEW_BYTES))
  }
  tag(InfoTag.END)
  bytes.splice(0, 4, ...u32(bytes.length))
  return Uint8Array.from(bytes)
}
