import { TABLE } from '../instructions/table.ts'
import type { Row } from '../instructions/row.ts'
import { ARITHMETIC_FLAGS } from '../state.ts'
import { Random } from '../testing/random-program.ts'
import { STACK_OFFSET, interestingInteger, writeRecord } from './case.ts'
import type { CaseMode, SiliconCase } from './case.ts'
import {
  At, CODE_ADDRESS, CODE_BYTES_MAX, DATA_ADDRESS, DATA_BYTES, READ_ONLY_ADDRESS, RECORD_BYTES, UNMAPPED_ADDRESS, WINDOW_ADDRESS,
  WINDOW_BYTES,
} from './layout.ts'
import { flagsNotRestored, hasUndefinedResult, isApproximate, undefinedFlags } from './undefined.ts'
import { X87_ROWS, isTranscendental, isX87, operandBytes as x87OperandBytes, operandContents } from './x87.ts'

/**
 * Makes cases from the instruction table: every row, with random operands of every form that the row allows, and the
 * registers that address memory set so that most accesses land in the window.
 */

const RSP = 4
const RBP = 5
/** A page boundary runs through the window's middle. */
const BOUNDARY = DATA_ADDRESS + 0x1000 - WINDOW_ADDRESS
/** Room that string instructions, bit strings and page-crossing operands need on either side. */
const MARGIN = 112
const CODE_LENGTH_MAX = CODE_BYTES_MAX - 32

/** Rows that mean something else, or nothing, on the processor underneath; and what is not for programs. */
function isComparable({ definition, opcode }: Row): boolean {
  if (definition.control === 'system' && !/^sysm?_(BOUND|INTO)$/.test(definition.name)) return false
  // X87_ROWS has these one by one.
  if (/^(D[8-F]|9B)\b/.test(opcode)) return false
  // With an operand in memory AMD's processors leave the x87 alone, against the manual that we go by.
  return definition.name !== 'mmx_cvtpi2ps'
}
const COMPARABLE = TABLE.filter(isComparable)
export const ROWS: readonly Row[] = COMPARABLE.filter(({ mode }) => mode !== 'legacy')
export const COMPATIBILITY_ROWS: readonly Row[] = COMPARABLE.filter(({ mode, rexW }) => mode !== 'long' && rexW === undefined)

interface Operand {
  letter: string
  size: string
}
const parseOperands = (row: Row): Operand[] =>
  row.operands === ''
    ? []
    : row.operands
        .split(',')
        .map((text) => (text === 'CL' || text === '1' ? { letter: text, size: 'b' } : { letter: text[0], size: text.slice(1) }))

const littleEndian = (value: bigint, bytes: number): number[] =>
  Array.from({ length: bytes }, (_, index) => Number((value >> BigInt(index * 8)) & 0xffn))
const fitsI32 = (value: bigint): boolean => BigInt.asIntN(32, value) === value

/** Builds one case, an instruction at a time. */
class CaseBuilder {
  readonly code: number[] = []
  readonly names: string[] = []
  private undefinedFlags = 0
  private undefinedBefore = 0
  private readonly random: Random
  private readonly seed: number
  private readonly mode: CaseMode
  /** General and XMM registers that there are. */
  private readonly registers: number
  private readonly pinned = new Map<number, bigint>()
  private readonly memory: [number, bigint][] = []

  constructor(seed: number, mode: CaseMode) {
    this.seed = seed
    this.mode = mode
    this.registers = mode === 'long' ? 16 : 8
    this.random = new Random(seed ^ 0x9e3779b9)
    for (let index = 0; index < 8; index++) this.random.next()
  }

  finish(): SiliconCase {
    return {
      seed: this.seed,
      registers: [...this.pinned],
      memory: this.memory,
      code: this.code,
      undefinedFlags: this.undefinedFlags,
      undefinedBefore: this.undefinedBefore,
      names: this.names,
      mode: this.mode,
    }
  }

  /** The state before the case, as it stands. */
  private peek(): DataView {
    const record = new Uint8Array(RECORD_BYTES)
    writeRecord({ ...this.finish(), code: [] }, record)
    return new DataView(record.buffer)
  }
  private initial(register: number): bigint {
    return this.peek().getBigUint64(At.GPR + register * 8, true)
  }

