import { Code } from '../../wasm/code.ts'
import type { Instruction } from '../decode.ts'
import { RegionEmit } from './region-emit.ts'

/** Finds out what instructions do by writing them where nobody reads it: their bodies are all that knows. */
export class Scout {
  private readonly code = new Code()
  private readonly emit: RegionEmit

  constructor(mode: number) {
    const nothing = (): void => {}
    const sink = { jump: nothing, branch: nothing, call: nothing, indirect: nothing }
    this.emit = new RegionEmit(this.code, { mode, exact: false, counts: true, sink })
  }

  /** For each instruction of a block, the general registers that it may write. */
  registersWritten(instructions: readonly Instruction[], address: number): ReadonlySet<number>[] {
    const { code, emit } = this
    let at = address
    return instructions.map((instruction) => {
      code.clear()
      emit.gprsWritten.clear()
      emit.write(instruction, at, 1)
      at += instruction.length
      return new Set(emit.gprsWritten)
    })
  }
}
