import { Gpr, State, Vector } from '../state.ts'
import { fault } from '../system/faults.ts'
import { As } from '../system/linear.ts'
import type { LinearMemory } from '../system/linear.ts'
import type { Rflags } from '../system/rflags.ts'
import { Cr0, Word } from '../system/views.ts'
import type { CpuState } from '../system/views.ts'
import {
  add, compare, divide, extract, fromInteger, multiply, remainder, roundToInteger, scale, squareRoot, subtract,
} from './arithmetic.ts'
import type { Order } from './arithmetic.ts'
import { DOUBLE, SINGLE, fromBcd, fromFormat, toBcd, toFormat, toInteger } from './convert.ts'
import type { Format } from './convert.ts'
import { Exception, INDEFINITE, ONE, absolute, isDenormal, isInfinite, isNan, isUnsupported, isZero, negate, zero } from './float80.ts'
import type { Context, Float80 } from './float80.ts'
import { FpuRegisters, Status } from './registers.ts'
import {
  CONSTANTS, arctangent, cosine, exponentialMinusOne, isOutOfRange, logarithm, logarithmPlusOne, sine, tangent,
} from './transcendental.ts'

const FLAGS = 0x3f
const CONDITIONS = Status.C0 | Status.C1 | Status.C2 | Status.C3
const PRECISIONS = [24, 24, 53, 64]
/** Exceptions that, when not masked, keep an instruction from changing anything. */
const BEFORE_RESULT = Exception.INVALID | Exception.DENORMAL | Exception.ZERO_DIVIDE | Exception.STACK
const ENVIRONMENT_BYTES = 28
const REGISTER_IMAGE_BYTES = 10
const CF = 1
const PF = 4
const ZF = 0x40

type Binary = (context: Context, a: Float80, b: Float80) => Float80

/** FADD FMUL – – FSUB FSUBR FDIV FDIVR, by ModRM.reg, with ST(0) first. */
const binaries: readonly (Binary | undefined)[] = [
  add,
  multiply,
  undefined,
  undefined,
  subtract,
  (context, a, b) => subtract(context, b, a),
  divide,
  (context, a, b) => divide(context, b, a),
]

/**
 * The x87 FPU (SDM vol. 1, chapter 8). Instructions D8 to DF come with the escape opcode's low bits, ModRM.reg and, for a register,
 * ModRM.rm; a memory operand's address is in State.SYS_EA.
 */
export class Fpu {
  readonly registers: FpuRegisters
  private readonly state: CpuState
  private readonly linear: LinearMemory
  private readonly rflags: Rflags
  private context: Context = { rounding: 0, precision: 64, flags: 0, masked: 0, roundedUp: false }

  constructor(state: CpuState, linear: LinearMemory, rflags: Rflags) {
    this.state = state
    this.linear = linear
    this.rflags = rflags
    this.registers = new FpuRegisters(state)
  }

  /** FWAIT: #NM with MP and TS set, #MF when an exception that is not masked is pending. */
  wait(): void {
    const both = Cr0.MP | Cr0.TS
    if ((this.state.i32[Word.CR0] & both) === both) fault(this.state, Vector.NM, 0)
    this.raisePending()
  }

  private raisePending(): void {
    if ((this.registers.status & Status.ES) !== 0) fault(this.state, Vector.MF, 0)
  }

  /** Executes one instruction D8+`escape`. Throws FAULT with nothing changed. */
  execute(escape: number): void {
    const { i32 } = this.state
    if ((i32[Word.CR0] & (Cr0.EM | Cr0.TS)) !== 0) fault(this.state, Vector.NM, 0)
    const reg = i32[Word.SYS_REG] & 7
    const rm = i32[Word.SYS_RM]
    const isMemory = rm < 0
    if (this.control(escape, reg, rm)) return
    this.raisePending()
    const { control } = this.registers
    this.context = {
      rounding: (control >> 10) & 3,
      precision: PRECISIONS[(control >> 8) & 3],
      flags: 0,
      masked: control & FLAGS,
      roundedUp: false,
    }
    if (isMemory) this.memory(escape, reg)
    else this.register(escape, reg, rm & 7)
    this.registers.lastInstruction = this.state.view.getBigUint64(State.RIP, true)
  }

  // ---- exceptions

