import { PageFaultBit } from '../arch/exceptions.ts'
import type { AccessKind } from '../memory/address-space.ts'
import { KernelError } from '../syscall/errno.ts'
import type { Process } from './process.ts'

/** The access a page-fault error code speaks of. */
export const faultAccess = (error: number): AccessKind => ((error & PageFaultBit.FETCH) !== 0 ? 'execute' : (error & PageFaultBit.WRITE) !== 0 ? 'write' : 'read')

/** `resolved`: the page is real now. `denied`: the program may not. `no-memory`: it may, but there is no frame. */
export type FaultOutcome = 'resolved' | 'denied' | 'no-memory'

/** Makes a page real that was touched for the first time. */
export function resolvePageFault(process: Process, address: number, error: number): FaultOutcome {
  if ((error & (PageFaultBit.PRESENT | PageFaultBit.RESERVED)) !== 0) return 'denied'
  try {
    return process.memory.populate(address, faultAccess(error)) ? 'resolved' : 'denied'
  } catch (failure) {
    if (failure instanceof KernelError) return 'no-memory'
    throw failure
  }
}
