import type { CpuState } from './views.ts'
import { Word } from './views.ts'

/**
 * What is thrown to abandon a system instruction or an event delivery. It carries nothing: vector and error code are in
 * State.FAULT_VECTOR and State.FAULT_ERROR. One object for all, so that throwing allocates nothing and captures no stack.
 */
export const FAULT: unique symbol = Symbol('processor fault')

/** Records an exception for delivery without throwing. */
export function setFault(state: CpuState, vector: number, error: number): void {
  state.i32[Word.FAULT_VECTOR] = vector
  state.i32[Word.FAULT_ERROR] = error
}

/** Records an exception and abandons what is being done; nothing the guest can see may have changed before. */
export function fault(state: CpuState, vector: number, error: number): never {
  setFault(state, vector, error)
  throw FAULT
}