  /** Books what the context gathered. Returns whether the result may be written. */
  private settle(): boolean {
    const { context, registers } = this
    const unmasked = context.flags & ~context.masked & FLAGS
    let status = registers.status | context.flags
    status = context.roundedUp ? status | Status.C1 : status & ~Status.C1
    if (unmasked !== 0) status |= Status.ES | Status.BUSY
    registers.status = status
    return (unmasked & BEFORE_RESULT) === 0
  }

  /** ST(index); an empty register is a stack underflow, whose masked answer is the indefinite. */
  private read(index: number): Float80 {
    if (!this.registers.isEmpty(index)) return this.registers.get(index)
    this.context.flags |= Exception.INVALID | Exception.STACK
    return INDEFINITE
  }

  /** Puts a new top on the stack; where something is, that is an overflow, told apart by C1. */
  private push(value: Float80): void {
    const { registers, context } = this
    let pushed = value
    if (!registers.isEmpty(7)) {
      context.flags |= Exception.INVALID | Exception.STACK
      context.roundedUp = true
      pushed = INDEFINITE
    }
    if (!this.settle()) return
    registers.top = registers.top - 1
    registers.set(0, pushed)
  }

  private pop(): void {
    this.registers.free(0)
    this.registers.top = this.registers.top + 1
  }

  /** The masked answer to an underflow is the indefinite whatever the operation makes of it. */
  private write(index: number, value: Float80): boolean {
    const isUnderflow = (this.context.flags & Exception.STACK) !== 0
    if (!this.settle()) return false
    this.registers.set(index, isUnderflow ? INDEFINITE : value)
    return true
  }

  private setConditions(bits: number): void {
    this.registers.status = (this.registers.status & ~CONDITIONS) | bits
  }

  private undefinedInstruction(): never {
    return fault(this.state, Vector.UD, 0)
  }

  // ---- instructions that do not wait

  /** FNINIT, FNCLEX, FNSTCW, FNSTSW, FNSTENV, FNSAVE run whatever is pending. */
  private control(escape: number, reg: number, rm: number): boolean {
    const { registers } = this
    if (rm < 0) {
      if (escape === 1 && reg === 7) this.store(2, (view, at) => view.setUint16(at, registers.control, true))
      else if (escape === 5 && reg === 7) this.store(2, (view, at) => view.setUint16(at, registers.status, true))
      else if (escape === 1 && reg === 6) {
        this.storeEnvironment()
        registers.control |= FLAGS
      } else if (escape === 5 && reg === 6) this.save()
      else return false
      return true
    }
    if (escape === 3 && reg === 4 && rm === 3) registers.initialise()
    else if (escape === 3 && reg === 4 && rm === 2) registers.status &= ~(FLAGS | Exception.STACK | Status.ES | Status.BUSY)
    else if (escape === 7 && reg === 4 && rm === 0) this.state.setGprSized(Gpr.RAX, registers.status, 0, 2)
    else return false
    return true
  }

  // ---- memory

  private window(length: number, offset = 0): number {
    const { i32 } = this.state
    const sum = (i32[Word.SYS_EA] >>> 0) + offset
    return this.linear.reading(sum | 0, i32[Word.SYS_EA + 1] + (sum > 0xffffffff ? 1 : 0), length, As.PROGRAM)
  }
  private store(length: number, write: (view: DataView, at: number) => void, offset = 0): void {
    const { i32 } = this.state
    const sum = (i32[Word.SYS_EA] >>> 0) + offset
    write(this.state.view, this.linear.writing(sum | 0, i32[Word.SYS_EA + 1] + (sum > 0xffffffff ? 1 : 0), length, As.PROGRAM))
    this.linear.commit()
  }

  private loadFloat(format: Format): Float80 {
    const { view } = this.state
    const at = this.window(format.bits / 8)
    return fromFormat(this.context, format, format.bits === 32 ? BigInt(view.getUint32(at, true)) : view.getBigUint64(at, true))
  }
  private loadInteger(bytes: 2 | 4 | 8): Float80 {
    const { view } = this.state
    const at = this.window(bytes)
    return fromInteger(bytes === 8 ? view.getBigInt64(at, true) : BigInt(bytes === 4 ? view.getInt32(at, true) : view.getInt16(at, true)))
  }

