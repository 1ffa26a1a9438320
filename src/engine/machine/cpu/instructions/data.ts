import type { Emit, Value } from '../emit.ts'
import { SEGMENT_BYTES, SegmentField, State } from '../state.ts'
import { reverseBytes } from './arithmetic.ts'
import { define } from './definition.ts'

/** Data movement between registers, memory and the stack. */

export const MOV = define('mov', ['write', 'read'], (e) => e.set(0, e.get(1)))
export const MOVZX = define('movzx', ['write', 'read'], (e) => e.set(0, e.resize(e.get(1))))
export const MOVSX = define('movsx', ['write', 'read'], (e) => {
  const value = e.get(1)
  const from = e.sizeOf(1)
  e.set(0, e.size === 8 ? e.signedWide(value, from) : e.truncate(e.signed(value, from)))
})
export const MOVBE = define('movbe', ['write', 'read'], (e) => e.set(0, reverseBytes(e, e.get(1))))
/** Faults as a load does; there is no cache to write back. */
export const CLFLUSH = define('clflush', ['read'], (e) => void e.get(0))
export const LEA = define('lea', ['write', 'address'], (e) => e.set(0, e.resize(e.address())))

export const XCHG = define('xchg', ['modify', 'modify'], (e) => {
  const a = e.get(0)
  const b = e.get(1)
  e.set(0, b)
  e.set(1, a)
})

export const NOP = define('nop', [], () => {})
/** Hints and prefetches with an operand that is never touched. */
export const NOP_OPERAND = define('nopm', ['address'], () => {})

/** XLAT: AL = [rBX + AL]. */
export const XLAT = define('xlat', [], (e) => {
  const address = e.cutAddress(e.add(e.gpr(3), e.wide(e.register(0, 1))))
  e.setRegister(0, e.load(e.linear(-1, address, 1, false), 1), 1)
}, { modal: true, addressed: true })

export const PUSH = define('push', ['read'], (e) => {
  const value = e.get(0)
  e.pushStack(value, e.size)
}, { modal: true })

/** An immediate is sign-extended to the operand size before it is pushed. */
export const PUSH_IMM = define('pushi', ['read'], (e) => e.pushStack(e.get(0), e.size), { modal: true })

export const POP = define('pop', ['write'], (e) => {
  const value = e.topOfStack(e.size)
  e.releaseStack(e.constI64(e.size))
  e.set(0, value)
}, { modal: true })

/** POP to memory; the decoder has already moved the address when RSP is its base (SDM vol. 2, POP). */
export const POP_MEMORY = define('popm', ['address'], (e) => {
  const value = e.topOfStack(e.size)
  e.store(e.addressAt(e.constI64(0), e.size, true), e.size, value, { stack: 'operand' })
  e.releaseStack(e.constI64(e.size))
}, { modal: true, interpretOnly: true })

export const LEAVE = define('leave', [], (e) => {
  const frame = e.gpr(5)
  const before = e.load(e.stackAt(frame, e.size, false), e.size, { stack: true })
  e.setStackPointer(e.add(frame, e.constI64(e.size)))
  e.setRegister(5, before)
}, { modal: true })

/** ENTER with nesting level 0, what compilers emit; other levels are SystemOp.ENTER. */
export const ENTER = define('enter', ['read'], (e) => {
  const bytes = e.get(0)
  const frame = e.sub(e.gpr(4), e.constI64(e.size))
  const top = e.sub(frame, e.and(e.wide(bytes), e.constI64(0xffff)))
  e.store(e.stackAt(frame, e.size, true), e.size, e.register(5), { stack: true })
  // Where a push at the new top would fault, ENTER does.
  e.load(e.stackAt(top, e.size, true), e.size, { stack: true, written: true })
  e.setRegister(5, e.resize(frame))
  e.setStackPointer(top)
}, { modal: true, interpretOnly: true })

