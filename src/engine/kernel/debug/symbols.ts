/** Where an address of a program belongs. */
export interface Location {
  /** Name of the function. */
  function: string
  /** Bytes from its start. */
  offset: number
  /** Of the source, when the program carries debug information. */
  file?: string
  /** From 1. */
  line?: number
}

export interface Symbolizer {
  locate(address: number): Location | null
}

/** One instruction in assembly, from bytes that start with it. Null when they are none. */
export type Disassembler = (bytes: Uint8Array, address: number) => string | null

/** `main+0x12 (fault.c:9)`, or just the function when there is no line. */
export function formatLocation(location: Location): string {
  const file = location.file === undefined ? '' : ` (${location.file.slice(location.file.lastIndexOf('/') + 1)}${location.line === undefined ? '' : `:${location.line}`})`
  return `${location.function}+0x${location.offset.toString(16)}${file}`
}

const SECTION_HEADER_BYTES = 64
const SYMBOL_BYTES = 24
const SHT_SYMTAB = 2
const STT_NOTYPE = 0
const STT_FUNC = 2
const SHN_ABS = 0xfff1

interface CodeSymbol {
  address: number
  bytes: number
  name: string
}

const u64 = (view: DataView, offset: number): number => view.getUint32(offset, true) + view.getUint32(offset + 4, true) * 4294967296

/**
 * Function names from an ELF64 file's symbol table. `base` is subtracted first, so that addresses of the kernel half stay
 * exact: hand `locate` the address minus base too. A file without a usable table gives a symbolizer that knows nothing.
 */
export function readSymbolTable(file: Uint8Array, base = 0n): Symbolizer {
  const symbols = collectSymbols(file, base).sort((a, b) => a.address - b.address)
  return {
    locate(address) {
      let low = 0
      let high = symbols.length
      while (low < high) {
        const middle = (low + high) >> 1
        if (symbols[middle].address <= address) low = middle + 1
        else high = middle
      }
      const symbol = low > 0 ? symbols[low - 1] : undefined
      if (symbol === undefined || (symbol.bytes > 0 && address >= symbol.address + symbol.bytes)) return null
      return { function: symbol.name, offset: address - symbol.address }
    },
  }
}

function collectSymbols(file: Uint8Array, base: bigint): CodeSymbol[] {
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
      if (name !== '') symbols.push({ address: Number(view.getBigUint64(at + 8, true) - base), bytes: u64(view, at + 16), name })
    }
  }
  return symbols
}

function readName(file: Uint8Array, offset: number): string {
  const end = offset < file.length ? file.indexOf(0, offset) : -1
  return end === -1 ? '' : new TextDecoder().decode(file.subarray(offset, end))
}
