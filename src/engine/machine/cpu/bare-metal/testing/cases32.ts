import type { Row } from '../../instructions/row.ts'
import { TABLE } from '../../instructions/table.ts'
import { interestingInteger } from '../../silicon/case.ts'
import { flagsNotRestored, hasUndefinedResult, undefinedFlags } from '../../silicon/undefined.ts'
import { ARITHMETIC_FLAGS, Rflag } from '../../state.ts'
import { Random } from '../../testing/random-program.ts'

/**
 * Cases of one instruction each for cases32.S, with operands and addresses of 16 and 32 bits. A record, little-endian: registers in
 * encoding order (u32 each), EFLAGS, then before: a spare word, code; after: vector, EIP, error code; at WINDOW the memory that the case
 * sees.
 */
export const RECORD_BYTES = 320
const EFLAGS = 32
const CODE = 40
const CODE_BYTES = 24
const WINDOW = 64
const WINDOW_BYTES = 256
/** Offset of the window in the data segment. */
const WINDOW_OFFSET = 0x1000
const STACK = 128
/** Where indirect jumps go: among the INT3s behind the code. */
const LANDING = 40
const ESP = 4

export interface Case32 {
  name: string
  record: Uint8Array
  undefinedFlags: number
}

/**
 * What programs may execute, and no vector or x87 instruction; nor what QEMU 7.2 has not: those after SSE3, NOP of a register, TEST as /1.
 */
const isWanted = ({ opcode, operands, mode, rexW, definition }: Row): boolean =>
  mode !== 'long' && rexW === undefined && !/[VWUPQN]/.test(operands) && definition.mmx !== true && definition.sse !== true &&
  !/^(D[89A-F]|9B)\b|0F 38|0F 3A|F3 0F B8|0F AE|0F 0D|^F[67] \/1/.test(opcode) && !(definition.name === 'nop' && operands !== '') &&
  (definition.control !== 'system' || /^sysm?_(BOUND|INTO|ENTER)$/.test(definition.name))
export const ROWS: readonly Row[] = TABLE.filter(isWanted)

const littleEndian = (value: number, bytes: number): number[] =>
  Array.from({ length: bytes }, (_, index) => (value >> (index * 8)) & 0xff)
const BASES16 = [[3, 6], [3, 7], [5, 6], [5, 7], [6], [7], [5], [3]] as const

class Builder {
  private readonly random: Random
  private readonly view: DataView
  private readonly record = new Uint8Array(RECORD_BYTES)
  private readonly pinned = new Set<number>([ESP])

  constructor(seed: number) {
    this.random = new Random(Math.imul(seed, 2654435761) ^ 0x5bd1e995)
    for (let index = 0; index < 8; index++) this.random.next()
    this.view = new DataView(this.record.buffer)
    for (let register = 0; register < 8; register++) this.set(register, Number(interestingInteger(this.random) & 0xffffffffn))
    for (let at = 0; at < WINDOW_BYTES; at += 4)
      this.view.setUint32(WINDOW + at, Number(interestingInteger(this.random) & 0xffffffffn), true)
    this.set(ESP, WINDOW_OFFSET + STACK)
    let flags = Rflag.FIXED as number
    for (const flag of [Rflag.CF, Rflag.PF, Rflag.AF, Rflag.ZF, Rflag.SF, Rflag.OF]) if (this.random.below(2) === 0) flags |= flag
    if (this.random.below(4) === 0) flags |= Rflag.DF
    this.view.setUint32(EFLAGS, flags, true)
  }

  private set(register: number, value: number): void { this.view.setUint32(register * 4, value >>> 0, true) }
  private get(register: number): number { return this.view.getUint32(register * 4, true) }
  private chance(percent: number): boolean { return this.random.below(100) < percent }

  /** Makes a register be `value` in its low 16 or all bits, unless it is already something; answers what it is there. */
  private pin(register: number, value: number, narrow: boolean): number {
    if (!this.pinned.has(register)) {
      this.pinned.add(register)
      this.set(register, narrow ? (this.get(register) & 0xffff0000) | (value & 0xffff) : value)
    }
    return narrow ? this.get(register) & 0xffff : this.get(register)
  }

