import { Gpr } from '../state.ts'
import {
  add, compare, divide, extract, multiply, remainder, roundToInteger, scale, special, squareRoot, subtract,
} from './arithmetic.ts'
import type { Order } from './arithmetic.ts'
import { BCD_BYTES, DOUBLE, SINGLE, fromBcd, fromFormat, toBcd, toFormat, toInteger } from './convert.ts'
import type { Format } from './convert.ts'
import { loadEnvironment, restore, save, storeEnvironment } from './environment.ts'
import {
  Exception, INDEFINITE, ONE, Rounding, absolute, fromInteger, isDenormal, isInfinite, isNan, isUnsupported, isZero, negate, zero,
} from './float80.ts'
import type { Context, Float80 } from './float80.ts'
import { EXCEPTIONS, REGISTER_BYTES, Status, read80, write80 } from './registers.ts'
import {
  CONSTANTS, arctangent, cosine, exponentialMinusOne, isOutOfRange, logarithm, logarithmPlusOne, sine, tangent,
} from './transcendental.ts'
import type { Operation, Unit } from './unit.ts'

/** One instruction; `rm` is the number of its register. */
interface Instruction {
  execute: (unit: Unit, rm: number) => void
  /** Does nothing with numbers, so that the last instruction stays what it was. */
  control: boolean
  /** Runs whatever exception is pending. */
  nowait: boolean
}
type Execute = Instruction['execute']
const control = (execute: Execute): Instruction => ({ execute, control: true, nowait: false })
const nowait = (execute: Execute): Instruction => ({ execute, control: true, nowait: true })

const { C0, C1, C2, C3 } = Status
const CF = 1
const PF = 4
const ZF = 0x40

// ---- arithmetic and comparisons

type Unary = (context: Context, x: Float80) => Float80
const subtractReversed: Operation = (context, a, b) => subtract(context, b, a)
const divideReversed: Operation = (context, a, b) => divide(context, b, a)
/** FADD FMUL FCOM FCOMP FSUB FSUBR FDIV FDIVR by ModRM.reg; a comparison is undefined here. */
const OPERATIONS: readonly (Operation | undefined)[] =
  [add, multiply, undefined, undefined, subtract, subtractReversed, divide, divideReversed]
const FCOMP = 3

function compareWith(unit: Unit, b: Float80, pops: number): void {
  const order = unit.has(0) ? compare(unit.context, unit.registers.get(0), b, false) : 'unordered'
  if (unit.order(order)) for (let popped = 0; popped < pops; popped++) unit.pop()
}

function compareRegisters(unit: Unit, rm: number, quietly: boolean, pops: number): void {
  const { registers, context } = unit
  const order = unit.has(0, rm) ? compare(context, registers.get(0), registers.get(rm), quietly) : 'unordered'
  if (unit.order(order)) for (let popped = 0; popped < pops; popped++) unit.pop()
}

const FLAGS_OF: Record<Order, number> = { greater: 0, less: CF, equal: ZF, unordered: ZF | PF | CF }

/** FCOMI, FUCOMI: the order goes to ZF, PF and CF. */
function compareToFlags(unit: Unit, rm: number, quietly: boolean, pops: boolean): void {
  const { registers, context } = unit
  const order = unit.has(0, rm) ? compare(context, registers.get(0), registers.get(rm), quietly) : 'unordered'
  const isDone = unit.bookFlags()
  unit.rflags.writeArithmetic(FLAGS_OF[order])
  if (isDone && pops) unit.pop()
}

/** ST(0) with an operand from memory. */
const withMemory = (reg: number, load: (unit: Unit) => Float80) => (unit: Unit): void => {
  const b = load(unit)
  const operation = OPERATIONS[reg]
  if (operation === undefined) compareWith(unit, b, reg === FCOMP ? 1 : 0)
  else unit.compute(0, 0, 0, (context, a) => operation(context, a, b))
}

// ---- loads and stores

