import type { Slot } from './emit.ts'
import type { Definition } from './instructions/definition.ts'
import { SYSTEM } from './instructions/control.ts'
import { TABLE } from './instructions/table.ts'
import type { Row } from './instructions/row.ts'
import { ModeBit, SegmentIndex } from './state.ts'

/** Segments that are seldom flat when an instruction names them: its limit is asked whatever the mode says. */
const SEGMENTS_CHECKED: ReadonlySet<number> = new Set([SegmentIndex.CS, SegmentIndex.FS, SegmentIndex.GS])

/** Base and index of addresses of 16 bits by ModRM.rm: BX, BP, SI, DI. SDM vol. 2, table 2-1. */
const BASES16 = [3, 3, 5, 5, 6, 7, 5, 3] as const
const INDEXES16 = [6, 7, 6, 7, -1, -1, -1, -1] as const

/** Register number that stands for RIP as a base; -1 for none. */
export const RIP_BASE = 16

/** A decoded instruction: what it means and where its operands are. */
export interface Instruction {
  /** Which handler of tier 0 runs it; the index into `variants`. */
  variant: number
  definition: Definition
  size: number
  slots: readonly Slot[]
  long: boolean
  /** Bytes. */
  length: number
  /** r/m operand as a register, or -1 for memory (or none). */
  rm: number
  /** It is AH, CH, DH or BH. */
  rmHigh: boolean
  hasMemory: boolean
  base: number
  index: number
  scale: number
  /** Sign-extended; for RIP_BASE relative to the instruction's own start. */
  displacement: number
  /** SegmentIndex whose base is added, or -1. */
  segment: number
  /** 8, or what the address is cut to before the segment base is added. */
  addressBytes: number
  /** Outside 64-bit mode: its memory operand is held against the segment's limit. */
  checked: boolean
  reg: number
  regHigh: boolean
  immediateLow: number
  immediateHigh: number
  extra: number
}

/** One way to run a definition: operand sizes and places fixed, as tier 0 needs a handler for each. */
export interface Variant {
  definition: Definition
  size: number
  slots: readonly Slot[]
  long: boolean
  /** Of the addresses that no operand names. */
  addressBytes: number
}

interface Operand {
  letter: string
  size: string
}
interface Parsed {
  row: Row
  operands: readonly Operand[]
  prefix: string
  extension: number
  hasModRm: boolean
  /** Variant number by address size, operand size and mode (legacy 0, long 1), filled as first needed. */
  variants: number[]
  isSystem: boolean
  /** One operand size only, whatever the prefixes say: in legacy mode (0) and in 64-bit mode (1). */
  isFixedSize: boolean[]
}
/** Rows by opcode byte; index 0–255 one-byte, then the 0F, 0F 38 and 0F 3A maps. */
const MAP_BYTES = 256
const maps: Parsed[][] = Array.from({ length: MAP_BYTES * 4 }, () => [])
/** Rows whose third opcode byte is a fixed ModRM value (0F 01 xx). */
const fixed = new Map<number, Parsed>()

const variants: Variant[] = []
const variantByKey = new Map<string, number>()

/** Every variant that some encoding can reach; tier 0 makes a handler for each. The first is no instruction. */
export function allVariants(): readonly Variant[] {
  return variants
}

for (const row of TABLE) register(row)
for (const parsed of new Set(maps.flat()))
  for (const long of [false, true])
    for (const size of operandSizes(parsed, long))
      for (const addressBytes of long ? [8, 4] : [4, 2]) {
        variantOf(parsed, parsed.row.definition, size, long, addressBytes)
        if (parsed.row.rep) variantOf(parsed, parsed.row.rep, size, long, addressBytes)
        if (parsed.row.repne) variantOf(parsed, parsed.row.repne, size, long, addressBytes)
      }
for (const parsed of fixed.values())
  for (const long of [false, true]) for (const size of operandSizes(parsed, long)) variantOf(parsed, parsed.row.definition, size, long, 8)