  /** Stores ST(0) as what `convert` makes of it; the operand's page is there before anything is booked. */
  private storeTop(bytes: number, convert: (x: Float80) => bigint, pops: boolean): void {
    this.linear.writing(this.state.i32[Word.SYS_EA], this.state.i32[Word.SYS_EA + 1], bytes, As.PROGRAM)
    const value = convert(this.read(0))
    const unmasked = this.context.flags & ~this.context.masked & (BEFORE_RESULT | Exception.OVERFLOW | Exception.UNDERFLOW)
    this.settle()
    if (unmasked !== 0) return
    this.store(bytes, (view, at) => {
      if (bytes === 8) view.setBigUint64(at, BigInt.asUintN(64, value), true)
      else if (bytes === 4) view.setUint32(at, Number(BigInt.asUintN(32, value)), true)
      else view.setUint16(at, Number(BigInt.asUintN(16, value)), true)
    })
    if (pops) this.pop()
  }

  private memory(escape: number, reg: number): void {
    const key = escape * 8 + reg
    const float = escape === 1 ? SINGLE : DOUBLE
    switch (escape) {
      case 0:
      case 2:
      case 4:
      case 6: {
        const operand =
          escape === 0 ? this.loadFloat(SINGLE) : escape === 4 ? this.loadFloat(DOUBLE) : this.loadInteger(escape === 2 ? 4 : 2)
        this.arithmetic(reg, 0, this.read(0), operand)
        return
      }
      default:
    }
    switch (key) {
      case 0o10:
      case 0o50:
        return this.push(this.loadFloat(float))
      case 0o12:
      case 0o13:
      case 0o52:
      case 0o53:
        return this.storeTop(float.bits / 8, (x) => toFormat(this.context, float, x), (reg & 1) === 1)
      case 0o14:
        return this.loadEnvironment()
      case 0o15:
        this.registers.control = this.state.view.getUint16(this.window(2), true)
        return this.updateSummary()
      case 0o30:
        return this.push(this.loadInteger(4))
      case 0o70:
        return this.push(this.loadInteger(2))
      case 0o75:
        return this.push(this.loadInteger(8))
      case 0o32:
      case 0o33:
        return this.storeTop(4, (x) => toInteger(this.context, x, 32), (reg & 1) === 1)
      case 0o72:
      case 0o73:
        return this.storeTop(2, (x) => toInteger(this.context, x, 16), (reg & 1) === 1)
      case 0o77:
        return this.storeTop(8, (x) => toInteger(this.context, x, 64), true)
      case 0o35: {
        const { view } = this.state
        const at = this.window(10)
        const top = view.getUint16(at + 8, true)
        return this.push({ sign: (top >> 15) as 0 | 1, exponent: top & 0x7fff, significand: view.getBigUint64(at, true) })
      }
      case 0o37: {
        this.linear.writing(this.state.i32[Word.SYS_EA], this.state.i32[Word.SYS_EA + 1], 10, As.PROGRAM)
        const x = this.read(0)
        if (!this.settle()) return
        this.store(10, (view, at) => {
          view.setBigUint64(at, x.significand, true)
          view.setUint16(at + 8, (x.sign << 15) | x.exponent, true)
        })
        return this.pop()
      }
      case 0o54:
        return this.restore()
      case 0o74: {
        const { sign, value } = fromBcd(this.state.u8.slice(this.window(10), this.window(10) + 10))
        return this.push({ ...fromInteger(value), sign })
      }
      case 0o76: {
        this.linear.writing(this.state.i32[Word.SYS_EA], this.state.i32[Word.SYS_EA + 1], 10, As.PROGRAM)
        const bytes = toBcd(this.context, this.read(0))
        if (!this.settle()) return
        this.store(10, (_view, at) => this.state.u8.set(bytes, at))
        return this.pop()
      }
      default:
        this.undefinedInstruction()
    }
  }

  // ---- registers

  /** FADD to FDIVR and the comparisons, by ModRM.reg: `destination` gets a ∘ b. */
  private arithmetic(reg: number, destination: number, a: Float80, b: Float80): boolean {
    const operation = binaries[reg]
    if (operation !== undefined) return this.write(destination, operation(this.context, a, b))
    if (this.compare(a, b, false) && reg === 3) this.pop()
    return true
  }

  private compare(a: Float80, b: Float80, quietly: boolean): boolean {
    const order = compare(this.context, a, b, quietly)
    this.context.roundedUp = false
    const isWritten = this.settle()
    const bits: Record<Order, number> = { greater: 0, less: Status.C0, equal: Status.C3, unordered: Status.C0 | Status.C2 | Status.C3 }
    this.setConditions(bits[order])
    return isWritten
  }