function loadFormat(unit: Unit, format: Format): Float80 {
  const view = unit.operand.load(format.bits / 8)
  const { x, denormal } = fromFormat(format, format.bits === 32 ? BigInt(view.getUint32(0, true)) : view.getBigUint64(0, true))
  unit.context.narrowDenormal = denormal
  return x
}
const loadSingle = (unit: Unit): Float80 => loadFormat(unit, SINGLE)
const loadDouble = (unit: Unit): Float80 => loadFormat(unit, DOUBLE)
const loadInteger16 = (unit: Unit): Float80 => fromInteger(BigInt(unit.operand.load(2).getInt16(0, true)))
const loadInteger32 = (unit: Unit): Float80 => fromInteger(BigInt(unit.operand.load(4).getInt32(0, true)))
const loadInteger64 = (unit: Unit): Float80 => fromInteger(unit.operand.load(8).getBigInt64(0, true))
const loadExtended = (unit: Unit): Float80 => read80(unit.operand.load(REGISTER_BYTES), 0)
const loadBcd = (unit: Unit): Float80 => {
  unit.operand.load(BCD_BYTES)
  return fromBcd(unit.operand.bytes)
}

const pushing = (load: (unit: Unit) => Float80) => (unit: Unit): void => unit.push(load(unit))
/** FLD of a narrower format, where a signalling NaN or a denormal is told. A denormal is loaded even when that is not masked. */
const pushingFormat = (format: Format) => (unit: Unit): void => {
  const { context } = unit
  const loaded = loadFormat(unit, format)
  const x = special(context, loaded) ?? loaded
  unit.push(x, Exception.DENORMAL)
}

/** Stores ST(0) as `put` writes it into the buffer. */
const storing = (length: number, pops: boolean, put: (unit: Unit, x: Float80) => void) => (unit: Unit): void => {
  put(unit, unit.has(0) ? unit.registers.get(0) : INDEFINITE)
  // Out of range for its place in memory, a number is not stored, so that a handler can do it.
  const { context } = unit
  const isOut = (context.flags & ~context.masked & (Exception.OVERFLOW | Exception.UNDERFLOW)) !== 0
  if (isOut) {
    context.flags &= ~Exception.PRECISION
    context.roundedUp = false
  }
  const isStored = !unit.isPrevented && !isOut
  if (isStored) unit.operand.store(length)
  unit.book()
  if (isStored && pops) unit.pop()
}
const storingFormat = (format: Format, pops: boolean) =>
  storing(format.bits / 8, pops, ({ operand: { view }, context }, x) => {
    const value = toFormat(context, format, x)
    if (format.bits === 32) view.setUint32(0, Number(value), true)
    else view.setBigUint64(0, value, true)
  })
const storingInteger = (bits: 16 | 32 | 64, pops: boolean, truncates = false) =>
  storing(bits / 8, pops, ({ operand: { view }, context }, x) => {
    if (truncates) context.rounding = Rounding.ZERO
    const value = toInteger(context, x, bits)
    if (bits === 64) view.setBigInt64(0, value, true)
    else if (bits === 32) view.setInt32(0, Number(value), true)
    else view.setInt16(0, Number(value), true)
  })
const storingWord = (word: (unit: Unit) => number): Instruction =>
  nowait((unit) => {
    unit.operand.view.setUint16(0, word(unit), true)
    unit.operand.store(2)
  })