/** Whether any row of a cell has a ModRM byte. */
const cellHasModRm = maps.map((cell) => cell.some(({ hasModRm }) => hasModRm))

function register(row: Row): void {
  const parts = row.opcode.split(' ')
  let prefix = ''
  if (['NP', '66', 'F3', 'F2'].includes(parts[0]) && parts.length > 1) prefix = parts.shift() as string
  let extension = -1
  if (parts[parts.length - 1].startsWith('/')) extension = Number((parts.pop() as string).slice(1))
  const bytes: number[] = parts.map((part) => Number.parseInt(part, 16))
  let map = 0
  if (bytes[0] === 0x0f) {
    bytes.shift()
    map = 1
    const escape = bytes[0] as number
    if (escape === 0x38 || escape === 0x3a) {
      bytes.shift()
      map = escape === 0x38 ? 2 : 3
    }
  }
  const operands =
    row.operands === ''
      ? []
      : row.operands
          .split(',')
          .map((text) => ({
            letter: text === 'CL' || text === '1' ? text : text[0],
            size: text === 'CL' || text === '1' ? 'b' : text.slice(1),
          }))
  const hasModRm = extension >= 0 || operands.some(({ letter }) => 'EGMRVWUSCPQN'.includes(letter))
  const parsed: Parsed = {
    row, operands, prefix, extension, hasModRm, variants: [], isSystem: row.definition.control === 'system', isFixedSize: [],
  }
  parsed.isFixedSize = [false, true].map((long) => row.wide === undefined && operandSizes(parsed, long).length === 1)
  if (bytes.length === 2) {
    fixed.set((bytes[0] << 8) | bytes[1], parsed)
    return
  }
  const count = operands.some(({ letter }) => letter === 'Z') ? 8 : 1
  for (let low = 0; low < count; low++) maps[map * MAP_BYTES + bytes[0] + low].push(parsed)
}

/** Operand sizes the row can take in a mode. */
function operandSizes(parsed: Parsed, long: boolean): readonly number[] {
  const { row } = parsed
  if (row.mode === 'legacy' && long) return []
  if (row.mode === 'long' && !long) return []
  if (row.wide === 'forced' && long) return [8]
  if (row.wide === 'default' && long) return [2, 8]
  const varies =
    row.size === 'v' ||
    (row.size === undefined && parsed.operands.some(({ size }) => size === 'v' || size === 'z' || size === 'y')) ||
    parsed.operands.some(({ letter, size }) => size === 'v' || size === 'y' || letter === 'J')
  if (!varies) return [4]
  return long ? [2, 4, 8] : [2, 4]
}

function bytesOf(size: string, operandSize: number): number {
  switch (size) {
    case 'b':
      return 1
    case 'w':
      return 2
    case 'd':
      return 4
    case 'q':
      return 8
    case 'x':
      return 16
    case 'y':
      return operandSize === 2 ? 4 : operandSize
    default:
      return operandSize
  }
}

