import type { SiliconCase } from './case.ts'
import { MEMORY_FAULTS, differences } from './compare.ts'
import type { EmulatedProcessor } from './emulator.ts'
import { At, WINDOW_BYTES } from './layout.ts'
import { isEnvironment, isStore } from './x87.ts'

/** FLDCW and FNSTCW. */
const CONTROL_WORD = /^D9\/[57]m$/
const X87_MASKS = 0x3f
/** Of the status word: an unmasked exception is pending. */
const ES = 0x80
/** Instruction pointer, opcode and data pointer in the 32-bit image of the environment. */
const POINTERS_BYTES = 16

interface Records {
  start: Uint8Array
  expected: Uint8Array
  found: Uint8Array
}

/**
 * How two outcomes of a case differ, where `expected` is from one of AMD's processors, whose x87 differs from this one in what the manuals
 * leave open: when it keeps its pointers, which are taken over into `expected`, and in the order of two faults of a store.
 */
export function differencesOnAmd(emulated: EmulatedProcessor, test: SiliconCase, { start, expected, found }: Records): string[] {
  takePointers(test, expected, found)
  const lines = differences(test, expected, found)
  return lines.length > 0 && onlyFaultsInOtherOrder(emulated, test, { start, expected, found }) ? [] : lines
}

/** Whether instructions may have read what FNSTENV, FNSTCW and the like stored, or raised what FLDENV, FLDCW and the like unmasked. */
export function readsEnvironment({ names }: SiliconCase): boolean {
  const first = names.findIndex((name) => isEnvironment(name) || CONTROL_WORD.test(name))
  return first >= 0 && first < names.length - 1
}

/**
 * Takes over what is nothing to compare of the x87's last instruction: AMD's processors save its opcode and pointers only with a pending
 * exception (APM vol. 5, FXSAVE), and then of the last instruction and operand, where this processor has the opcode and the data
 * pointer of the last exception (SDM vol. 1, 8.1.9 and 8.1.8). FNSTENV and FNSAVE write them to memory.
 */
function takePointers(test: SiliconCase, expected: Uint8Array, found: Uint8Array): void {
  const take = (from: number, to: number): void => expected.set(found.subarray(from, to), from)
  const [opcode, instructionPointer, dataPointer] = [At.FX + 6, At.FX + 8, At.FX + 16]
  take(opcode, instructionPointer)
  take((expected[At.FX + 2] & ES) === 0 ? instructionPointer : dataPointer, dataPointer + 8)
  let images = test.names.filter(isEnvironment).length
  if (images === 0) return
  let isInWindow = false
  for (let at = At.WINDOW; at < At.WINDOW + WINDOW_BYTES && images > 0; at++) {
    if (expected[at] === found[at]) continue
    take(at, at + POINTERS_BYTES)
    isInWindow = true
    images--
  }
  if (!isInWindow) take(At.OUTSIDE, At.OUTSIDE + 4)
}

/**
 * Whether the one difference is the order of two faults of an x87 store: here an unmasked exception, which waits for the next x87
 * instruction, comes before what is wrong with the memory; AMD's processors do it the other way round, and the manual leaves the order
 * of faults of one instruction open (SDM vol. 3, table 6-2). With the exceptions masked the memory's fault must be that of silicon.
 */
function onlyFaultsInOtherOrder(emulated: EmulatedProcessor, test: SiliconCase, { start, expected }: Records): boolean {
  if (!test.names.some(isStore) || !MEMORY_FAULTS.has(expected[At.VECTOR])) return false
  const [masked, wanted] = [start.slice(), expected.slice()]
  for (const record of [masked, wanted]) record[At.FX] |= X87_MASKS
  emulated.run(masked)
  takePointers(test, wanted, masked)
  return differences(test, wanted, masked).length === 0
}