const MEMORY: Record<string, Instruction | Execute> = {
  'D9 /0': pushingFormat(SINGLE),
  'D9 /2': storingFormat(SINGLE, false),
  'D9 /3': storingFormat(SINGLE, true),
  'D9 /4': control(loadEnvironment),
  'D9 /5': control((unit) => { unit.registers.control = unit.operand.load(2).getUint16(0, true) }),
  'D9 /6': nowait(storeEnvironment),
  'D9 /7': storingWord(({ registers }) => registers.control),
  'DB /0': pushing(loadInteger32),
  'DB /1': storingInteger(32, true, true),
  'DB /2': storingInteger(32, false),
  'DB /3': storingInteger(32, true),
  'DB /5': pushing(loadExtended),
  'DB /7': storing(REGISTER_BYTES, true, ({ operand: { view } }, x) => write80(view, 0, x)),
  'DD /0': pushingFormat(DOUBLE),
  'DD /1': storingInteger(64, true, true),
  'DD /2': storingFormat(DOUBLE, false),
  'DD /3': storingFormat(DOUBLE, true),
  'DD /4': control(restore),
  'DD /6': nowait(save),
  'DD /7': storingWord(({ registers }) => registers.status),
  'DF /0': pushing(loadInteger16),
  'DF /1': storingInteger(16, true, true),
  'DF /2': storingInteger(16, false),
  'DF /3': storingInteger(16, true),
  'DF /4': pushing(loadBcd),
  'DF /5': pushing(loadInteger64),
  'DF /6': storing(BCD_BYTES, true, ({ operand: { bytes }, context }, x) => bytes.set(toBcd(context, x))),
  'DF /7': storingInteger(64, true),
}
;([['D8', loadSingle], ['DA', loadInteger32], ['DC', loadDouble], ['DE', loadInteger16]] as const).forEach(([escape, load]) => {
  for (let reg = 0; reg < 8; reg++) MEMORY[`${escape} /${reg}`] = withMemory(reg, load)
})

// ---- registers

/** FLD ST(i). */
function loadRegister(unit: Unit, rm: number): void {
  if (unit.has(rm)) unit.push(unit.registers.get(rm))
  else unit.pushAnyway(INDEFINITE)
}
/** Of an empty register FSTPNCE, unlike FSTP, stores nothing and says nothing. */
function storeRegisterIfAny(unit: Unit, rm: number): void {
  if (!unit.registers.isEmpty(0)) storeRegister(unit, rm, true)
  else {
    unit.book()
    unit.pop()
  }
}
function storeRegister(unit: Unit, rm: number, pops: boolean): void {
  if (unit.compute(rm, 0, 0, (_context, x) => x) && pops) unit.pop()
}
/** FXCH: an empty register counts as the indefinite. */
function exchange(unit: Unit, rm: number): void {
  const { registers } = unit
  const valueOf = (index: number): Float80 => (registers.isEmpty(index) ? INDEFINITE : registers.get(index))
  const [top, other] = [valueOf(0), valueOf(rm)]
  unit.has(0, rm)
  if (!unit.book()) return
  registers.set(0, other)
  registers.set(rm, top)
}

/** FCMOVB FCMOVE FCMOVBE FCMOVU, and the same negated. */
const conditionalMove = (flags: number, wanted: boolean) => (unit: Unit, rm: number): void => {
  const { registers } = unit
  const isSet = (unit.rflags.readArithmetic() & flags) !== 0
  const isThere = unit.has(0, rm)
  if (!unit.bookFlags()) return
  if (!isThere) registers.set(0, INDEFINITE)
  else if (isSet === wanted) registers.set(0, registers.get(rm))
}

/** FXAM: the class of ST(0) in C3 C2 C0, its sign in C1. */
function examine(unit: Unit): void {
  const x = unit.registers.get(0)
  let bits: number
  if (unit.registers.isEmpty(0)) bits = C3 | C0
  else if (isUnsupported(x)) bits = 0
  else if (isNan(x)) bits = C0
  else if (isInfinite(x)) bits = C2 | C0
  else if (isZero(x)) bits = C3
  else if (isDenormal(x)) bits = C3 | C2
  else bits = C2
  unit.setConditions(x.sign === 1 ? bits | C1 : bits)
}

function free({ registers }: Unit, rm: number): void {
  registers.free(rm)
  registers.status &= ~C1
}
function rotate(unit: Unit, by: number): void {
  unit.registers.top += by
  unit.registers.status &= ~C1
}

const constant = (index: number) => (unit: Unit): void => unit.push(CONSTANTS[index](unit.context))
const unary = (operation: Unary) => (unit: Unit): void => {
  unit.compute(0, 0, 0, operation)
}
/** Of ST(0) and ST(1) into ST(0). */
const binary = (operation: Operation) => (unit: Unit): void => {
  unit.compute(0, 0, 1, operation)
}

/** FYL2X, FYL2XP1, FPATAN: of ST(0) and ST(1) into ST(1), and a pop. */
const popping = (operation: Operation) => (unit: Unit): void => {
  if (unit.compute(1, 0, 1, operation)) unit.pop()
}