  private chance(percent: number): boolean {
    return this.random.below(100) < percent
  }

  /** Gives a register a value it has from the start; what it has already stays. */
  private pin(register: number, value: bigint): bigint {
    const before = this.pinned.get(register)
    if (before !== undefined) return before
    const wrapped = BigInt.asUintN(64, value)
    this.pinned.set(register, wrapped)
    return wrapped
  }

  private register(): number {
    for (;;) {
      const register = this.random.below(this.registers)
      if (register === RSP && !this.chance(20)) continue
      if (this.pinned.has(register) && !this.chance(25)) continue
      return register
    }
  }

  /** Where an indirect jump goes: into the INT3s behind the code, since a jump back would never end. */
  private landing(): bigint {
    return BigInt(CODE_ADDRESS + CODE_LENGTH_MAX + this.random.below(CODE_BYTES_MAX - CODE_LENGTH_MAX))
  }

  private windowOffset(alignment: number): number {
    const { random } = this
    const near = random.below(3) === 0 ? BOUNDARY - 17 + random.below(34) : MARGIN + random.below(WINDOW_BYTES - 2 * MARGIN)
    return this.chance(70) ? near & -alignment : near
  }
  /** Where a memory operand of so many bytes goes. */
  private target(alignment: number, bytes = alignment): bigint {
    const { random } = this
    switch (random.below(40)) {
      case 0:
        return BigInt(READ_ONLY_ADDRESS + random.below(4096 - 16))
      case 1:
        return BigInt(random.below(2) ? UNMAPPED_ADDRESS + random.below(64) : READ_ONLY_ADDRESS + 4096 - random.below(17))
      case 2:
        return 0x8000000000000000n + BigInt(random.next()) * 0x10000n
      case 3:
        return BigInt(DATA_ADDRESS + DATA_BYTES - 1 - random.below(bytes))
      default:
        return BigInt(WINDOW_ADDRESS + this.windowOffset(alignment))
    }
  }