  /** FCOMI, FUCOMI: the answer goes to ZF, PF, CF. */
  private compareToFlags(rm: number, quietly: boolean, pops: boolean): void {
    const order = compare(this.context, this.read(0), this.read(rm), quietly)
    const bits: Record<Order, number> = { greater: 0, less: CF, equal: ZF, unordered: ZF | PF | CF }
    if (!this.settle()) return
    this.rflags.writeArithmetic(bits[order])
    if (pops) this.pop()
  }

  private register(escape: number, reg: number, rm: number): void {
    switch (escape) {
      case 0:
        this.arithmetic(reg, 0, this.read(0), this.read(rm))
        return
      case 1:
        return this.unary(reg, rm)
      case 2:
        if (reg < 4) return this.conditionalMove(reg, rm, false)
        if (reg === 5 && rm === 1) {
          if (!this.compare(this.read(0), this.read(1), true)) return
          this.pop()
          return this.pop()
        }
        break
      case 3:
        if (reg < 4) return this.conditionalMove(reg, rm, true)
        if (reg === 5 || reg === 6) return this.compareToFlags(rm, reg === 5, false)
        break
      case 4:
      case 6: {
        if (escape === 6 && reg === 3) {
          if (rm !== 1) break
          if (!this.compare(this.read(0), this.read(1), false)) return
          this.pop()
          return this.pop()
        }
        if (reg === 2 || reg === 3) break
        // Towards ST(i), subtraction and division and their reverses have changed places.
        if (this.arithmetic(reg, rm, this.read(0), this.read(rm)) && escape === 6) this.pop()
        return
      }
      case 5:
        switch (reg) {
          case 0:
            return this.registers.free(rm)
          case 2:
          case 3:
            if (this.write(rm, this.read(0)) && reg === 3) this.pop()
            return
          case 4:
          case 5:
            if (this.compare(this.read(0), this.read(rm), true) && reg === 5) this.pop()
            return
          default:
        }
        break
      default:
        if (reg === 5 || reg === 6) return this.compareToFlags(rm, reg === 5, true)
    }
    this.undefinedInstruction()
  }

  private conditionalMove(reg: number, rm: number, negated: boolean): void {
    const flags = this.rflags.readArithmetic()
    const holds = (flags & [CF, ZF, CF | ZF, PF][reg]) !== 0
    const value = this.read(rm)
    const top = this.read(0)
    if (holds !== negated) this.write(0, value)
    else if ((this.context.flags & Exception.STACK) !== 0) this.write(0, top)
  }

  /** D9 C0 and up. */
  private unary(reg: number, rm: number): void {
    const { context } = this
    switch (reg * 8 + rm) {
      case 0o20:
        return
      case 0o40:
        this.write(0, negate(this.read(0)))
        return
      case 0o41:
        this.write(0, absolute(this.read(0)))
        return
      case 0o44:
        this.compare(this.read(0), zero(0), false)
        return
      case 0o45:
        return this.examine()
      case 0o60:
        this.write(0, exponentialMinusOne(context, this.read(0)))
        return
      case 0o61:
      case 0o71: {
        const [x, y] = [this.read(0), this.read(1)]
        if (this.write(1, reg === 6 ? logarithm(context, x, y) : logarithmPlusOne(context, x, y))) this.pop()
        return
      }
      case 0o62:
        return this.trigonometric((x) => tangent(context, x), () => ONE)
      case 0o63: {
        const [x, y] = [this.read(0), this.read(1)]
        if (this.write(1, arctangent(context, y, x))) this.pop()
        return
      }
      case 0o64: {
        const { exponent, significand } = extract(context, this.read(0))
        if (this.write(0, exponent)) this.push(significand)
        return
      }
      case 0o65:
      case 0o70:
        return this.remainder(reg === 6)
      case 0o66:
        this.registers.top = this.registers.top - 1
        this.registers.status &= ~Status.C1
        return
      case 0o67:
        this.registers.top = this.registers.top + 1
        this.registers.status &= ~Status.C1
        return
      case 0o72:
        this.write(0, squareRoot(context, this.read(0)))
        return
      case 0o73:
        return this.trigonometric((x) => sine(context, x), (x) => cosine(context, x))
      case 0o74:
        this.write(0, roundToInteger(context, this.read(0)))
        return
      case 0o75:
        this.write(0, scale(context, this.read(0), this.read(1)))
        return
      case 0o76:
        return this.trigonometric((x) => sine(context, x))
      case 0o77:
        return this.trigonometric((x) => cosine(context, x))
      default:
    }
    if (reg === 0) return this.push(this.read(rm))
    if (reg === 1) {
      const [top, other] = [this.read(0), this.read(rm)]
      if (!this.settle()) return
      this.registers.set(0, other)
      this.registers.set(rm, top)
      return
    }
    const constant = reg === 5 ? CONSTANTS[rm] : undefined
    if (constant === undefined) this.undefinedInstruction()
    this.push(constant(context))
  }

