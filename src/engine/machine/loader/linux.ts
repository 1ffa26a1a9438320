/**
 * Loads a Linux bzImage by the 64-bit boot protocol and writes the `boot_params` it expects.
 *
 * Source: Linux, Documentation/arch/x86/boot.rst ("boot.rst"), sections "The real-mode kernel header", "Details of header fields" and
 * "64-bit boot protocol"; Documentation/arch/x86/zero-page.rst.
 */
import type { PhysicalMemory } from '../memory.ts'
import { PAGE_BYTES } from '../memory.ts'
import { BadImage } from './bad-image.ts'
import type { Range } from './placement.ts'
import { alignUp, encode, hex, LOWER_END, mebibytes, memoryMap, UPPER_START } from './placement.ts'

/** Offsets of the setup header in the file, and in `boot_params` alike. */
const Setup = {
  SETUP_SECTS: 0x1f1,
  SYSSIZE: 0x1f4,
  BOOT_FLAG: 0x1fe,
  JUMP: 0x200,
  HEADER: 0x202,
  VERSION: 0x206,
  TYPE_OF_LOADER: 0x210,
  LOADFLAGS: 0x211,
  RAMDISK_IMAGE: 0x218,
  RAMDISK_SIZE: 0x21c,
  HEAP_END_PTR: 0x224,
  CMD_LINE_PTR: 0x228,
  INITRD_ADDR_MAX: 0x22c,
  KERNEL_ALIGNMENT: 0x230,
  RELOCATABLE_KERNEL: 0x234,
  XLOADFLAGS: 0x236,
  CMDLINE_SIZE: 0x238,
  PREF_ADDRESS: 0x258,
  INIT_SIZE: 0x260,
  /** Where the header ends when its jump says nothing else. */
  END: 0x268,
} as const
/** Offsets in `boot_params` outside the setup header. */
const BootParams = { ACPI_RSDP_ADDR: 0x070, E820_ENTRIES: 0x1e8, E820_TABLE: 0x2d0 } as const
const BOOT_PARAMS_BYTES = 4096
const E820_ENTRY_BYTES = 20

const BOOT_FLAG = 0xaa55
/** "HdrS" */
const HEADER_MAGIC = 0x53726448
/** 2.12 introduced XLF_KERNEL_64, without which there is no 64-bit entry point. */
const VERSION_MIN = 0x020c
const LOADFLAGS_LOADED_HIGH = 1 << 0
const XLF_KERNEL_64 = 1 << 0
/** "undefined": a loader without a number of its own (boot.rst, type_of_loader). */
const TYPE_OF_LOADER = 0xff
const SETUP_SECTS_DEFAULT = 4
const SECTOR_BYTES = 512
const PARAGRAPH_BYTES = 16
/** The 64-bit entry point is at this offset of the kernel ("64-bit boot protocol"). */
const ENTRY64 = 0x200
/** What the command line may have before protocol 2.06 said so itself; later kernels name their limit. */
const CMDLINE_BYTES_DEFAULT = 255

/** What the loader hands over, below 640 KiB. The kernel copies what it wants to keep. */
const GDT = 0x1000
const PAGE_TABLES = 0x2000
/** PML4, PDPT and four page directories: the first 4 GiB, mapped to themselves in pages of 2 MiB. */
const PAGE_DIRECTORIES = 4
const BOOT_PARAMS = PAGE_TABLES + (2 + PAGE_DIRECTORIES) * PAGE_BYTES
const CMDLINE = BOOT_PARAMS + BOOT_PARAMS_BYTES
/** Present, writable; in a directory PS too. SDM vol. 3, 4.5. */
const ENTRY = 0x3
const ENTRY_2M = 0x83
const TWO_MIB = 1 << 21
/** Flat 64-bit code and data, at the selectors __BOOT_CS and __BOOT_DS. */
export const BOOT_CS = 0x10
export const BOOT_DS = 0x18
const GDT_ENTRIES = [0n, 0n, 0x00af9b000000ffffn, 0x00cf93000000ffffn]

export interface LinuxOptions {
  commandLine?: string
  initrd?: Uint8Array
  /** Physical address of the ACPI root pointer; 0 for none. */
  rsdp?: number
}

