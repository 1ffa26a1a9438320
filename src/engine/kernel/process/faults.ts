import { PageFaultBit, faultAccess } from '../arch/exceptions.ts'
import { KernelError } from '../syscall/errno.ts'
import type { Process } from './process.ts'

/** `resolved`: the page is real now. `denied`: the program may not. `no-memory`: it may, but there is no frame. */
export type FaultOutcome = 'resolved' | 'denied' | 'no-memory'

/** Makes a page real that was touched for the first time, or our own that is shared. */
export function resolvePageFault(process: Process, address: number, error: number): FaultOutcome {
  if ((error & PageFaultBit.RESERVED) !== 0) return 'denied'
  // A page that is there may still be shared since a fork, and then a write is what makes it our own.
  if ((error & PageFaultBit.PRESENT) !== 0 && faultAccess(error) !== 'write') return 'denied'
  try {
    return process.memory.populate(address, faultAccess(error)) ? 'resolved' : 'denied'
  } catch (failure) {
    if (failure instanceof KernelError) return 'no-memory'
    throw failure
  }
}