/** The variant number of a row's definition at an operand size. */
function variantOf(parsed: Parsed, definition: Definition, operandSize: number, long: boolean, addressBytes: number): number {
  const { row, operands } = parsed
  const usesRm = operands.some(({ letter }) => 'EMOZUWRQN'.includes(letter))
  const slots: Slot[] = operands.map(({ letter, size }) => {
    const mmx = 'PQN'.includes(letter)
    const vector = mmx || letter === 'V' || letter === 'W' || letter === 'U'
    if (letter === 'CL') return { kind: 'cl', size: 1, vector, mmx }
    if (letter === 'D') return { kind: 'dx', size: 2, vector, mmx }
    const bytes = bytesOf(size, operandSize)
    if (letter === 'I' || letter === '1' || letter === 'J') {
      // An immediate is worth as much as the operation is wide: the decoder sign-extends it.
      const to =
        operands.length > 1 && operands[0].size !== ''
          ? bytesOf(operands[0].size, operandSize)
          : row.size === undefined
            ? operandSize
            : row.size === 'v'
              ? operandSize
              : row.size
      return { kind: 'imm', size: 'VWUPQN'.includes(operands[0].letter) ? 1 : to, vector, mmx }
    }
    if ('GVP'.includes(letter) || (letter === 'A' && usesRm)) return { kind: 'reg', size: bytes, vector, mmx }
    return { kind: 'rm', size: bytes, vector, mmx }
  })
  const size = row.size === 'v' ? operandSize : (row.size ?? (slots.length > 0 ? slots[0].size : operandSize))
  const mode = `${definition.modal === true ? (long ? 'L' : 'l') : ''}${definition.addressed === true ? addressBytes : ''}`
  const place = ({ kind, size: bytes, mmx, vector }: Slot): string => `${kind}${bytes}${mmx ? 'm' : vector ? 'v' : ''}`
  const key = `${definition.name}|${size}|${mode}|${slots.map(place).join(',')}`
  const found = variantByKey.get(key)
  if (found !== undefined) return found
  variants.push({ definition, size, slots, long: definition.modal === true ? long : true, addressBytes })
  variantByKey.set(key, variants.length - 1)
  return variants.length - 1
}

/** One to decode into. */
export const blankInstruction = (): Instruction => ({
  variant: 0, ...variants[0], length: 0, rm: -1, rmHigh: false, hasMemory: false, base: -1, index: -1, scale: 0, displacement: 0,
  segment: -1, addressBytes: 8, checked: false, reg: 0, regHigh: false, immediateLow: 0, immediateHigh: 0, extra: 0,
})

/** Bytes ran out before the instruction ended. */
export const INCOMPLETE = 'incomplete'
/** No such instruction: #UD. `length` bytes were looked at. */
export const UNDEFINED = 'undefined'

/** What LOCK may stand before when it changes memory, SDM vol. 2, LOCK. */
const LOCKABLE = new Set([
  'add', 'adc', 'and', 'btc', 'btcm', 'btr', 'btrm', 'bts', 'btsm', 'cmpxchg', 'cmpxchg8b', 'cmpxchg16b', 'dec', 'inc', 'neg', 'not', 'or',
  'sbb', 'sub', 'xadd', 'xchg', 'xor',
])

/** Longest instruction, SDM vol. 2, 2.3.11. */
export const INSTRUCTION_BYTES_MAX = 15

/**
 * Decodes the instruction at `bytes[offset]`.
 *
 * @param end index after the last byte that may be read
 * @param mode State.MODE bits
 * @param into what is written and returned; tier 0 needs an instruction no longer than it takes to write its record
 */