  /** FSIN and its like: C2 says that the argument was too large and nothing was done. */
  private trigonometric(first: (x: Float80) => Float80, second?: (x: Float80) => Float80): void {
    const x = this.read(0)
    if (isOutOfRange(x)) {
      this.settle()
      this.registers.status |= Status.C2
      return
    }
    this.registers.status &= ~Status.C2
    const isRefused = isNan(x) || isInfinite(x) || isUnsupported(x)
    const value = first(x)
    const further = second?.(x)
    if (this.write(0, value) && further !== undefined) this.push(isRefused ? value : further)
  }

  private remainder(nearest: boolean): void {
    const { value, quotient, partial } = remainder(this.context, this.read(0), this.read(1), nearest)
    this.context.roundedUp = false
    if (!this.write(0, value)) return
    const bit = (index: number, flag: number): number => (((quotient >> BigInt(index)) & 1n) === 1n ? flag : 0)
    this.setConditions(partial ? Status.C2 : bit(0, Status.C1) | bit(1, Status.C3) | bit(2, Status.C0))
  }

  /** FXAM: the class of ST(0) in C3 C2 C0, its sign in C1. */
  private examine(): void {
    const x = this.registers.get(0)
    const { C0, C1, C2, C3 } = Status
    let bits: number
    if (this.registers.isEmpty(0)) bits = C3 | C0
    else if (isUnsupported(x)) bits = 0
    else if (isNan(x)) bits = C0
    else if (isInfinite(x)) bits = C2 | C0
    else if (isZero(x)) bits = C3
    else if (isDenormal(x)) bits = C3 | C2
    else bits = C2
    this.setConditions(bits | (x.sign === 1 ? C1 : 0))
  }

  // ---- environment (SDM vol. 1, figures 8-9 to 8-12, the 32-bit protected-mode layout)

  private storeEnvironment(): void {
    const { registers } = this
    this.store(ENVIRONMENT_BYTES, (view, at) => {
      view.setUint32(at, 0xffff0000 | registers.control, true)
      view.setUint32(at + 4, 0xffff0000 | registers.status, true)
      view.setUint32(at + 8, 0xffff0000 | registers.tags, true)
      view.setUint32(at + 12, Number(registers.lastInstruction & 0xffffffffn), true)
      view.setUint32(at + 16, 0, true)
      view.setUint32(at + 20, 0, true)
      view.setUint32(at + 24, 0xffff0000, true)
    })
  }
  private loadEnvironment(): void {
    const { view } = this.state
    const { registers } = this
    const at = this.window(ENVIRONMENT_BYTES)
    registers.control = view.getUint16(at, true)
    registers.status = view.getUint16(at + 4, true)
    registers.tags = view.getUint16(at + 8, true)
    registers.lastInstruction = BigInt(view.getUint32(at + 12, true))
    this.updateSummary()
  }
  /** ES and B follow from the exceptions and their masks. */
  private updateSummary(): void {
    const { registers } = this
    const isPending = (registers.status & ~registers.control & FLAGS) !== 0
    registers.status = isPending ? registers.status | Status.ES | Status.BUSY : registers.status & ~(Status.ES | Status.BUSY)
  }
  private save(): void {
    const { registers } = this
    for (let index = 7; index >= 0; index--) {
      const bytes = registers.bytes((registers.top + index) & 7)
      this.store(REGISTER_IMAGE_BYTES, (_view, at) => this.state.u8.set(bytes, at), ENVIRONMENT_BYTES + index * REGISTER_IMAGE_BYTES)
    }
    this.storeEnvironment()
    registers.initialise()
  }
  private restore(): void {
    const { registers } = this
    const images = Array.from({ length: 8 }, (_, index) => {
      const at = this.window(REGISTER_IMAGE_BYTES, ENVIRONMENT_BYTES + index * REGISTER_IMAGE_BYTES)
      return this.state.u8.slice(at, at + REGISTER_IMAGE_BYTES)
    })
    this.loadEnvironment()
    const { tags } = registers
    images.forEach((image, index) => registers.load((registers.top + index) & 7, image, false))
    registers.tags = tags
  }
}
