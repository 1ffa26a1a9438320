import { PageFaultBit, describeAccess, describeException } from '../arch/exceptions.ts'
import { hex } from '../arch/layout.ts'
import { FrameOffset } from '../arch/trap-frame.ts'
import type { TrapFrame } from '../arch/trap-frame.ts'
import type { Process } from '../process/process.ts'
import { Vector } from '../../machine/cpu/state.ts'
import type { Disassembler, Symbolizer } from './symbols.ts'
import { formatLocation } from './symbols.ts'

/** Longest x86 instruction. */
export const INSTRUCTION_BYTES_MAX = 15
const BACKTRACE_MAX = 16

export interface FaultReporter {
  symbolizer: Symbolizer
  disassembler: Disassembler | null
}

/** What the processor says of a fault in ring 3. */
export interface Fault {
  vector: number
  error: number
  /** CR2, for page faults. */
  address: number
}

/** `page fault writing 0x0`, `divide error`, … */
export function describeFault(process: Process, fault: Fault): string {
  const { name } = describeException(fault.vector)
  if (fault.vector !== Vector.PF) return name
  const what = `${name} ${describeAccess(fault.error)} ${hex(fault.address)}`
  if (process.space?.isStackGuard(fault.address) === true) return `${what} (stack overflow)`
  return (fault.error & PageFaultBit.PRESENT) !== 0 ? `${what} (not permitted)` : what
}

/** Instruction bytes at `address` as far as they are mapped. */
function codeAt(process: Process, address: number): Uint8Array {
  for (let length = INSTRUCTION_BYTES_MAX; length > 0; length--) {
    const bytes = process.space?.peek(address, length)
    if (bytes !== null && bytes !== undefined) return bytes
  }
  return new Uint8Array(0)
}

const locate = (process: Process, reporter: FaultReporter, address: number): string => {
  const location = reporter.symbolizer.locate(address - process.imageBias)
  return location === null ? '' : ` ${formatLocation(location)}`
}

/** Return addresses by frame pointers, the caller of the faulting function first. */
function backtrace(process: Process, frame: TrapFrame): number[] {
  const addresses: number[] = []
  let pointer = frame.getNumber(FrameOffset.RBP)
  while (addresses.length < BACKTRACE_MAX) {
    const record = pointer % 8 === 0 ? (process.space?.peek(pointer, 16) ?? null) : null
    if (record === null) break
    const view = new DataView(record.buffer)
    const next = Number(view.getBigUint64(0, true))
    const address = Number(view.getBigUint64(8, true))
    if (address === 0) break
    addresses.push(address)
    if (next <= pointer) break
    pointer = next
  }
  return addresses
}

/** What a person reads when a program dies of a fault; the first line has everything that matters, the others its callers. */
export function reportFault(process: Process, frame: TrapFrame, fault: Fault, reporter: FaultReporter): string[] {
  const code = codeAt(process, frame.rip)
  const instruction = code.length > 0 ? (reporter.disassembler?.(code, frame.rip) ?? '') : ''
  const where = `${hex(frame.rip)}${locate(process, reporter, frame.rip)}`
  const first = `atoll: fault (pid ${process.pid}): ${describeFault(process, fault)} at ${where}`
  const callers = backtrace(process, frame).flatMap((address) => {
    const place = locate(process, reporter, address - 1)
    return place === '' ? [] : [`atoll:   called from ${hex(address)}${place}`]
  })
  return [instruction === '' ? first : `${first}  ${instruction}`, ...callers]
}