export function decode(
  bytes: Uint8Array,
  offset: number,
  end: number,
  mode: number,
  into = blankInstruction(),
): Instruction | typeof INCOMPLETE | typeof UNDEFINED {
  const limit = Math.min(end, offset + INSTRUCTION_BYTES_MAX)
  const tooShort = limit === end && end - offset < INSTRUCTION_BYTES_MAX ? INCOMPLETE : UNDEFINED
  const long = (mode & ModeBit.LONG) !== 0
  const wideDefault = long || (mode & ModeBit.D32) !== 0
  let at = offset
  let rex = 0
  let operandOverride = false
  let addressOverride = false
  let repeat = 0
  let lock = false
  let segmentOverride = -1
  let opcode = 0
  prefixes: for (;;) {
    if (at >= limit) return tooShort
    opcode = bytes[at++]
    switch (opcode) {
      case 0x66:
        operandOverride = true
        rex = 0
        break
      case 0x67:
        addressOverride = true
        rex = 0
        break
      case 0xf0:
        lock = true
        rex = 0
        break
      case 0xf2:
      case 0xf3:
        repeat = opcode
        rex = 0
        break
      case 0x26:
      case 0x2e:
      case 0x36:
      case 0x3e:
        segmentOverride = (opcode >> 3) & 3
        rex = 0
        break
      case 0x64:
      case 0x65:
        segmentOverride = opcode - 0x60
        rex = 0
        break
      default:
        if (long && (opcode & 0xf0) === 0x40) rex = opcode
        else break prefixes
    }
  }
  let map = 0
  if (opcode === 0x0f) {
    if (at >= limit) return tooShort
    opcode = bytes[at++]
    map = 1
    if (opcode === 0x38 || opcode === 0x3a) {
      map = opcode === 0x38 ? 2 : 3
      if (at >= limit) return tooShort
      opcode = bytes[at++]
    }
  }
  const cell = maps[map * MAP_BYTES + opcode]
  let modRm = -1
  let parsed: Parsed | undefined
  if (map === 1 && opcode === 0x01) {
    if (at >= limit) return tooShort
    const candidate = fixed.get(0x100 | bytes[at])
    if (candidate !== undefined && (candidate.row.mode === undefined || (candidate.row.mode === 'long') === long)) {
      parsed = candidate
      at++
    }
  }
  if (!parsed) {
    if (cell.length === 0) return UNDEFINED
    if (cellHasModRm[map * MAP_BYTES + opcode]) {
      if (at >= limit) return tooShort
      modRm = bytes[at]
    }
    const mandatory = repeat === 0xf3 ? 'F3' : repeat === 0xf2 ? 'F2' : operandOverride ? '66' : 'NP'
    const memory = modRm >= 0 && modRm >> 6 !== 3
    const forceRegister = map === 1 && opcode >= 0x20 && opcode <= 0x23
    for (const candidate of cell) {
      const { row, extension, prefix } = candidate
      const fits =
        (prefix === mandatory || (prefix === '' && parsed === undefined)) &&
        (extension < 0 || extension === ((modRm >> 3) & 7)) &&
        (row.form === undefined || (row.form === 'memory') === (memory && !forceRegister)) &&
        (row.rexW === undefined || (rex & 8) !== 0) &&
        (row.mode === undefined || (row.mode === 'long') === long)
      if (!fits) continue
      parsed = candidate
      if (prefix === mandatory) break
    }
    if (!parsed) return UNDEFINED
    if (!parsed.hasModRm) modRm = -1
    else at++
    if (forceRegister) modRm |= 0xc0
  }
  const { row, operands } = parsed
  if (lock && !(modRm >= 0 && modRm >> 6 !== 3 && LOCKABLE.has(row.definition.name) && operands[0].letter !== 'G')) return UNDEFINED
  // A mandatory 66 is part of the opcode and changes no size.
  const override = operandOverride && parsed.prefix !== '66'
  let operandSize = (rex & 8) !== 0 ? 8 : override === wideDefault ? 2 : 4
  if (long && row.wide === 'forced') operandSize = 8
  else if (long && row.wide === 'default' && operandSize === 4) operandSize = 8
  if (long && row.wide === 'default' && (rex & 8) !== 0) operandSize = 8
  if (parsed.isFixedSize[long ? 1 : 0]) operandSize = 4

  let definition = row.definition
  if (repeat !== 0 && row.rep && row.repne) definition = repeat === 0xf3 ? row.rep : row.repne
  const addressBytes = long ? (addressOverride ? 4 : 8) : addressOverride === wideDefault ? 2 : 4
  const key = ((addressBytes >> 2) << 5) | (operandSize << 1) | (long ? 1 : 0)
  let variant: number
  if (definition === row.definition) {
    variant = parsed.variants[key] ?? (parsed.variants[key] = variantOf(parsed, definition, operandSize, long, addressBytes))
  } else variant = variantOf(parsed, definition, operandSize, long, addressBytes)
  const { size, slots } = variants[variant]

  const result = into
  result.variant = variant
  result.definition = definition
  result.size = size
  result.slots = slots
  result.long = long
  result.length = 0
  result.rm = -1
  result.rmHigh = false
  result.hasMemory = false
  result.base = -1
  result.index = -1
  result.scale = 0
  result.displacement = 0
  result.segment = -1
  result.addressBytes = addressBytes
  result.checked = false
  result.reg = (opcode >> 3) & 7
  result.regHigh = false
  result.immediateLow = 0
  result.immediateHigh = 0
  result.extra = 0
  if (modRm >= 0) {
    const mod = modRm >> 6
    result.reg = ((modRm >> 3) & 7) | ((rex & 4) << 1)
    const low = modRm & 7
    if (mod === 3) {
      result.rm = low | ((rex & 1) << 3)
      if (definition.addressed === true) result.segment = segmentFor(long, mode, segmentOverride, SegmentIndex.DS)
    } else {
      result.hasMemory = true
      let stackSegment = false
      const narrow = addressBytes === 2
      if (narrow) {
        if (mod !== 0 || low !== 6) {
          result.base = BASES16[low]
          result.index = INDEXES16[low]
          stackSegment = result.base === 5
        }
      } else if (low === 4) {
        if (at >= limit) return tooShort
        const sib = bytes[at++]
        result.scale = sib >> 6
        const index = ((sib >> 3) & 7) | ((rex & 2) << 2)
        result.index = index === 4 ? -1 : index
        const base = sib & 7
        if (base === 5 && mod === 0) {
          if (at + 4 > limit) return tooShort
          result.displacement = readI32(bytes, at)
          at += 4
        } else {
          result.base = base | ((rex & 1) << 3)
          stackSegment = result.base === 4 || result.base === 5
        }
      } else if (low === 5 && mod === 0) {
        if (at + 4 > limit) return tooShort
        result.displacement = readI32(bytes, at)
        at += 4
        if (long) result.base = RIP_BASE
      } else {
        result.base = low | ((rex & 1) << 3)
        stackSegment = result.base === 5
      }
      if (mod === 1) {
        if (at >= limit) return tooShort
        result.displacement = (bytes[at++] << 24) >> 24
      } else if (narrow) {
        if (mod === 2 || low === 6) {
          if (at + 2 > limit) return tooShort
          result.displacement = bytes[at] | (bytes[at + 1] << 8)
          at += 2
        }
      } else if (mod === 2) {
        if (at + 4 > limit) return tooShort
        result.displacement = readI32(bytes, at)
        at += 4
      }
      const isAccess = definition.name !== 'lea' && definition.name !== 'nopm'
      if (isAccess) result.segment = segmentFor(long, mode, segmentOverride, stackSegment ? SegmentIndex.SS : SegmentIndex.DS)
    }
  } else result.segment = segmentFor(long, mode, segmentOverride, SegmentIndex.DS)
  result.checked = !long && result.segment >= 0 && ((mode & ModeBit.CHECKED) !== 0 || SEGMENTS_CHECKED.has(result.segment))

  for (let operand = 0; operand < operands.length; operand++) {
    const { letter, size: code } = operands[operand]
    if (letter === 'Z') result.rm = (opcode & 7) | ((rex & 1) << 3)
    else if (letter === 'A') {
      if (slots[operand].kind === 'reg') result.reg = 0
      else result.rm = 0
    } else if (letter === 'O') {
      const bytesNeeded = addressBytes
      if (at + bytesNeeded > limit) return tooShort
      const low = bytesNeeded === 2 ? bytes[at] | (bytes[at + 1] << 8) : readI32(bytes, at)
      result.displacement = bytesNeeded === 8 ? readI32(bytes, at + 4) * 0x100000000 + (low >>> 0) : low >>> 0
      // Beyond what a double holds no address is canonical: any other such address faults the same.
      if (!Number.isSafeInteger(result.displacement)) result.displacement = 2 ** 52
      at += bytesNeeded
      result.hasMemory = true
      result.rm = -1
    } else if (letter === '1') result.immediateLow = 1
    else if (letter === 'I' || letter === 'J') {
      const wide = operandSize
      const bytesNeeded = code === 'b' ? 1 : code === 'w' ? 2 : code === 'v' ? wide : wide === 2 && !(long && row.wide === 'forced') ? 2 : 4
      if (at + bytesNeeded > limit) return tooShort
      if (bytesNeeded === 1) result.immediateLow = (bytes[at] << 24) >> 24
      else if (bytesNeeded === 2) result.immediateLow = ((bytes[at] | (bytes[at + 1] << 8)) << 16) >> 16
      else result.immediateLow = readI32(bytes, at)
      result.immediateHigh = bytesNeeded === 8 ? readI32(bytes, at + 4) : result.immediateLow >> 31
      if (parsed.isSystem && bytesNeeded <= 2) {
        result.immediateLow &= bytesNeeded === 1 ? 0xff : 0xffff
        result.immediateHigh = 0
      }
      at += bytesNeeded
    }
  }
  if (row.extra) {
    if (at + row.extra > limit) return tooShort
    result.extra = row.extra === 1 ? bytes[at] : bytes[at] | (bytes[at + 1] << 8)
    at += row.extra
    // ENTER with a nesting level, which walks display frames, is another instruction's business.
    if (row.extra === 1 && (result.extra & 31) !== 0) become(result, ENTER_LEVELS[Math.log2(operandSize)])
  }
  // XCHG rAX,rAX is NOP: it does not clear the upper half of RAX.
  if (map === 0 && opcode === 0x90 && result.rm === 0 && definition.name === 'xchg') {
    become(result, NOP_INDEX)
    result.rm = -1
  }
  if ((definition.sse || definition.mmx) && (mode & ModeBit.SSE) === 0) {
    become(result, definition.sse ? SSE_UNUSABLE : MMX_UNUSABLE)
    result.rm = -1
    result.hasMemory = false
  }
  // Without REX, byte registers 4–7 are AH CH DH BH.
  if (rex === 0) {
    for (const slot of result.slots)
      if (slot.size === 1 && !slot.vector) {
        if (slot.kind === 'rm' && !result.hasMemory && result.rm >= 4 && result.rm < 8) {
          result.rmHigh = true
          result.rm -= 4
        } else if (slot.kind === 'reg' && result.reg >= 4 && result.reg < 8) {
          result.regHigh = true
          result.reg -= 4
        }
      }
  }
  result.length = at - offset
  if (result.base === RIP_BASE) result.displacement += result.length
  // POP [RSP+n] works its address out after RSP has moved.
  if (definition.name === 'popm' && result.base === 4) result.displacement += size
  return result
}