/** FSIN, FCOS, FPTAN, FSINCOS: C2 says that the argument was too large and nothing was done. */
function refuses(unit: Unit, isFree: boolean): boolean {
  const { registers } = unit
  const x = registers.get(0)
  const isTooLarge = isFree && !registers.isEmpty(0) && isOutOfRange(x) && !isUnsupported(x)
  if (isTooLarge) unit.book()
  registers.status = isTooLarge ? registers.status | C2 : registers.status & ~C2
  return isTooLarge
}
const trigonometric = (operation: Unary) => (unit: Unit): void => {
  if (!refuses(unit, true)) unit.compute(0, 0, 0, operation)
}
/** FPTAN, FSINCOS: a NaN is the answer to both. */
const twoTrigonometric = (replacing: Unary, pushed: Unary) => (unit: Unit): void => {
  if (refuses(unit, unit.registers.isEmpty(7))) return
  unit.computeTwo((context, x) => {
    const value = replacing(context, x)
    return [value, isNan(value) ? value : pushed(context, x)]
  })
}

/** FXTRACT. */
function extractTop(unit: Unit): void {
  unit.computeTwo((context, x) => {
    const { exponent, significand } = extract(context, x)
    return [exponent, significand]
  })
}

/** FPREM, FPREM1: C0, C3 and C1 are the quotient's low bits, C2 says that there is more to do. */
const partialRemainder = (nearest: boolean) => (unit: Unit): void => {
  unit.registers.status &= ~C2
  let conditions = -1
  const isWritten = unit.compute(0, 0, 1, (context, a, b) => {
    const { value, quotient, partial } = remainder(context, a, b, nearest)
    const bit = (index: bigint, flag: number): number => (((quotient >> index) & 1n) === 1n ? flag : 0)
    if (!isNan(value)) conditions = partial ? C2 : bit(0n, C1) | bit(1n, C3) | bit(2n, C0)
    return value
  })
  if (isWritten && conditions >= 0) unit.setConditions(conditions)
}

