import type { Random } from './random-program.ts'
import { PML4 } from './trap-stage.ts'

/**
 * Programs of a few memory accesses in a virtual area whose page tables are anything, and a model of paging that has no TLB: it walks the
 * tables for each access (SDM vol. 3, 4.5 to 4.8).
 */

/** Physical layout: tables, frames that the area's pages lead to, and a device behind RAM. */
export const RAM_BYTES = 4 << 20
const AREA_PDPT = 0x10000
const AREA_PD = 0x11000
export const AREA_PT = 0x12000
export const FRAMES = 0x200000
export const FRAME_COUNT = 40
export const DEVICE = 0x10000000
const PAGE = 4096
/** Pages of the area, all in one page table. */
const AREA_PAGES = 32
const TABLE_ENTRIES = 512

const P = 1n
const W = 2n
const U = 4n
const A = 0x20n
const D = 0x40n
const NX = 1n << 63n
const ADDRESS = 0x000ffffffffff000n

/** Where areas are: somewhere, at the end of the lower half and at the beginning of the upper one. */
export const AREAS = [0x40000000n, 0x7fffffffffffn - BigInt(AREA_PAGES * PAGE) + 1n, 0xffff800000000000n] as const

export type Operation =
  | { kind: 'load' | 'store' | 'add'; size: 1 | 2 | 4 | 8 }
  | { kind: 'load' | 'store'; size: 16; aligned: boolean }
  | { kind: 'push' | 'pop' | 'lods' | 'stos' | 'movs'; size: 8 }

export interface Access {
  operation: Operation
  /** Register in encoding order; of the operations that name one. */
  base: number
  displacement: number
  code: readonly number[]
}

export interface PagedProgram {
  accesses: readonly Access[]
  /** Initial general registers. */
  registers: bigint[]
  user: boolean
  writeProtect: boolean
  area: bigint
}

const BASES = [3, 6, 7, 8, 9, 10, 11]
const [RDX, RSP, RSI, RDI] = [2, 4, 6, 7]
const OPERATIONS: readonly Operation[] = [
  ...([1, 2, 4, 8] as const).flatMap((size) => (['load', 'load', 'store', 'store', 'add'] as const).map((kind) => ({ kind, size }))),
  ...([true, false] as const).flatMap((aligned) => (['load', 'store'] as const).map((kind) => ({ kind, size: 16 as const, aligned }))),
  ...(['push', 'push', 'pop', 'pop', 'lods', 'stos', 'movs'] as const).map((kind) => ({ kind, size: 8 as const })),
]

/** [base+displacement] with a register of the instruction. */
function withMemory(prefixes: number[], opcode: number[], reg: number, base: number, displacement: number, wide: boolean): number[] {
  const rex = (wide ? 8 : 0) | (base >> 3)
  const bytes = [0, 8, 16, 24].map((shift) => (displacement >> shift) & 0xff)
  return [...prefixes, ...(rex === 0 ? [] : [0x40 | rex]), ...opcode, 0x80 | (reg << 3) | (base & 7), ...bytes]
}

function encode(operation: Operation, base: number, displacement: number): number[] {
  const { kind, size } = operation
  if (kind === 'push') return [0x52]
  if (kind === 'pop') return [0x58]
  if (kind === 'lods') return [0x48, 0xad]
  if (kind === 'stos') return [0x48, 0xab]
  if (kind === 'movs') return [0x48, 0xa5]
  if (size === 16) {
    const aligned = 'aligned' in operation && operation.aligned
    const opcode = aligned ? [0x0f, kind === 'load' ? 0x28 : 0x29] : [0x0f, kind === 'load' ? 0x6f : 0x7f]
    return withMemory(aligned ? [] : [0xf3], opcode, 0, base, displacement, false)
  }
  const opcode = { load: 0x8a, store: 0x88, add: 0x00 }[kind] + (size === 1 ? 0 : 1)
  return withMemory(size === 2 ? [0x66] : [], [opcode], kind === 'load' ? 0 : RDX, base, displacement, size === 8)
}

/** An address in or around the area, mostly near where something changes. */
function randomAddress(random: Random, area: bigint): bigint {
  const page = BigInt(random.below(AREA_PAGES + 1)) * BigInt(PAGE)
  const near = random.below(4) === 0 ? BigInt(random.below(48) - 32) : BigInt(random.below(PAGE))
  const inside = area + page + near
  const elsewhere = random.below(60)
  if (elsewhere === 0) return inside ^ (1n << 62n)
  if (elsewhere === 1) return (1n << 62n) + BigInt(random.below(0x3000)) - 0x1000n
  if (elsewhere === 2) return BigInt(random.below(0x3000)) - 0x1000n
  return inside
}

