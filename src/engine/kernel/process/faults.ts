import { PageFaultBit, faultAccess } from '../arch/exceptions.ts'
import { KernelError } from '../syscall/errno.ts'
import type { Process } from './process.ts'

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
