import type { Emit, Value } from '../emit.ts'
import { CcKind } from '../flags.ts'
import { Rflag, Vector } from '../state.ts'
import { define } from './definition.ts'

/** Instructions that 64-bit mode has no more: decimal arithmetic, SALC, ARPL (SDM vol. 2). */

const al = (e: Emit): Value => e.register(0, 1)
const isAbove = (e: Emit, value: Value, limit: number): Value => e.ltU(e.constI32(limit), value)
const isSet = (e: Emit, flags: Value, flag: number): Value => e.ne(e.and(flags, e.constI32(flag)), e.constI32(0))
/** SF, ZF and PF of a byte, with others. */
const setByteFlags = (e: Emit, result: Value, others: Value): void => {
  e.flags(CcKind.LOGIC, { r: result }, 1)
  e.setFlags(e.or(e.flagsWord(), others))
}

/** DAA, DAS: AL after adding or subtracting two packed digits. */
const adjustPacked = (name: 'daa' | 'das') => {
  const adds = name === 'daa'
  const step = (e: Emit, value: Value, by: number): Value => e.truncate(e.add(value, e.constI32(adds ? by : -by)), 1)
  return define(name, [], (e) => {
    const flags = e.flagsWord()
    const before = al(e)
    const carry = isSet(e, flags, Rflag.CF)
    const low = e.or(isAbove(e, e.and(before, e.constI32(15)), 9), isSet(e, flags, Rflag.AF))
    const high = e.or(isAbove(e, before, 0x99), carry)
    const first = e.select(low, step(e, before, 6), before)
    const after = e.select(high, step(e, first, 0x60), first)
    // Only DAS keeps the borrow of its first step.
    const borrow = adds ? e.constI32(0) : e.and(low, e.ltU(before, e.constI32(6)))
    const cf = e.or(high, borrow)
    setByteFlags(e, after, e.or(cf, e.shl(low, e.constI32(4))))
    e.setRegister(0, after, 1)
  }, { needs: 'flags' })
}
export const DAA = adjustPacked('daa')
export const DAS = adjustPacked('das')

/** AAA, AAS: AX after adding or subtracting unpacked digits. */
const adjustUnpacked = (name: 'aaa' | 'aas') => define(name, [], (e) => {
  const flags = e.flagsWord()
  const ax = e.register(0, 2)
  const adjusts = e.or(isAbove(e, e.and(ax, e.constI32(15)), 9), isSet(e, flags, Rflag.AF))
  const moved = name === 'aaa' ? e.add(ax, e.constI32(0x106)) : e.sub(ax, e.constI32(0x106))
  const after = e.and(e.select(adjusts, moved, ax), e.constI32(0xff0f))
  setByteFlags(e, e.truncate(after, 1), e.or(adjusts, e.shl(adjusts, e.constI32(4))))
  e.setRegister(0, after, 2)
}, { needs: 'flags' })
export const AAA = adjustUnpacked('aaa')
export const AAS = adjustUnpacked('aas')

/** AAM: #DE for a base of 0. */
export const AAM = define('aam', ['read'], (e) => {
  const base = e.get(0)
  e.raiseIf(e.eqz(base), Vector.DE)
  const value = al(e)
  const { quotient: high, remainder: low } = e.quotientAndRemainder(false, value, base)
  setByteFlags(e, low, e.constI32(0))
  e.setRegister(0, e.or(e.shl(high, e.constI32(8)), low), 2)
}, { setsFlags: true })

export const AAD = define('aad', ['read'], (e) => {
  const ax = e.register(0, 2)
  const low = e.truncate(e.add(e.mul(e.shrU(ax, e.constI32(8)), e.get(0)), ax), 1)
  setByteFlags(e, low, e.constI32(0))
  e.setRegister(0, low, 2)
}, { setsFlags: true })

/** SALC, in no manual: AL = CF ? FFH : 0. */
export const SALC = define('salc', [], (e) => e.setRegister(0, e.select(e.carry(), e.constI32(0xff), e.constI32(0)), 1), { needs: 'carry' })

/** ARPL: raises the RPL of a selector to that of another; ZF tells. Memory is written only when it does. */
const adjust = (e: Emit, selector: Value): { isLess: Value; adjusted: Value; flags: Value } => {
  const level = e.and(e.get(1), e.constI32(3))
  const isLess = e.ltU(e.and(selector, e.constI32(3)), level)
  const flags = e.or(e.and(e.flagsWord(), e.constI32(~Rflag.ZF)), e.shl(isLess, e.constI32(6)))
  return { isLess, adjusted: e.or(e.and(selector, e.constI32(0xfffc)), level), flags }
}
export const ARPL = define('arpl', ['modify', 'read'], (e) => {
  const selector = e.get(0)
  const { isLess, adjusted, flags } = adjust(e, selector)
  e.set(0, e.select(isLess, adjusted, selector))
  e.setFlags(flags)
}, { needs: 'flags' })
export const ARPLM = define('arplm', ['address', 'read'], (e) => {
  const addressFor = (write: boolean): Value => e.addressAt(e.constI64(0), 2, write)
  const { isLess, adjusted, flags } = adjust(e, e.load(addressFor(false), 2, { stack: 'operand' }))
  e.if(isLess, () => e.store(addressFor(true), 2, adjusted, { stack: 'operand' }))
  e.setFlags(flags)
}, { needs: 'flags' })