export function pagedProgram(random: Random): PagedProgram {
  const area = random.pick(AREAS)
  const registers = Array.from({ length: 16 }, () => BigInt.asUintN(64, randomAddress(random, area)))
  registers[RSP] &= ~7n
  // Neighbours, so that some of them can be looked at together.
  const bases = [random.pick(BASES), random.pick(BASES)]
  const accesses = Array.from({ length: 1 + random.below(8) }, () => {
    const operation = random.pick(OPERATIONS)
    const base = random.pick(random.below(3) > 0 ? bases : BASES)
    const near = random.below(128) & (random.below(2) === 0 ? ~15 : ~0)
    const displacement = random.below(2) === 0 ? near : near + (random.below(7) - 3) * PAGE
    return { operation, base, displacement, code: encode(operation, base, displacement) }
  })
  return { accesses, registers, user: random.below(4) > 0, writeProtect: random.below(4) > 0, area }
}

/** An entry of the area's page table. */
function entry(random: Random, page: number): bigint {
  const frame = random.below(10) > 0 ? page : random.below(FRAME_COUNT)
  const where = random.below(24) === 0 ? DEVICE + page * PAGE : FRAMES + frame * PAGE
  const bit = (value: bigint, percent: number): bigint => (random.below(100) < percent ? value : 0n)
  return BigInt(where) | bit(P, 93) | bit(W, 80) | bit(U, 93) | bit(A, 75) | bit(D, 60) | bit(NX, 10)
}

/** Guest-physical memory as the model and the processor have it, each its own. */
export interface Physical {
  read(address: number): number
  write(address: number, value: number): void
}
export function readWord(memory: Physical, address: number): bigint {
  let value = 0n
  for (let byte = 7; byte >= 0; byte--) value = (value << 8n) | BigInt(memory.read(address + byte))
  return value
}
export function writeWord(memory: Physical, address: number, value: bigint): void {
  for (let byte = 0; byte < 8; byte++) memory.write(address + byte, Number((value >> BigInt(byte * 8)) & 0xffn))
}

const indexOf = (area: bigint, level: number): number => Number((area >> BigInt(12 + 9 * level)) & 511n)

/** A write of an entry of a table. */
export type Change = readonly [address: number, value: bigint]

/** Tables for an area: the ways down to its page table, and its entries. */
export function tablesFor(random: Random, area: bigint): Change[] {
  const rights = P | W | U
  const loosely = (): bigint => P | (random.below(8) > 0 ? W : 0n) | (random.below(12) > 0 ? U : 0n) | (random.below(2) === 0 ? A : 0n)
  // One way alone, so that no page has two addresses of which only one is invalidated.
  const closed = AREAS.flatMap((other): Change[] =>
    [PML4, AREA_PDPT, AREA_PD].map((table, depth) => [table + indexOf(other, 3 - depth) * 8, 0n]))
  return [
    ...closed,
    [PML4 + indexOf(area, 3) * 8, BigInt(AREA_PDPT) | rights],
    [AREA_PDPT + indexOf(area, 2) * 8, BigInt(AREA_PD) | rights],
    [AREA_PD + indexOf(area, 1) * 8, BigInt(AREA_PT) | loosely()],
    ...changesOf(random, area, AREA_PAGES),
  ]
}

/** New entries for so many pages of the area. */
export function changesOf(random: Random, area: bigint, count: number): Change[] {
  const first = indexOf(area, 0)
  const pages = Array.from({ length: count }, (_, page) => (count === AREA_PAGES ? page : random.below(AREA_PAGES)))
  return pages.map((page) => [AREA_PT + ((first + page) % TABLE_ENTRIES) * 8, entry(random, page)] as const)
}
/** The address whose translation a change of an entry changes. */
export const addressOf = (area: bigint, [at]: Change): bigint => area + BigInt(((at - AREA_PT) / 8 - indexOf(area, 0)) * PAGE)

export interface Fault {
  vector: number
  error: number
  cr2: bigint
}
class Faulted extends Error {
  readonly fault: Fault
  constructor(fault: Fault) {
    super()
    this.fault = fault
  }
}

/** What a program does, by the book and one byte at a time. */
export class Model {
  readonly registers: bigint[]
  /** The lower half of XMM0 first. */
  xmm0 = [0n, 0n]
  private readonly memory: Physical
  private readonly device: Physical
  private readonly program: PagedProgram

  constructor(program: PagedProgram, memory: Physical, device: Physical) {
    this.program = program
    this.registers = [...program.registers]
    this.memory = memory
    this.device = device
  }

