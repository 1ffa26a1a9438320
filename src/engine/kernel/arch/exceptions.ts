import { Vector } from '../../machine/cpu/state.ts'
import type { SignalName } from '../process/signals.ts'

interface ExceptionInfo {
  name: string
  signal: SignalName
}

/** Names as SDM vol. 3, table 6-1 gives them, and the signal POSIX systems turn each into. */
const exceptions: Record<number, ExceptionInfo> = {
  [Vector.DE]: { name: 'divide error', signal: 'SIGFPE' },
  [Vector.DB]: { name: 'debug exception', signal: 'SIGTRAP' },
  [Vector.NMI]: { name: 'non-maskable interrupt', signal: 'SIGBUS' },
  [Vector.BP]: { name: 'breakpoint', signal: 'SIGTRAP' },
  [Vector.OF]: { name: 'overflow', signal: 'SIGSEGV' },
  [Vector.BR]: { name: 'bound range exceeded', signal: 'SIGSEGV' },
  [Vector.UD]: { name: 'invalid opcode', signal: 'SIGILL' },
  [Vector.NM]: { name: 'device not available', signal: 'SIGFPE' },
  [Vector.DF]: { name: 'double fault', signal: 'SIGBUS' },
  [Vector.TS]: { name: 'invalid TSS', signal: 'SIGSEGV' },
  [Vector.NP]: { name: 'segment not present', signal: 'SIGBUS' },
  [Vector.SS]: { name: 'stack-segment fault', signal: 'SIGBUS' },
  [Vector.GP]: { name: 'general protection fault', signal: 'SIGSEGV' },
  [Vector.PF]: { name: 'page fault', signal: 'SIGSEGV' },
  [Vector.MF]: { name: 'x87 floating-point error', signal: 'SIGFPE' },
  [Vector.AC]: { name: 'alignment check', signal: 'SIGBUS' },
  [Vector.MC]: { name: 'machine check', signal: 'SIGBUS' },
  [Vector.XM]: { name: 'SIMD floating-point exception', signal: 'SIGFPE' },
}

export const describeException = (vector: number): ExceptionInfo => exceptions[vector] ?? { name: `exception ${vector}`, signal: 'SIGSEGV' }

/** Page-fault error code, SDM vol. 3, 4.7. */
export const PageFaultBit = { PRESENT: 1, WRITE: 2, USER: 4, RESERVED: 8, FETCH: 16 } as const

export type AccessKind = 'read' | 'write' | 'execute'

/** What the program wanted to do, by the error code. */
export const faultAccess = (error: number): AccessKind => {
  if ((error & PageFaultBit.FETCH) !== 0) return 'execute'
  return (error & PageFaultBit.WRITE) !== 0 ? 'write' : 'read'
}

const actions: Record<AccessKind, string> = { read: 'reading', write: 'writing', execute: 'executing' }

/** `page fault writing`, for the address to follow. */
export const describeAccess = (error: number): string => actions[faultAccess(error)]
