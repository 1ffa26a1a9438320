import { SystemOp } from '../system-op.ts'
import { needsOf } from './arithmetic.ts'
import { define } from './definition.ts'

/** Transfers of control, and the doors to the system instructions. */

export const JMP = define('jmp', ['read'], (e) => e.jumpRelative(), { control: 'jump', modal: true })
export const JCC = Array.from({ length: 16 }, (_, cc) =>
  define(`j${cc}`, ['read'], (e) => e.branchRelative(e.condition(cc)), { control: 'branch', modal: true, needs: needsOf(cc) }),
)
export const CALL = define('call', ['read'], (e) => e.callRelative(), { control: 'call', modal: true })

export const JMP_INDIRECT = define('jmpi', ['read'], (e) => {
  const target = e.wide(e.get(0))
  e.requireTarget(target)
  e.jumpTo(target)
}, { control: 'jump-indirect', modal: true })
export const CALL_INDIRECT = define('calli', ['read'], (e) => {
  const target = e.wide(e.get(0))
  e.requireTarget(target)
  e.pushStack(e.resize(e.nextRip()), e.size)
  e.jumpTo(target)
}, { control: 'call-indirect', modal: true })

export const RET = define('ret', [], (e) => {
  const target = e.wide(e.topOfStack(e.size))
  e.requireTarget(target)
  e.releaseStack(e.constI64(e.size))
  e.jumpTo(target)
}, { control: 'return', modal: true })
export const RET_IMM = define('reti', ['read'], (e) => {
  const target = e.wide(e.topOfStack(e.size))
  e.requireTarget(target)
  e.releaseStack(e.add(e.constI64(e.size), e.and(e.wide(e.get(0)), e.constI64(0xffff))))
  e.jumpTo(target)
}, { control: 'return', modal: true })

/** LOOPcc count in rCX; jrCXZ tests it. */
const loop = (name: string, cc: number | undefined) =>
  define(name, ['read'], (e) => {
    const holds = cc === undefined ? undefined : e.ne(e.condition(cc), e.constI32(0))
    const count = e.sub(e.counter(), e.constI64(1))
    const more = e.ne(e.cutAddress(count), e.constI64(0))
    e.branchRelative(holds === undefined ? more : e.and(more, holds), () => e.setCounter(count))
  }, { control: 'branch', modal: true, addressed: true, ...(cc === undefined ? {} : { needs: 'flags' as const }) })
export const LOOP = loop('loop', undefined)
export const LOOPE = loop('loope', 4)
export const LOOPNE = loop('loopne', 5)
export const JRCXZ = define('jrcxz', ['read'], (e) => e.branchRelative(e.eqz(e.counter())), {
  control: 'branch', modal: true, addressed: true,
})

/** What polling and delaying loops are made of. */
const IN_REGIONS: ReadonlySet<SystemOp> = new Set([SystemOp.IN, SystemOp.RDTSC])

/** One definition a system instruction; the operand, if any, is a register or an address. */
export const SYSTEM = Object.fromEntries(
  Object.entries(SystemOp).map(([name, op]) => [
    name,
    {
      plain: define(`sys_${name}`, [], (e) => e.system(op), { control: 'system', inRegions: IN_REGIONS.has(op) }),
      operand: define(`sysm_${name}`, ['address'], (e) => e.system(op), { control: 'system' }),
      immediate: define(`sysi_${name}`, ['read'], (e) => e.system(op), { control: 'system', inRegions: IN_REGIONS.has(op) }),
    },
  ]),
) as Record<keyof typeof SystemOp, Record<'plain' | 'operand' | 'immediate', ReturnType<typeof define>>>
