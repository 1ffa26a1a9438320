/** Where an address of a program belongs. */
export interface Location {
  /** Name of the function; empty when the file does not say. */
  function: string
  /** Bytes from its start. */
  offset: number
  /** Of the source, when the program carries debug information. */
  file?: string
  /** From 1. */
  line?: number
}

export interface Symbolizer {
  /** For a return address ask for the byte before it, which belongs to the call. */
  locate(address: number | bigint): Location | null
}

/** One instruction in assembly, from bytes that start with it. */
export type Disassembler = (bytes: Uint8Array, address: number | bigint) => string

/** `main+0x12 (fault.c:9)`, with as much of it as is known. */
export function formatLocation(location: Location): string {
  const name = location.function === '' ? '' : `${location.function}+0x${location.offset.toString(16)}`
  if (location.file === undefined) return name
  const file = location.file.slice(location.file.lastIndexOf('/') + 1)
  return `${name} (${file}${location.line === undefined ? '' : `:${location.line}`})`.trim()
}

const SECTION_HEADER_BYTES = 64
const SYMBOL_BYTES = 24
const SHT_SYMTAB = 2
const STT_NOTYPE = 0
const STT_FUNC = 2
const SHN_ABS = 0xfff1

interface CodeSymbol {
  address: bigint
  bytes: bigint
  name: string
}

const u64 = (view: DataView, offset: number): number => view.getUint32(offset, true) + view.getUint32(offset + 4, true) * 4294967296

/** Function names from an ELF64 file's symbol table. A file without a usable one gives a symbolizer that knows nothing. */
export function readSymbolTable(file: Uint8Array): Symbolizer {
  const symbols = collectSymbols(file).sort((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : 0))
  return {
    locate(wanted) {
      const address = BigInt(wanted)
      let low = 0
      let high = symbols.length
      while (low < high) {
        const middle = (low + high) >> 1
        if (symbols[middle].address <= address) low = middle + 1
        else high = middle
      }
      const symbol = low > 0 ? symbols[low - 1] : undefined
      if (symbol === undefined || (symbol.bytes > 0n && address >= symbol.address + symbol.bytes)) return null
      return { function: symbol.name, offset: Number(address - symbol.address) }
    },
  }
}

function collectSymbols(file: Uint8Array): CodeSymbol[] {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  const fits = (offset: number, length: number): boolean => offset + length <= file.length
  if (!fits(0, SECTION_HEADER_BYTES)) return []
  const sections = u64(view, 40)
  const count = view.getUint16(60, true)
  if (!fits(sections, count * SECTION_HEADER_BYTES)) return []
  const symbols: CodeSymbol[] = []
  for (let index = 0; index < count; index++) {
    const section = sections + index * SECTION_HEADER_BYTES
    if (view.getUint32(section + 4, true) !== SHT_SYMTAB) continue
    const offset = u64(view, section + 24)
    const bytes = u64(view, section + 32)
    const link = view.getUint32(section + 40, true)
    if (!fits(offset, bytes) || link >= count) continue
    const strings = u64(view, sections + link * SECTION_HEADER_BYTES + 24)
    for (let at = offset; at + SYMBOL_BYTES <= offset + bytes; at += SYMBOL_BYTES) {
      const type = file[at + 4] & 0xf
      const sectionIndex = view.getUint16(at + 6, true)
      if ((type !== STT_FUNC && type !== STT_NOTYPE) || sectionIndex === 0 || sectionIndex >= SHN_ABS) continue
      const name = readName(file, strings + view.getUint32(at, true))
      if (name !== '') symbols.push({ address: view.getBigUint64(at + 8, true), bytes: view.getBigUint64(at + 16, true), name })
    }
  }
  return symbols
}

function readName(file: Uint8Array, offset: number): string {
  const end = offset < file.length ? file.indexOf(0, offset) : -1
  return end === -1 ? '' : new TextDecoder().decode(file.subarray(offset, end))
}