  /** Carries out one access; a fault leaves all but accessed and dirty bits as it was. */
  step({ operation, base, displacement }: Access): Fault | undefined {
    try {
      this.carryOut(operation, BigInt.asUintN(64, this.registers[base] + BigInt(displacement)))
      return undefined
    } catch (error) {
      if (error instanceof Faulted) return error.fault
      throw error
    }
  }

  private carryOut(operation: Operation, at: bigint): void {
    const { registers } = this
    const { kind, size } = operation
    const move = (register: number): void => { registers[register] = BigInt.asUintN(64, registers[register] + 8n) }
    if (size === 16) {
      if ('aligned' in operation && operation.aligned && (at & 15n) !== 0n) throw new Faulted({ vector: 13, error: 0, cr2: 0n })
      if (kind === 'load') {
        const value = this.load(at, 16)
        this.xmm0 = [BigInt.asUintN(64, value), value >> 64n]
      } else this.store(at, 16, this.xmm0[0] | (this.xmm0[1] << 64n))
      return
    }
    const mask = (1n << BigInt(size * 8)) - 1n
    if (kind === 'load') {
      const value = this.load(at, size)
      registers[0] = size >= 4 ? value : (registers[0] & ~mask) | value
    } else if (kind === 'store') this.store(at, size, registers[RDX] & mask)
    else if (kind === 'add') {
      const value = this.load(at, size, true)
      this.store(at, size, (value + registers[RDX]) & mask)
    } else if (kind === 'push') {
      const to = BigInt.asUintN(64, registers[RSP] - 8n)
      this.store(to, 8, registers[RDX], true)
      registers[RSP] = to
    } else if (kind === 'pop') {
      const value = this.load(registers[RSP], 8, false, true)
      registers[RSP] = BigInt.asUintN(64, registers[RSP] + 8n)
      registers[0] = value
    } else if (kind === 'lods') {
      registers[0] = this.load(registers[RSI], 8)
      move(RSI)
    } else if (kind === 'stos') {
      this.store(registers[RDI], 8, registers[0])
      move(RDI)
    } else {
      this.store(registers[RDI], 8, this.load(registers[RSI], 8))
      move(RSI)
      move(RDI)
    }
  }

  private load(at: bigint, size: number, write = false, stack = false): bigint {
    return this.bytesAt(at, size, write, stack).reduceRight((value, byte) => (value << 8n) | BigInt(byte.memory.read(byte.address)), 0n)
  }
  private store(at: bigint, size: number, value: bigint, stack = false): void {
    const byteOf = (index: number): number => Number((value >> BigInt(index * 8)) & 0xffn)
    this.bytesAt(at, size, true, stack).forEach(({ memory, address }, index) => memory.write(address, byteOf(index)))
  }

  /** Where each byte of an access is, once all of it may be made. */
  private bytesAt(at: bigint, size: number, write: boolean, stack: boolean): { memory: Physical; address: number }[] {
    const pages = new Map<bigint, number>()
    return Array.from({ length: size }, (_, byte) => BigInt.asUintN(64, at + BigInt(byte))).map((each) => {
      const page = each & ~0xfffn
      let physical = pages.get(page)
      if (physical === undefined) pages.set(page, (physical = this.translate(each, write, stack)))
      const address = physical + Number(each & 0xfffn)
      return { memory: address < RAM_BYTES ? this.memory : this.device, address }
    })
  }

  /** The page that an address is in. */
  private translate(at: bigint, write: boolean, stack: boolean): number {
    const { user, writeProtect } = this.program
    if (BigInt.asUintN(64, BigInt.asIntN(48, at)) !== at) throw new Faulted({ vector: stack ? 12 : 13, error: 0, cr2: 0n })
    const used: number[] = []
    let table = PML4
    let rights = W | U
    let value = 0n
    for (let level = 3; level >= 0; level--) {
      const place = table + indexOf(at, level) * 8
      value = readWord(this.memory, place)
      if ((value & P) === 0n) throw this.pageFault(at, write, false)
      used.push(place)
      rights &= value
      table = Number(value & ADDRESS)
    }
    const allowed = (!user || (rights & U) !== 0n) && (!write || (rights & W) !== 0n || (!user && !writeProtect))
    if (!allowed) throw this.pageFault(at, write, true)
    used.forEach((place, depth) => {
      const dirty = write && depth === 3 ? D : 0n
      writeWord(this.memory, place, readWord(this.memory, place) | A | dirty)
    })
    return table
  }
  private pageFault(at: bigint, write: boolean, present: boolean): Faulted {
    return new Faulted({ vector: 14, error: (present ? 1 : 0) | (write ? 2 : 0) | (this.program.user ? 4 : 0), cr2: at })
  }
}