const NOP_INDEX = variants.findIndex((variant) => variant.definition.name === 'nop' && variant.slots.length === 0)
/** A variant that no row of the table says. */
function extra(definition: Definition, size = 4, slots: readonly Slot[] = []): number {
  return variants.push({ definition, size, slots, long: true, addressBytes: 8 }) - 1
}
/** Makes an instruction be of another variant. */
function become(instruction: Instruction, index: number): void {
  const { definition, slots, size } = variants[index]
  Object.assign(instruction, { definition, slots, size, variant: index })
}
const ENTER_LEVELS = [1, 2, 4, 8].map((size) => extra(SYSTEM.ENTER.immediate, size, [{ kind: 'imm', size: 2, vector: false, mmx: false }]))
/** What SSE and MMX instructions decode to while they may not be used. */
const SSE_UNUSABLE = extra(SYSTEM.SSE_UNUSABLE.plain)
const MMX_UNUSABLE = extra(SYSTEM.MMX_UNUSABLE.plain)

function segmentFor(long: boolean, mode: number, override: number, standard: number): number {
  if (long) return override === SegmentIndex.FS || override === SegmentIndex.GS ? override : -1
  const segment = override >= 0 ? override : standard
  return (mode & (ModeBit.BASED | ModeBit.CHECKED)) !== 0 || SEGMENTS_CHECKED.has(segment) ? segment : -1
}

function readI32(bytes: Uint8Array, at: number): number {
  return bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)
}
