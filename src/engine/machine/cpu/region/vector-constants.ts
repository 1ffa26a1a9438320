import { VECTOR_CONSTANTS, VECTOR_CONSTANTS_END } from '../state.ts'

const VECTOR_BYTES = 16

/** The vectors that a machine's translated code loads from its memory; each is put there when it is first asked for. */
export class VectorConstants {
  private readonly memory: Uint8Array
  private readonly offsets = new Map<string, number>()

  /** @param memory all of the machine's WebAssembly memory */
  constructor(memory: Uint8Array) {
    this.memory = memory
  }

  /** Where a constant is; undefined when it is cheaper made in place, or there is no room. */
  offsetOf(bytes: readonly number[]): number | undefined {
    if (bytes.every((byte) => byte === bytes[0]) && (bytes[0] === 0 || bytes[0] === 0xff)) return undefined
    const key = bytes.join()
    const known = this.offsets.get(key)
    if (known !== undefined) return known
    const offset = VECTOR_CONSTANTS + this.offsets.size * VECTOR_BYTES
    if (offset === VECTOR_CONSTANTS_END) return undefined
    this.memory.set(bytes, offset)
    this.offsets.set(key, offset)
    return offset
  }
}