const REGISTERS: Record<string, Instruction | Execute> = {
  'D8 /2': (unit, rm) => compareRegisters(unit, rm, false, 0),
  'D8 /3': (unit, rm) => compareRegisters(unit, rm, false, 1),
  'D9 /0': loadRegister,
  'D9 /1': exchange,
  'D9 D0': () => {},
  'D9 /3': storeRegisterIfAny,
  'D9 E0': unary((_context, x) => negate(x)),
  'D9 E1': unary((_context, x) => absolute(x)),
  'D9 E4': (unit) => compareWith(unit, zero(0), 0),
  'D9 E5': examine,
  'D9 E8': constant(0),
  'D9 E9': constant(1),
  'D9 EA': constant(2),
  'D9 EB': constant(3),
  'D9 EC': constant(4),
  'D9 ED': constant(5),
  'D9 EE': constant(6),
  'D9 F0': unary(exponentialMinusOne),
  'D9 F1': popping(logarithm),
  'D9 F2': twoTrigonometric(tangent, () => ONE),
  'D9 F3': popping((context, x, y) => arctangent(context, y, x)),
  'D9 F4': extractTop,
  'D9 F5': partialRemainder(true),
  'D9 F6': (unit) => rotate(unit, -1),
  'D9 F7': (unit) => rotate(unit, 1),
  'D9 F8': partialRemainder(false),
  'D9 F9': popping(logarithmPlusOne),
  'D9 FA': unary(squareRoot),
  'D9 FB': twoTrigonometric(sine, cosine),
  'D9 FC': unary(roundToInteger),
  'D9 FD': binary(scale),
  'D9 FE': trigonometric(sine),
  'D9 FF': trigonometric(cosine),
  'DA /0': conditionalMove(CF, true),
  'DA /1': conditionalMove(ZF, true),
  'DA /2': conditionalMove(CF | ZF, true),
  'DA /3': conditionalMove(PF, true),
  'DA E9': (unit) => compareRegisters(unit, 1, true, 2),
  'DB /0': conditionalMove(CF, false),
  'DB /1': conditionalMove(ZF, false),
  'DB /2': conditionalMove(CF | ZF, false),
  'DB /3': conditionalMove(PF, false),
  // FENI, FDISI and FSETPM of the 8087 and 80287, since then without effect.
  'DB E0': nowait(() => {}),
  'DB E1': nowait(() => {}),
  'DB E4': nowait(() => {}),
  'DB E2': nowait(({ registers }) => { registers.status &= ~(EXCEPTIONS | Exception.STACK) }),
  'DB E3': nowait(({ registers }) => registers.initialise()),
  'DB /5': (unit, rm) => compareToFlags(unit, rm, true, false),
  'DB /6': (unit, rm) => compareToFlags(unit, rm, false, false),
  'DD /0': free,
  'DD /2': (unit, rm) => storeRegister(unit, rm, false),
  'DD /3': (unit, rm) => storeRegister(unit, rm, true),
  'DD /4': (unit, rm) => compareRegisters(unit, rm, true, 0),
  'DD /5': (unit, rm) => compareRegisters(unit, rm, true, 1),
  // FFREEP, which the manual does not list but compilers have used.
  'DF /0': (unit, rm) => {
    free(unit, rm)
    unit.pop()
  },
  'DE D9': (unit) => compareRegisters(unit, 1, false, 2),
  'DF E0': nowait(({ state, registers }) => state.setGprSized(Gpr.RAX, registers.status, 0, 2)),
  'DF /5': (unit, rm) => compareToFlags(unit, rm, true, true),
  'DF /6': (unit, rm) => compareToFlags(unit, rm, false, true),
}
// Encodings that the manual reserves and the processors have kept from the 8087 as other names of these.
const ALIASES: Record<string, string> = {
  'DC /2': 'D8 /2', 'DC /3': 'D8 /3', 'DD /1': 'D9 /1', 'DE /2': 'D8 /3', 'DF /1': 'D9 /1', 'DF /2': 'DD /3', 'DF /3': 'DD /3',
}
OPERATIONS.forEach((operation, reg) => {
  if (operation === undefined) return
  REGISTERS[`D8 /${reg}`] = (unit, rm) => { unit.compute(0, 0, rm, operation) }
  // Towards ST(i), subtraction and division have changed places with their reverses.
  REGISTERS[`DC /${reg}`] = (unit, rm) => { unit.compute(rm, 0, rm, operation) }
  REGISTERS[`DE /${reg}`] = (unit, rm) => { if (unit.compute(rm, 0, rm, operation)) unit.pop() }
})

for (const [alias, name] of Object.entries(ALIASES)) REGISTERS[alias] = REGISTERS[name]

const FIRST_ESCAPE = 0xd8
const asInstruction = (entry: Instruction | Execute): Instruction =>
  typeof entry === 'function' ? { execute: entry, control: false, nowait: false } : entry

/** By ModRM.mod other than 3 or 3, then by escape opcode and ModRM.reg and rm. */
const memoryForms: (Instruction | undefined)[] = []
const registerForms: (Instruction | undefined)[] = []
for (const [notation, entry] of Object.entries(MEMORY)) {
  const [escape, reg] = notation.split(' /')
  memoryForms[(Number.parseInt(escape, 16) - FIRST_ESCAPE) * 8 + Number(reg)] = asInstruction(entry)
}
for (const [notation, entry] of Object.entries(REGISTERS)) {
  const [escape, rest] = notation.split(' ')
  const row = (Number.parseInt(escape, 16) - FIRST_ESCAPE) * 64
  if (rest.startsWith('/')) for (let rm = 0; rm < 8; rm++) registerForms[row + Number(rest[1]) * 8 + rm] = asInstruction(entry)
  else registerForms[row + Number.parseInt(rest, 16) - 0xc0] = asInstruction(entry)
}

/** The instruction of an escape opcode (0 for D8 to 7 for DF), ModRM.reg and ModRM.rm, which is negative for a memory operand. */
export function instructionOf(escape: number, reg: number, rm: number): Instruction | undefined {
  return rm < 0 ? memoryForms[escape * 8 + reg] : registerForms[escape * 64 + reg * 8 + (rm & 7)]
}