  /** Appends an instruction of the row; false, with nothing appended, when it does not go with what is there. */
  add(row: Row): boolean {
    const { random } = this
    const { definition } = row
    const isFirst = this.names.length === 0
    // What is undefined must not steer what follows.
    if (this.undefinedFlags !== 0 && (definition.needs !== undefined || definition.name === 'sys_INTO')) return false
    if (this.names.some((name) => isApproximate(name) || isTranscendental(name))) return false
    const operands = parseOperands(row)
    const parts = row.opcode.split(' ')
    const mandatory = ['NP', '66', 'F3', 'F2'].includes(parts[0]) && parts.length > 1 ? parts.shift() : undefined
    const extension = parts[parts.length - 1].startsWith('/') ? Number(parts.pop()?.slice(1)) : -1
    const opcode = parts.map((part) => Number.parseInt(part, 16))

    // ---- size
    const varies = row.size === 'v' || operands.some(({ size }) => size === 'v' || size === 'z')
    const hasControl = definition.control !== undefined
    const override = mandatory === undefined && varies && !hasControl && opcode[0] !== 0x63 && this.chance(25)
    const isLong = this.mode === 'long'
    const wide = isLong && (varies || operands.some(({ size }) => size === 'y')) && !hasControl && this.chance(40)
    let size = wide ? 8 : override ? 2 : 4
    if (isLong && (row.wide === 'forced' || (row.wide === 'default' && size === 4))) size = 8
    const bytesOf = (code: string): number => ({ b: 1, w: 2, d: 4, q: 8, x: 16, y: size === 2 ? 4 : size })[code] ?? size

    let rex = wide || row.rexW === true ? 8 : 0
    let rexNeeded = this.chance(15) && isLong
    const prefixes: number[] = []
    // Whether MASKMOVQ is one of MMX's when its segment is refused is the processor's choice.
    const segmented = definition.name !== 'mmx_maskmovdqu'
    // FS has a base of the program's own in 64-bit mode; beside it, both FS and GS are null.
    if (segmented && this.chance(3)) prefixes.push(random.pick([0x26, 0x2e, 0x36, 0x3e, 0x65]))
    else if (segmented && !isLong && this.chance(1)) prefixes.push(0x64)
    // Mostly where it may not be.
    if (this.chance(2)) prefixes.push(0xf0)
    if (mandatory === '66' || override) prefixes.push(0x66)

    // ---- strings and the like have operands that no letter names
    if (!this.prepare(row, size)) return false
    if (row.rep && this.chance(60)) {
      prefixes.push(random.pick([0xf2, 0xf3]))
      this.pin(1, this.chance(90) ? BigInt(random.below(10)) : 0n)
      this.pinned.set(1, this.pinned.get(1)! & 0xfn)
    }

    if (isLong && definition.addressed === true && this.chance(15) && this.narrowAddresses(row)) prefixes.push(0x67)

    // ---- registers and memory
    let reg = extension >= 0 ? extension : 0
    let modRm: number[] | undefined
    let rip: { at: number; target: bigint } | undefined
    let tail: number[] = []
    let skipped = 0
    let rmRegister = -1
    for (const { letter, size: code } of operands) {
      const operandBytes = x87OperandBytes(definition.name) ?? bytesOf(code)
      if ('GVP'.includes(letter)) {
        reg = letter !== 'G' ? random.below(this.registers) : this.register()
        if (letter === 'G' && definition.name.startsWith('bt') && definition.name.endsWith('m') && isFirst)
          this.pinBitOffset(reg, operandBytes)
      } else if (letter === 'Z') {
        const register = this.register()
        if (register >= 8) rex |= 1
        opcode[opcode.length - 1] += register & 7
        rmRegister = register
      } else if (letter === 'O') {
        tail = littleEndian(this.target(operandBytes), isLong ? 8 : 4)
      } else if (letter === 'I') {
        const length = code === 'b' ? 1 : code === 'w' ? 2 : code === 'v' ? size : Math.min(size, 4)
        const value = random.below(3) === 0 ? BigInt(random.next()) : interestingInteger(random)
        tail = littleEndian(value, length)
      } else if (letter === 'J') {
        skipped = random.below(8)
        tail = littleEndian(BigInt(skipped), code === 'b' ? 1 : 4)
      } else if ('EMRWUQN'.includes(letter)) {
        const vector = 'WUQN'.includes(letter)
        const memory =
          letter === 'M' || row.form === 'memory' || (!'RUN'.includes(letter) && row.form !== 'register' && this.chance(55))
        if (memory) {
          let contents: bigint[] = []
          if (definition.control !== undefined && this.chance(90)) contents = [this.landing()]
          if (definition.name === 'cmpxchg8b' && isFirst && this.chance(50))
            contents = [(BigInt.asUintN(32, this.initial(2)) << 32n) | BigInt.asUintN(32, this.initial(0))]
          if (definition.name === 'cmpxchg16b' && isFirst && this.chance(50)) contents = [this.initial(0), this.initial(2)]
          if (this.chance(80)) contents.push(...operandContents(random, definition.name))
          const address = this.memoryOperand(definition.name === 'popm' ? size : 0, operandBytes, contents)
          modRm = address.modRm
          rex |= address.rex
          rip = address.rip
          if (address.short) prefixes.push(0x67)
        } else {
          rmRegister = vector ? random.below(this.registers) : this.register()
          if (definition.control === 'jump-indirect' || definition.control === 'call-indirect') {
            if (!isFirst) return false
            if (rmRegister !== RSP && this.chance(90)) this.pin(rmRegister, this.landing())
          }
          if (rmRegister >= 8) rex |= 1
          modRm = [0xc0 | (rmRegister & 7)]
        }
      }
    }
    if (reg >= 8) rex |= 4
    if (modRm) modRm[0] |= (reg & 7) << 3
    if (definition.name === 'cmpxchg' && rmRegister >= 0 && isFirst && this.chance(50)) this.pin(0, this.initial(rmRegister))
    if (row.extra === 1) tail.push(random.below(8) * 32)
    if (mandatory === 'F3' || mandatory === 'F2') prefixes.push(Number.parseInt(mandatory, 16))
    if (opcode[0] === 0x90 && mandatory === 'F3') rexNeeded = false
    const bytes = [...prefixes, ...(rex !== 0 || rexNeeded ? [0x40 | rex] : []), ...opcode, ...(modRm ?? []), ...tail]
    if (bytes.length > 15 || this.code.length + bytes.length + skipped > CODE_LENGTH_MAX) return false
    if (rip) {
      const from = CODE_ADDRESS + this.code.length + bytes.length
      const displacement = rip.target - BigInt(from)
      if (!fitsI32(displacement)) return false
      const at = bytes.length - tail.length - 4
      bytes.splice(at, 4, ...littleEndian(displacement, 4))
    }
    const facts = { size: row.size === 1 || operands[0]?.size === 'b' ? 1 : size, count: this.countOf(operands, tail, size, isFirst) }
    if (hasUndefinedResult(definition.name, facts)) return false
    // What a branch jumps over tells, when it does not, where it was.
    this.code.push(...bytes, ...new Array<number>(skipped).fill(0xcc))
    this.names.push(definition.name)

    // ---- flags
    const own = undefinedFlags(definition.name, facts)
    if (definition.setsFlags) this.undefinedFlags = 0
    this.undefinedFlags |= own & ARITHMETIC_FLAGS
    this.undefinedBefore |= (own | flagsNotRestored(definition.name)) & ARITHMETIC_FLAGS
    return true
  }