/** What the processor starts with, in 64-bit mode. */
export interface LinuxEntry {
  entry: number
  /** In RSI. */
  bootParams: number
  /** In CR3. */
  pageTables: number
  gdt: number
  gdtBytes: number
}

/** Whether a file says that it is a Linux kernel: by the magic of its setup header. */
export function isLinux(image: Uint8Array): boolean {
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength)
  return image.length >= Setup.VERSION + 2 && view.getUint16(Setup.BOOT_FLAG, true) === BOOT_FLAG
    && view.getUint32(Setup.HEADER, true) === HEADER_MAGIC
}

interface Kernel {
  setup: Uint8Array
  code: Uint8Array
  /** Where it is to be, and how much memory it needs from there on until it has looked around. */
  range: Range
}

/** Puts kernel, initial RAM disk, `boot_params` and page tables into memory. Throws BadImage, before anything is written. */
export function loadLinux(memory: PhysicalMemory, image: Uint8Array, options: LinuxOptions = {}): LinuxEntry {
  const kernel = parse(memory, image)
  const field = new DataView(kernel.setup.buffer)
  const commandLine = encode(options.commandLine ?? '')
  const commandLineMax = field.getUint32(Setup.CMDLINE_SIZE, true) || CMDLINE_BYTES_DEFAULT
  if (commandLine.length - 1 > commandLineMax)
    throw new BadImage('unsupported', `The command line has ${commandLine.length - 1} bytes; this kernel takes ${commandLineMax}.`)
  if (CMDLINE + commandLine.length > LOWER_END)
    throw new BadImage('unsupported', `The command line has ${commandLine.length - 1} bytes, which do not fit below 640 KiB.`)
  const { initrd } = options
  const initrdAt = initrd === undefined ? 0 : placeInitrd(memory, kernel.range, initrd.length, field.getUint32(Setup.INITRD_ADDR_MAX, true))

  memory.write(kernel.range.start, kernel.code)
  if (initrd !== undefined) {
    memory.write(initrdAt, initrd)
    field.setUint32(Setup.RAMDISK_IMAGE, initrdAt, true)
    field.setUint32(Setup.RAMDISK_SIZE, initrd.length, true)
  }
  field.setUint8(Setup.TYPE_OF_LOADER, TYPE_OF_LOADER)
  memory.write(CMDLINE, commandLine)
  field.setUint32(Setup.CMD_LINE_PTR, CMDLINE, true)
  field.setBigUint64(BootParams.ACPI_RSDP_ADDR, BigInt(options.rsdp ?? 0), true)
  const map = memoryMap(memory.bytes)
  field.setUint8(BootParams.E820_ENTRIES, map.length)
  map.forEach(({ start, end, type }, i) => {
    const at = BootParams.E820_TABLE + i * E820_ENTRY_BYTES
    field.setBigUint64(at, BigInt(start), true)
    field.setBigUint64(at + 8, BigInt(end - start), true)
    field.setUint32(at + 16, type, true)
  })
  memory.write(BOOT_PARAMS, kernel.setup)
  writePageTables(memory)
  GDT_ENTRIES.forEach((entry, i) => memory.writeU64(GDT + i * 8, entry))
  return {
    entry: kernel.range.start + ENTRY64,
    bootParams: BOOT_PARAMS,
    pageTables: PAGE_TABLES,
    gdt: GDT,
    gdtBytes: GDT_ENTRIES.length * 8,
  }
}