  /** ModRM without reg, SIB and displacement of an operand in the window, and where it is there. */
  private memory(narrow: boolean, contents: number | undefined): number[] {
    const { random } = this
    const offset = 16 + random.below(WINDOW_BYTES - 64)
    if (contents !== undefined) this.view.setUint32(WINDOW + offset, contents, true)
    const target = WINDOW_OFFSET + offset
    if (narrow) {
      if (random.below(5) === 0) return [0x06, ...littleEndian(target, 2)]
      const rm = random.below(8)
      const sum = BASES16[rm].reduce<number>((total, register) => total + this.pin(register, random.next(), true), 0)
      return [0x80 | rm, ...littleEndian(target - sum, 2)]
    }
    if (random.below(5) === 0) return [0x05, ...littleEndian(target, 4)]
    let base = random.below(8)
    const withIndex = this.chance(40)
    if (base === ESP && !withIndex) base = 3
    const value = this.pin(base, random.next(), false)
    if (!withIndex) {
      const distance = (target - value) | 0
      return [0x80 | base, ...littleEndian(distance, 4)]
    }
    let index = random.below(8)
    if (index === ESP) index = 6
    const scale = random.below(4)
    const scaled = this.pin(index, random.next(), false) << scale
    return [0x84, (scale << 6) | (index << 3) | base, ...littleEndian((target - this.get(base) - scaled) | 0, 4)]
  }

  build(row: Row): Case32 | undefined {
    const { random } = this
    const { definition } = row
    const operands = row.operands === '' ? [] : row.operands.split(',').map((text) =>
      text === 'CL' || text === '1' ? { letter: text, code: 'b' } : { letter: text[0], code: text.slice(1) })
    const parts = row.opcode.split(' ')
    const mandatory = ['NP', '66', 'F3', 'F2'].includes(parts[0]) && parts.length > 1 ? parts.shift() : undefined
    const extension = parts[parts.length - 1].startsWith('/') ? Number(parts.pop()?.slice(1)) : -1
    const opcode = parts.map((part) => Number.parseInt(part, 16))
    const size = mandatory === undefined && this.chance(35) ? 2 : 4
    const narrow = this.chance(30)
    const bytesOf = (code: string): number => ({ b: 1, w: 2, d: 4, q: 8, y: 4 })[code] ?? size
    const prefixes: number[] = []
    if (this.chance(8)) prefixes.push(random.pick([0x26, 0x36, 0x3e, 0x64, 0x65]))
    if (size === 2) prefixes.push(0x66)
    if (narrow) prefixes.push(0x67)
    if (mandatory === 'F3' || mandatory === 'F2') prefixes.push(Number.parseInt(mandatory, 16))
    const { name } = definition
    const inside = (): number => WINDOW_OFFSET + 64 + random.below(96)
    if (row.rep) {
      this.pin(6, inside(), narrow)
      this.pin(7, inside(), narrow)
      if (this.chance(60)) {
        prefixes.push(random.pick([0xf2, 0xf3]))
        this.pin(1, random.below(8), narrow)
      }
    }
    if (name === 'xlat') this.pin(3, WINDOW_OFFSET, narrow)
    if (name === 'leave' || name === 'enter') this.pin(5, inside(), false)
    if (definition.control === 'return') this.view.setUint32(WINDOW + STACK, LANDING, true)
    if (/^i?div$/.test(name) && this.chance(70)) this.pin(2, this.chance(50) ? random.below(4) : -1, false)
    const isJump = definition.control === 'jump-indirect' || definition.control === 'call-indirect'
    let modRm: number[] | undefined
    let reg = extension >= 0 ? extension : 0
    const tail: number[] = []
    for (const { letter, code } of operands) {
      if (letter === 'G') {
        reg = random.below(8)
        if (/^bt.?m$/.test(name)) {
          if (this.pinned.has(reg)) return undefined
          this.pinned.add(reg)
          this.set(reg, (random.below(200) - 100) | (size === 2 ? random.next() & 0xffff0000 : 0))
        }
      } else if (letter === 'Z') opcode[opcode.length - 1] += random.below(8)
      else if (letter === 'O') tail.push(...littleEndian(inside(), narrow ? 2 : 4))
      else if (letter === 'I') tail.push(...littleEndian(random.next(), code === 'b' ? 1 : code === 'w' ? 2 : size))
      else if (letter === 'J') tail.push(...littleEndian(random.below(8), code === 'b' ? 1 : size))
      else if ('EMR'.includes(letter)) {
        if (letter === 'M' || row.form === 'memory' || (letter !== 'R' && row.form !== 'register' && this.chance(55)))
          modRm = this.memory(narrow, isJump ? LANDING : undefined)
        else {
          const register = random.below(8)
          if (isJump) {
            if (register === ESP) return undefined
            this.pin(register, LANDING, false)
          }
          modRm = [0xc0 | register]
        }
      } else if (letter !== 'A' && letter !== 'CL' && letter !== '1') return undefined
    }
    if (modRm) modRm[0] |= reg << 3
    if (row.extra === 1) tail.push(random.below(3))
    else if (row.extra !== undefined) return undefined
    // QEMU 7.2 takes what RET releases as signed.
    if (name === 'enter' || name === 'reti') tail[1] = 0
    const bytes = [...prefixes, ...opcode, ...(modRm ?? []), ...tail]
    if (bytes.length > 15) return undefined
    const last = operands[operands.length - 1]?.letter
    const count = last === '1' ? 1 : last === 'I' ? tail[0] & 31 : last === 'CL' ? this.get(1) & 31 : undefined
    const facts = { size: row.size === 1 || operands[0]?.code === 'b' ? 1 : bytesOf(operands[0]?.code ?? 'v'), count }
    if (hasUndefinedResult(name, facts)) return undefined
    this.record.set(new Uint8Array(CODE_BYTES).fill(0xcc), CODE)
    this.record.set(bytes, CODE)
    return { name, record: this.record, undefinedFlags: undefinedFlags(name, facts) | flagsNotRestored(name) }
  }
}

