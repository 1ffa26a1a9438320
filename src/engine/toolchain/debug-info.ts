import { readLineTables } from './dwarf-line.ts'
import type { Sequence } from './dwarf-line.ts'
import { ElfError, STT_FUNC, STT_NOTYPE, findSection, readSections, readSymbols } from './elf.ts'
import type { Section } from './elf.ts'

const SHF_EXECINSTR = 4n
const NO_BYTES = new Uint8Array(0)

export interface Location {
  /** The function or label it is in; '' when the file does not say. */
  function: string
  /** Bytes from there; 0 when the function is unknown. */
  offset: number
  file?: string
  /** From 1. */
  line?: number
  /** From 1, in bytes as the compiler counts; absent when the compiler did not say. */
  column?: number
}

/** What a program's debug information says about addresses of its code. */
export interface Symbolizer {
  /**
   * The source of the instruction at a virtual address, or null when the program has no code there. For a return address
   * ask for the byte before it, which belongs to the call. Never throws.
   */
  locate(address: number | bigint): Location | null
}

/**
 * Makes a symbolizer of an ELF64 x86-64 file. Only the section headers are read now; symbols and DWARF line tables are
 * read at the first question, and what is damaged in them counts as absent.
 * Throws ElfError when it is no such file. Keeps a reference to the bytes.
 */
export function readDebugInfo(elf: Uint8Array): Symbolizer {
  const sections = readSections(elf)
  let index: DebugIndex | undefined
  return {
    locate(address) {
      index ??= new DebugIndex(sections)
      const exact = typeof address === 'bigint' ? address : Number.isInteger(address) ? BigInt(address) : undefined
      return exact === undefined ? null : index.locate(BigInt.asUintN(64, exact))
    }
  }
}

interface CodeSymbol {
  name: string
  start: bigint
  /** 0n when the file does not say: it then reaches to the next symbol. */
  size: bigint
  isFunction: boolean
}

class DebugIndex {
  private readonly symbols: CodeSymbol[]
  private readonly sequences: Sequence[]
  private readonly code: { start: bigint; end: bigint }[]

  constructor(sections: readonly Section[]) {
    this.code = sections
      .filter(({ flags, bytes }) => (flags & SHF_EXECINSTR) !== 0n && bytes.length > 0)
      .map(({ address, bytes }) => ({ start: address, end: address + BigInt(bytes.length) }))
    this.symbols = this.readCodeSymbols(sections)
    const line = findSection(sections, '.debug_line')?.bytes ?? NO_BYTES
    const lineStrings = findSection(sections, '.debug_line_str')?.bytes ?? NO_BYTES
    const strings = findSection(sections, '.debug_str')?.bytes ?? NO_BYTES
    // The linker leaves the tables of code it dropped, at addresses where there is none.
    this.sequences = readLineTables({ line, lineStrings, strings })
      .filter(({ start }) => this.isCode(start))
      .sort((a, b) => compare(a.start, b.start))
  }

  locate(address: bigint): Location | null {
    if (!this.isCode(address)) return null
    const symbol = this.symbolAt(address)
    const line = this.lineAt(address)
    if (!symbol && !line) return null
    return { function: symbol?.name ?? '', offset: symbol ? Number(address - symbol.start) : 0, ...line }
  }

  private isCode(address: bigint): boolean {
    return this.code.some(({ start, end }) => address >= start && address < end)
  }

  private readCodeSymbols(sections: readonly Section[]): CodeSymbol[] {
    try {
      return readSymbols(sections)
        .filter(({ name, type, value }) => name !== '' && (type === STT_FUNC || type === STT_NOTYPE) && this.isCode(value))
        .map(({ name, value, size, type }) => ({ name, start: value, size, isFunction: type === STT_FUNC }))
        // At one address the last counts: a function goes before a label.
        .sort((a, b) => compare(a.start, b.start) || Number(a.isFunction) - Number(b.isFunction))
    } catch (error) {
      if (error instanceof ElfError) return []
      throw error
    }
  }

  private symbolAt(address: bigint): CodeSymbol | undefined {
    const symbol = this.symbols[lastAtOrBelow(this.symbols.length, at => this.symbols[at].start <= address)]
    if (!symbol || (symbol.size > 0n && address >= symbol.start + symbol.size)) return undefined
    return symbol
  }

  private lineAt(address: bigint): Pick<Location, 'file' | 'line' | 'column'> | undefined {
    const sequence = this.sequences[lastAtOrBelow(this.sequences.length, at => this.sequences[at].start <= address)]
    if (!sequence || address >= sequence.start + BigInt(sequence.length)) return undefined
    const offset = Number(address - sequence.start)
    let row = lastAtOrBelow(sequence.offsets.length, at => sequence.offsets[at] <= offset)
    // Line 0 is code that belongs to no line; the line before it is the closest there is.
    while (row >= 0 && sequence.lines[row] <= 0) row--
    const file = row < 0 ? undefined : sequence.files[sequence.fileIndices[row]]
    if (file === undefined || file === '') return undefined
    const column = sequence.columns[row]
    return { file, line: sequence.lines[row], ...(column > 0 ? { column } : {}) }
  }
}

/** The last index for which `holds`, which must hold for a first part of the indices and for none after; -1 when for none. */
function lastAtOrBelow(count: number, holds: (index: number) => boolean): number {
  let low = 0
  let high = count
  while (low < high) {
    const middle = (low + high) >>> 1
    if (holds(middle)) low = middle + 1
    else high = middle
  }
  return low - 1
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0
}