  private countOf(operands: readonly Operand[], tail: readonly number[], size: number, isFirst: boolean): number | undefined {
    const last = operands[operands.length - 1]
    const mask = size === 8 && operands[0]?.size !== 'b' ? 63 : 31
    if (last?.letter === '1') return 1
    if (last?.letter === 'I') return tail[0] & mask
    if (last?.letter === 'CL' && isFirst) return Number(this.pin(1, this.initial(1)) & 0xffn) & mask
    return undefined
  }

  /** Registers that an instruction uses without naming them. False: not after another instruction. */
  private prepare(row: Row, size: number): boolean {
    const { random } = this
    const isFirst = this.names.length === 0
    const name = row.definition.name
    const window = (alignment: number): bigint => BigInt(WINDOW_ADDRESS + this.windowOffset(alignment))
    if (row.rep) {
      this.pin(6, this.chance(95) ? window(size) : this.target(size))
      this.pin(7, this.chance(95) ? window(size) : this.target(size))
    } else if (name.endsWith('maskmovdqu')) {
      // What a mask of zeros does where there is no memory is the processor's choice.
      if (!isFirst) return false
      this.pin(7, window(16))
    } else if (name.startsWith('pcmpestr')) {
      for (const register of [0, 2]) if (this.chance(70)) this.pin(register, BigInt(this.random.below(20)) - 2n)
    } else if (name === 'xlat') this.pin(3, BigInt(WINDOW_ADDRESS + 16))
    else if (name === 'leave') this.pin(RBP, window(8))
    else if (name === 'enter') this.pin(RBP, window(8))
    else if (name === 'div' || name === 'idiv') {
      if (isFirst && this.chance(80)) this.pin(2, this.chance(50) ? BigInt(random.below(4)) : -BigInt(random.below(3)))
    } else if (row.definition.control === 'return') {
      if (!isFirst) return false
      if (this.chance(90)) this.memory.push([STACK_OFFSET, this.landing()])
    }
    return true
  }

  /** What an instruction that names no address uses with addresses of 32 bits: registers whose upper halves are anything. */
  private narrowAddresses(row: Row): boolean {
    if (this.names.length > 0) return false
    const used = row.rep ? [1, 6, 7] : row.definition.name === 'xlat' ? [3] : row.definition.control === 'branch' ? [1] : []
    // A count of 0 leaves the upper half alone on some processors.
    if (used.includes(1) && BigInt.asUintN(32, this.pin(1, this.initial(1))) === 0n) return false
    for (const register of used) {
      const low = BigInt.asUintN(32, this.pin(register, this.initial(register)))
      this.pinned.set(register, low | this.upperHalf())
    }
    return used.length > 0
  }
  private upperHalf(): bigint {
    return BigInt(this.random.next()) << 32n
  }

  private pinBitOffset(register: number, bytes: number): void {
    if (register === RSP) return
    const small = BigInt(this.random.below(1600) - 800)
    const above = BigInt(this.random.next()) << BigInt(bytes * 8)
    this.pin(register, this.chance(90) ? BigInt.asUintN(bytes * 8, small) | above : small)
  }

