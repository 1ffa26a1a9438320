import type { Symbolizer } from '../../engine/kernel/debug/symbols.ts'
import type { CreateLabSession } from '../../engine/lab/run/session.ts'
import type { SessionOptions } from '../../engine/lab/session.ts'
import { MachineSession } from '../../engine/lab/session.ts'
import { readDebugInfo } from '../../engine/toolchain/debug-info.ts'
import { disassemble } from '../../engine/toolchain/disassembler.ts'
import type { MachineSpec } from '../worker/messages.ts'

/** A session, and what a host wants to know besides. */
export class HostedMachine extends MachineSession {
  /** Bytes typed that the machine has not taken from the line yet. */
  get untakenBytes(): number {
    return this.machine.serial.waiting
  }

  /** Every process sleeps for what only the console can bring, and nothing is on its way. */
  get waitsForInput(): boolean {
    const { phase, scheduler } = this.kernel
    if (phase !== 'running' || scheduler.current !== null || this.untakenBytes > 0) return false
    for (const { state, deadlineNs } of scheduler.processes.values())
      if (state !== 'blocked' || deadlineNs !== Number.POSITIVE_INFINITY) return false
    return true
  }
}

/** A program whose section headers are damaged or missing still runs: the kernel then makes do with less. */
function symbolizerOf(program: Uint8Array): Symbolizer | undefined {
  try {
    return readDebugInfo(program)
  } catch {
    return undefined
  }
}

/** A machine ready to run. Throws when the program is none for it, or the host has no memory for it. */
export function createSession(spec: MachineSpec, onConsole: (bytes: Uint8Array) => void): HostedMachine {
  return new HostedMachine({ ...optionsOf(spec), onConsole })
}

/** A machine of a lab, as `createSession` makes one. */
export const createLabSession: CreateLabSession<MachineSpec> = (spec, { onConsoleByte, onFrame }) =>
  new MachineSession({ ...optionsOf(spec), onConsoleByte, onFrame })

function optionsOf(spec: MachineSpec): SessionOptions {
  return { ...spec, symbolizer: symbolizerOf(spec.program.bytes), disassembler: disassemble }
}