/** The case that a number stands for. */
export function case32(seed: number): Case32 {
  for (let attempt = 0; ; attempt++) {
    const made = new Builder(seed * 64 + attempt).build(ROWS[seed % ROWS.length])
    if (made) return made
  }
}

const FLAGS = ARITHMETIC_FLAGS | Rflag.DF
const WORDS = ['eax', 'ecx', 'edx', 'ebx', 'esp', 'ebp', 'esi', 'edi', 'eflags', 'vector', 'eip', 'error']

/** How two outcomes differ, in words; empty when they do not. */
export function differences({ undefinedFlags: mask }: Case32, expected: Uint8Array, found: Uint8Array): string {
  const [a, b] = [expected, found].map((bytes) => new DataView(bytes.buffer, bytes.byteOffset, RECORD_BYTES))
  const lines: string[] = []
  WORDS.forEach((word, index) => {
    const of = (view: DataView): number => view.getUint32(index * 4, true) & (word === 'eflags' ? FLAGS & ~mask : -1)
    if (of(a) !== of(b)) lines.push(`${word}: expected ${(of(a) >>> 0).toString(16)}, found ${(of(b) >>> 0).toString(16)}`)
  })
  for (let at = WINDOW; at < WINDOW + WINDOW_BYTES; at++)
    if (a.getUint8(at) !== b.getUint8(at))
      lines.push(`memory +${at - WINDOW}: expected ${a.getUint8(at).toString(16)}, found ${b.getUint8(at).toString(16)}`)
  return lines.slice(0, 6).join('; ')
}

/** A number that stands for all of an outcome that is defined. */
export function fingerprint({ undefinedFlags: mask }: Case32, outcome: Uint8Array): number {
  const bytes = Uint8Array.from(outcome)
  const view = new DataView(bytes.buffer)
  view.setUint32(EFLAGS, view.getUint32(EFLAGS, true) & FLAGS & ~mask, true)
  bytes.fill(0, WORDS.length * 4, WINDOW)
  let hash = 0x811c9dc5
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193)
  return hash >>> 0
}
