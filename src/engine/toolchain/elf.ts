/**
 * A reader of ELF64 little-endian files (Tool Interface Standard ELF 1.2 and the System V ABI's 64-bit objects) that takes
 * any bytes: it throws ElfError for what is not such a file or reaches outside itself, and nothing else.
 */

/** The file is not what it has to be; the message says what was expected and what was found. */
export class ElfError extends Error {
  override readonly name = 'ElfError'
}

const ELF64_HEADER_BYTES = 64
const SECTION_HEADER_BYTES = 64
const SYMBOL_BYTES = 24
const SECTIONS_MAX = 65_279 // SHN_LORESERVE - 1: more need the extended numbering that no program of ours has
const SYMBOLS_MAX = 1 << 21

const EM_X86_64 = 62
const ELFCLASS64 = 2
const ELFDATA2LSB = 1
const SHT_SYMTAB = 2
const SHT_NOBITS = 8
const SHF_COMPRESSED = 0x800n
export const SHN_UNDEF = 0
export const STT_NOTYPE = 0
export const STT_FUNC = 2

export interface Section {
  name: string
  type: number
  flags: bigint
  address: bigint
  /** Empty for a section that occupies nothing in the file, such as .bss. */
  bytes: Uint8Array
  link: number
}

export interface ElfSymbol {
  name: string
  value: bigint
  size: bigint
  /** STT_FUNC and its like. */
  type: number
  /** Index of the section it is defined in, SHN_UNDEF when it is not. */
  section: number
}

/** The sections of an ELF64 x86-64 file, without copying their bytes. Throws ElfError. */
export function readSections(file: Uint8Array): Section[] {
  if (file.length < ELF64_HEADER_BYTES)
    throw new ElfError(`an ELF file has at least ${ELF64_HEADER_BYTES} bytes, this one has ${file.length}`)
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  const magic = view.getUint32(0, false)
  if (magic !== 0x7f454c46) throw new ElfError(`an ELF file starts with 7f454c46, this one with ${magic.toString(16).padStart(8, '0')}`)
  if (file[4] !== ELFCLASS64 || file[5] !== ELFDATA2LSB)
    throw new ElfError(`expected a 64-bit little-endian ELF file (class 2, data 1), found class ${file[4]}, data ${file[5]}`)
  const machine = view.getUint16(18, true)
  if (machine !== EM_X86_64) throw new ElfError(`expected an ELF file for x86-64 (machine 62), found machine ${machine}`)

  const count = view.getUint16(60, true)
  if (count === 0) return []
  const offset = view.getBigUint64(40, true)
  const entryBytes = view.getUint16(58, true)
  if (entryBytes !== SECTION_HEADER_BYTES)
    throw new ElfError(`expected section headers of ${SECTION_HEADER_BYTES} bytes, found ${entryBytes}`)
  if (count > SECTIONS_MAX || offset + BigInt(count * SECTION_HEADER_BYTES) > BigInt(file.length))
    throw new ElfError(`${count} section headers at ${offset} reach beyond the file's ${file.length} bytes`)

  const names: number[] = []
  const sections: Section[] = []
  for (let index = 0; index < count; index++) {
    const at = Number(offset) + index * SECTION_HEADER_BYTES
    const type = view.getUint32(at + 4, true)
    const start = view.getBigUint64(at + 24, true)
    const size = view.getBigUint64(at + 32, true)
    const stored = type !== SHT_NOBITS && type !== 0
    if (stored && start + size > BigInt(file.length))
      throw new ElfError(`section ${index} claims ${size} bytes at ${start}, beyond the file's ${file.length} bytes`)
    names.push(view.getUint32(at, true))
    sections.push({
      name: '', type,
      flags: view.getBigUint64(at + 8, true),
      address: view.getBigUint64(at + 16, true),
      bytes: stored ? file.subarray(Number(start), Number(start + size)) : file.subarray(0, 0),
      link: view.getUint32(at + 40, true)
    })
  }
  const strings = sections[view.getUint16(62, true)]?.bytes
  if (strings) sections.forEach((section, index) => { section.name = readString(strings, names[index]) })
  return sections
}

/** The section of that name with its bytes in the clear, or undefined: compressed ones are as good as absent. */
export function findSection(sections: readonly Section[], name: string): Section | undefined {
  return sections.find(section => section.name === name && (section.flags & SHF_COMPRESSED) === 0n)
}

/** The symbols of the file's symbol table; none when it is stripped. Throws ElfError. */
export function readSymbols(sections: readonly Section[]): ElfSymbol[] {
  const table = sections.find(section => section.type === SHT_SYMTAB)
  if (!table) return []
  const strings = sections[table.link]?.bytes
  if (!strings) throw new ElfError(`the symbol table names section ${table.link} for its strings; there are ${sections.length} sections`)
  const count = Math.floor(table.bytes.length / SYMBOL_BYTES)
  if (count > SYMBOLS_MAX) throw new ElfError(`${count} symbols; ${SYMBOLS_MAX} is the most`)
  const view = new DataView(table.bytes.buffer, table.bytes.byteOffset, table.bytes.byteLength)
  const symbols: ElfSymbol[] = []
  for (let at = 0; at < count * SYMBOL_BYTES; at += SYMBOL_BYTES)
    symbols.push({
      name: readString(strings, view.getUint32(at, true)),
      type: view.getUint8(at + 4) & 15,
      section: view.getUint16(at + 6, true),
      value: view.getBigUint64(at + 8, true),
      size: view.getBigUint64(at + 16, true)
    })
  return symbols
}

const decoder = new TextDecoder()

/** The NUL-terminated string at an offset; '' where there is none. */
export function readString(bytes: Uint8Array, offset: number): string {
  if (offset < 0 || offset >= bytes.length || bytes[offset] === 0) return ''
  const end = bytes.indexOf(0, offset)
  return decoder.decode(bytes.subarray(offset, end < 0 ? bytes.length : end))
}
