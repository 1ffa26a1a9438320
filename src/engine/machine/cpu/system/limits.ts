import { SEGMENT_BYTES, SegmentAttribute, SegmentIndex, State, Vector, segmentBaseAt } from '../state.ts'
import { fault } from './faults.ts'
import { type CpuState, Word } from './views.ts'

/** Bits of a segment's type, SDM vol. 3, table 3-1. */
const Type = { WRITABLE: 2, EXPANDS_DOWN: 4, CODE: 8 } as const

/** Whether bytes lie within a segment: SDM vol. 3, 5.3. Beyond 4 GiB offsets wrap, which a limit of 4 GiB allows. */
export function isWithin(attributes: number, limit: number, offset: number, length: number): boolean {
  const last = (offset >>> 0) + length - 1
  if ((attributes & (Type.CODE | Type.EXPANDS_DOWN)) !== Type.EXPANDS_DOWN) return limit === 0xffffffff || last <= limit
  const top = (attributes & SegmentAttribute.DB) !== 0 ? 0xffffffff : 0xffff
  return offset >>> 0 > limit && last <= top
}

/** Whether a segment register lets a program read or write so many bytes at an offset, outside 64-bit mode: SDM vol. 3, 5.3 to 5.5. */
export function allows(state: CpuState, segment: number, offset: number, length: number, write: boolean): boolean {
  const attributes = state.attributes(segment)
  if ((attributes & SegmentAttribute.UNUSABLE) !== 0) return false
  const isCode = (attributes & Type.CODE) !== 0
  if (write ? isCode || (attributes & Type.WRITABLE) === 0 : isCode && (attributes & Type.WRITABLE) === 0) return false
  return isWithin(attributes, state.limit(segment), offset, length)
}

/** #GP(0), or #SS(0) for SS, unless the access is allowed. */
export function checkSegment(state: CpuState, segment: number, offset: number, length: number, write: boolean): void {
  if (!allows(state, segment, offset, length, write)) fault(state, segment === SegmentIndex.SS ? Vector.SS : Vector.GP, 0)
}

/** SegmentIndex by where the base is, as segmentBaseAt says. */
export const segmentOfBase = (baseAt: number): number => (baseAt - segmentBaseAt(0)) / SEGMENT_BYTES

/** Checks `length` bytes at a linear address against the segment of the current system instruction's memory operand. */
export function checkOperand(state: CpuState, lo: number, length: number, write: boolean): void {
  const baseAt = state.i32[Word.SYS_SEGMENT]
  if (baseAt === State.ZERO) return
  const segment = segmentOfBase(baseAt)
  checkSegment(state, segment, (lo - state.baseLo(segment)) | 0, length, write)
}