/** PUSHA and POPA of 32-bit code. */
export const PUSHA = define('pusha', [], (e) => {
  const top = e.gpr(4)
  for (let register = 0; register < 8; register++)
    e.store(e.stackAt(e.sub(top, e.constI64(e.size * (register + 1))), e.size, true), e.size, e.register(register))
  e.setStackPointer(e.sub(top, e.constI64(e.size * 8)))
}, { modal: true, interpretOnly: true })
export const POPA = define('popa', [], (e) => {
  const values: Value[] = []
  for (let index = 0; index < 8; index++) values.push(e.topOfStack(e.size, index * e.size))
  for (let index = 0; index < 8; index++) if (7 - index !== 4) e.setRegister(7 - index, values[index])
  e.releaseStack(e.constI64(e.size * 8))
}, { modal: true, interpretOnly: true })

export const LAHF = define('lahf', [], (e) => {
  const word = e.or(e.and(e.flagsWord(), e.constI32(0xd5)), e.constI32(2))
  e.setGpr(0, e.or(e.and(e.gpr(0), e.constI64(-0xff01)), e.shl(e.wide(word), e.constI64(8))))
}, { needs: 'flags' })
export const SAHF = define('sahf', [], (e) => {
  const ah = e.narrow(e.shrU(e.gpr(0), e.constI64(8)))
  e.setFlags(e.or(e.and(e.flagsWord(), e.constI32(0x800)), e.and(ah, e.constI32(0xd5))))
}, { needs: 'flags' })

/** One element of a string instruction: by how much the pointers move, where it is read and where written. */
const stringStep = (e: Emit): Value => e.select(e.directionFlag(), e.constI64(-e.size), e.constI64(e.size))
const sourceOf = (e: Emit): Value => e.linear(-1, e.cutAddress(e.gpr(6)), e.size, false)
const destinationOf = (e: Emit, write: boolean): Value => e.linear(0, e.cutAddress(e.gpr(7)), e.size, write)
const move = (e: Emit, register: number, step: Value): void => e.setIndex(register, e.add(e.gpr(register), step))

const string = (name: string, body: (e: Emit) => Value | undefined, whole?: 'copy' | 'fill') => {
  const options = { modal: true, addressed: true, interpretOnly: true }
  const once = define(name, [], (e) => void body(e), options)
  const repeated = define(`rep_${name}`, [], (e) => e.repeat(() => {
    body(e)
    return undefined
  }, whole), options)
  const whileEqual = define(`repe_${name}`, [], (e) => e.repeat(() => body(e)), options)
  const whileDifferent = define(`repne_${name}`, [], (e) => e.repeat(() => {
    const equal = body(e)
    return equal === undefined ? undefined : e.eqz(equal)
  }), options)
  return { once, repeated, whileEqual, whileDifferent }
}

export const MOVS = string('movs', (e) => {
  const step = stringStep(e)
  const value = e.load(sourceOf(e), e.size)
  e.store(destinationOf(e, true), e.size, value)
  move(e, 6, step)
  move(e, 7, step)
  return undefined
}, 'copy')
export const STOS = string('stos', (e) => {
  const step = stringStep(e)
  e.store(destinationOf(e, true), e.size, e.register(0))
  move(e, 7, step)
  return undefined
}, 'fill')
export const LODS = string('lods', (e) => {
  const step = stringStep(e)
  e.setRegister(0, e.load(sourceOf(e), e.size))
  move(e, 6, step)
  return undefined
})
export const SCAS = string('scas', (e) => {
  const step = stringStep(e)
  const b = e.load(destinationOf(e, false), e.size)
  const equal = e.compareFlags(e.register(0), b)
  move(e, 7, step)
  return equal
})
export const CMPS = string('cmps', (e) => {
  const step = stringStep(e)
  // Processors read the destination first, which shows when neither can be read.
  const b = e.load(destinationOf(e, false), e.size)
  const a = e.load(sourceOf(e), e.size)
  const equal = e.compareFlags(a, b)
  move(e, 6, step)
  move(e, 7, step)
  return equal
})

/** MOV r/m, Sreg: a selector, zero-extended into a register, 16 bits to memory. */
export const MOV_FROM_SEGMENT = Array.from({ length: 6 }, (_, segment) =>
  define(`mov_sreg${segment}`, ['write'], (e) =>
    e.set(0, e.resize(e.stateI32(State.SEGMENTS + segment * SEGMENT_BYTES + SegmentField.SELECTOR))),
  ),
)