  /**
   * ModRM without reg, SIB and displacement for a random address form.
   *
   * @param moved what RSP has moved by when the address is made (POP)
   * @param contents what memory there should hold
   */
  private memoryOperand(
    moved: number,
    operandBytes: number,
    contents: readonly bigint[],
  ): { modRm: number[]; rex: number; rip?: { at: number; target: bigint }; short: boolean } {
    const { random } = this
    const isLong = this.mode === 'long'
    const bits = isLong ? 64 : 32
    const target = BigInt.asUintN(bits, this.target(1 << Math.min(4, 31 - Math.clz32(operandBytes)), operandBytes))
    if (target >= BigInt(WINDOW_ADDRESS) && target < BigInt(WINDOW_ADDRESS + WINDOW_BYTES - 8 * contents.length))
      contents.forEach((quadword, index) => this.memory.push([Number(target) - WINDOW_ADDRESS + index * 8, quadword]))
    const form = random.below(10)
    if (form === 0 && !isLong) return { modRm: [0x05, ...littleEndian(target, 4)], rex: 0, short: false }
    if (form === 0 && fitsI32(target)) return { modRm: [0x05, 0, 0, 0, 0], rex: 0, rip: { at: 1, target }, short: false }
    if (form === 1 && (fitsI32(target) || !isLong)) return { modRm: [0x04, 0x25, ...littleEndian(target, 4)], rex: 0, short: false }
    const short = isLong && this.chance(5) && target < 0x100000000n
    const withIndex = this.chance(40)
    const scale = random.below(4)
    let rex = 0
    let index = -1
    let indexValue = 0n
    if (withIndex) {
      do index = random.below(this.registers)
      while (index === RSP)
      indexValue = this.pin(index, this.chance(50) ? BigInt(random.below(64)) : BigInt(random.next()) - 0x80000000n)
    }
    let displacement = random.pick([0n, BigInt(random.below(256) - 128), BigInt(random.next() | 0)])
    let base = random.below(this.registers)
    if (base === index) base = (base + 1) & (this.registers - 1)
    const known = base === RSP ? BigInt(WINDOW_ADDRESS + STACK_OFFSET + moved) : this.pinned.get(base)
    const scaled = indexValue << BigInt(scale)
    if (known !== undefined || base === RSP) displacement = BigInt.asIntN(bits, target - (known ?? 0n) - scaled)
    else this.pin(base, (short ? BigInt(random.next()) << 32n : 0n) + BigInt.asUintN(short ? 32 : bits, target - scaled - displacement))
    if (!fitsI32(displacement))
      return { modRm: [0x04, 0x25, ...littleEndian(BigInt(WINDOW_ADDRESS + this.windowOffset(16)), 4)], rex: 0, short: false }
    if (base >= 8) rex |= 1
    const sib = withIndex || (base & 7) === 4
    const mod = displacement === 0n && (base & 7) !== 5 ? 0 : displacement >= -128n && displacement < 128n && this.chance(70) ? 1 : 2
    const modRm = [(mod << 6) | (sib ? 4 : base & 7)]
    if (sib) {
      if (index >= 8) rex |= 2
      modRm.push((scale << 6) | ((index < 0 ? 4 : index & 7) << 3) | (base & 7))
    }
    if (mod === 1) modRm.push(...littleEndian(displacement, 1))
    else if (mod === 2) modRm.push(...littleEndian(displacement, 4))
    return { modRm, rex, short }
  }
}

/** The case that a seed stands for: one to four instructions, the first of the given row or of any. */
export function generate(seed: number, row?: Row, mode: CaseMode = 'long'): SiliconCase {
  const random = new Random(seed * 2654435761)
  for (let index = 0; index < 4; index++) random.next()
  const builder = new CaseBuilder(seed, mode)
  const length = random.below(3) > 0 ? 1 : 2 + random.below(3)
  const rows = mode === 'long' ? ROWS : COMPATIBILITY_ROWS
  const next = (): Row => random.pick(row && isX87(row.definition.name) && random.below(3) > 0 ? X87_ROWS : rows)
  for (let attempt = 0; builder.names.length < length && attempt < 40; attempt++)
    builder.add(row && builder.names.length === 0 ? row : next())
  return builder.finish()
}
