import type { PhysicalMemory } from '../../machine/memory.ts'

/** Multiboot 0.6.96, 3.3: the information structure a loader leaves. Only the fields this kernel asks for. */
const InfoOffset = { FLAGS: 0, CMDLINE: 16, MODS_COUNT: 20, MODS_ADDR: 24, MMAP_LENGTH: 44, MMAP_ADDR: 48 } as const
const InfoFlag = { CMDLINE: 1 << 2, MODS: 1 << 3, MMAP: 1 << 6 } as const
/** Offsets in a memory map entry, from its `size` field, which does not count itself. */
const MapOffset = { SIZE: 0, BASE: 4, LENGTH: 12, TYPE: 20 } as const
const MAP_TYPE_AVAILABLE = 1
const MODULE_BYTES = 16
const ENTRIES_MAX = 128
const COMMAND_LINE_MAX = 1 << 16
const INFO_BYTES = 116

export interface MemoryRange {
  start: number
  end: number
}

export interface BootModule extends MemoryRange {
  commandLine: string
}

export interface MultibootInfo {
  commandLine: string
  modules: BootModule[]
  /** RAM that the map calls available, in the map's order. */
  available: MemoryRange[]
  /** Where the structure itself and what it points to lie: not free until it has been read. */
  occupied: MemoryRange[]
}

const readCString = (memory: PhysicalMemory, address: number): { text: string; end: number } => {
  let end = address
  while (end < memory.bytes && end - address < COMMAND_LINE_MAX && memory.readU8(end) !== 0) end++
  return { text: new TextDecoder().decode(memory.read(address, end - address)), end: end + 1 }
}

/** Reads the structure at physical `address`. Throws RangeError when it points outside RAM or has no memory map. */
export function readMultibootInfo(memory: PhysicalMemory, address: number): MultibootInfo {
  const flags = memory.readU32(address + InfoOffset.FLAGS)
  if ((flags & InfoFlag.MMAP) === 0) throw new RangeError('the loader passed no memory map')
  const occupied: MemoryRange[] = [{ start: address, end: address + INFO_BYTES }]
  const available: MemoryRange[] = []
  const mapStart = memory.readU32(address + InfoOffset.MMAP_ADDR)
  const mapEnd = mapStart + memory.readU32(address + InfoOffset.MMAP_LENGTH)
  occupied.push({ start: mapStart, end: mapEnd })
  let entry = mapStart
  for (let count = 0; entry < mapEnd && count < ENTRIES_MAX; count++, entry += memory.readU32(entry + MapOffset.SIZE) + 4) {
    if (memory.readU32(entry + MapOffset.TYPE) !== MAP_TYPE_AVAILABLE) continue
    const start = Number(memory.readU64(entry + MapOffset.BASE))
    available.push({ start, end: start + Number(memory.readU64(entry + MapOffset.LENGTH)) })
  }
  let commandLine = ''
  if ((flags & InfoFlag.CMDLINE) !== 0) {
    const at = memory.readU32(address + InfoOffset.CMDLINE)
    const { text, end } = readCString(memory, at)
    commandLine = text
    occupied.push({ start: at, end })
  }
  const modules: BootModule[] = []
  if ((flags & InfoFlag.MODS) !== 0) {
    const table = memory.readU32(address + InfoOffset.MODS_ADDR)
    const count = Math.min(memory.readU32(address + InfoOffset.MODS_COUNT), ENTRIES_MAX)
    occupied.push({ start: table, end: table + count * MODULE_BYTES })
    for (let index = 0; index < count; index++) {
      const at = table + index * MODULE_BYTES
      const text = memory.readU32(at + 8)
      const line = text === 0 ? { text: '', end: 0 } : readCString(memory, text)
      if (text !== 0) occupied.push({ start: text, end: line.end })
      modules.push({ start: memory.readU32(at), end: memory.readU32(at + 4), commandLine: line.text })
    }
  }
  return { commandLine, modules, available, occupied }
}

/**
 * Splits a command line at spaces. Inside double quotes spaces count as text; a backslash takes the next character as it
 * is, inside quotes and outside.
 */
export function splitCommandLine(line: string): string[] {
  const words: string[] = []
  let word: string | null = null
  let quoted = false
  for (let index = 0; index < line.length; index++) {
    let character = line[index]
    if (character === '\\' && index + 1 < line.length) character = line[++index]
    else if (character === '"') {
      quoted = !quoted
      word ??= ''
      continue
    } else if (character === ' ' && !quoted) {
      if (word !== null) words.push(word)
      word = null
      continue
    }
    word = (word ?? '') + character
  }
  if (word !== null) words.push(word)
  return words
}

/** The inverse of splitCommandLine for one word. */
export const quoteWord = (word: string): string => `"${word.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