function parse(memory: PhysicalMemory, image: Uint8Array): Kernel {
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength)
  const version = view.getUint16(Setup.VERSION, true)
  const is64 = version >= VERSION_MIN && image.length >= Setup.END && (view.getUint16(Setup.XLOADFLAGS, true) & XLF_KERNEL_64) !== 0
  if (version >= VERSION_MIN && image.length < Setup.END)
    throw new BadImage('truncated', `The Linux setup header is cut off: the file has ${image.length} bytes.`)
  if (!is64)
    throw new BadImage(
      'unsupported',
      `The Linux image (boot protocol ${version >> 8}.${(version & 0xff).toString().padStart(2, '0')}) has no 64-bit entry point, ` +
        'which is where this machine enters.',
    )
  if ((view.getUint8(Setup.LOADFLAGS) & LOADFLAGS_LOADED_HIGH) === 0)
    throw new BadImage('unsupported', 'The Linux image is a zImage, to be loaded below 640 KiB; only a bzImage has a 64-bit entry point.')
  const setupBytes = ((view.getUint8(Setup.SETUP_SECTS) || SETUP_SECTS_DEFAULT) + 1) * SECTOR_BYTES
  const codeBytes = view.getUint32(Setup.SYSSIZE, true) * PARAGRAPH_BYTES
  // The size is rounded up to paragraphs; the file is not.
  if (setupBytes + codeBytes - (PARAGRAPH_BYTES - 1) > image.length)
    throw new BadImage(
      'truncated',
      `The file ends before its kernel does: it has ${image.length} bytes and needs ${setupBytes + codeBytes}.`,
    )
  if (codeBytes <= ENTRY64) throw new BadImage('truncated', `The kernel has ${codeBytes} bytes, too few for its 64-bit entry point.`)

  const setup = new Uint8Array(BOOT_PARAMS_BYTES)
  // The header is as long as its jump over itself says (boot.rst, "64-bit boot protocol").
  const end = Math.min(Setup.HEADER + view.getUint8(Setup.JUMP + 1), BOOT_PARAMS_BYTES, image.length)
  setup.set(image.subarray(Setup.SETUP_SECTS, end), Setup.SETUP_SECTS)
  const code = image.subarray(setupBytes, setupBytes + codeBytes)
  const needs = Math.max(view.getUint32(Setup.INIT_SIZE, true), code.length)
  return { setup, code, range: placeKernel(memory, view, needs) }
}

/** Where the kernel prefers to be, else, if it can be moved, as low as it fits. */
function placeKernel(memory: PhysicalMemory, view: DataView, needs: number): Range {
  const preferred = view.getBigUint64(Setup.PREF_ADDRESS, true)
  const fits = (start: number): boolean => start >= UPPER_START && memory.contains(start, needs)
  if (preferred < 2n ** 32n && fits(Number(preferred))) return { start: Number(preferred), end: Number(preferred) + needs }
  const alignment = view.getUint32(Setup.KERNEL_ALIGNMENT, true)
  const lowest = alignUp(UPPER_START, alignment || PAGE_BYTES)
  if (view.getUint8(Setup.RELOCATABLE_KERNEL) !== 0 && fits(lowest)) return { start: lowest, end: lowest + needs }
  throw new BadImage(
    'outside-ram',
    `The kernel needs ${mebibytes(needs + 2 ** 20 - 1)} from ${hex(Number(preferred))} on, but the machine has ${mebibytes(memory.bytes)}.`,
  )
}

/** As high as the kernel and the memory allow, where nothing that grows behind the kernel meets it. */
function placeInitrd(memory: PhysicalMemory, kernel: Range, bytes: number, addressMax: number): number {
  const end = Math.min(memory.bytes, addressMax + 1)
  const at = Math.floor((end - bytes) / PAGE_BYTES) * PAGE_BYTES
  const fits = at >= kernel.end || (at >= UPPER_START && at + bytes <= kernel.start)
  if (!fits)
    throw new BadImage(
      'outside-ram',
      `The initial RAM disk of ${bytes} bytes does not fit beside the kernel: the machine has ${mebibytes(memory.bytes)} of memory.`,
    )
  return at
}

function writePageTables(memory: PhysicalMemory): void {
  const pointers = PAGE_TABLES + PAGE_BYTES
  memory.fill(PAGE_TABLES, 2 * PAGE_BYTES, 0)
  memory.writeU64(PAGE_TABLES, BigInt(pointers | ENTRY))
  for (let i = 0; i < PAGE_DIRECTORIES; i++) {
    const directory = pointers + (i + 1) * PAGE_BYTES
    memory.writeU64(pointers + i * 8, BigInt(directory | ENTRY))
    for (let j = 0; j < 512; j++) memory.writeU64(directory + j * 8, BigInt((i * 512 + j) * TWO_MIB + ENTRY_2M))
  }
}
