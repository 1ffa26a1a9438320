import { PageFaultBit, describeAccess, describeException } from '../arch/exceptions.ts'
import { kernelToPhysical } from '../arch/gate.ts'
import { hex } from '../arch/layout.ts'
import { FrameOffset, frameRegisters } from '../arch/trap-frame.ts'
import type { TrapFrame } from '../arch/trap-frame.ts'
import { Vector } from '../../machine/cpu/state.ts'
import type { PhysicalMemory } from '../../machine/memory.ts'
import { INSTRUCTION_BYTES_MAX } from './fault-report.ts'
import type { Disassembler, Symbolizer } from './symbols.ts'
import { formatLocation } from './symbols.ts'

const WIDTH = 78
const BACKTRACE_MAX = 16
const STACK_LINES_MAX = 12

export interface PanicContext {
  memory: PhysicalMemory
  /** Of the boot image. */
  symbolizer: Symbolizer
  disassembler: Disassembler | null
  cr2: bigint
  cr3: number
}

const word = (value: bigint): string => value.toString(16).padStart(16, '0')

/** The physical address of a kernel-half address that is RAM, else null. */
function physical(memory: PhysicalMemory, address: bigint, length: number): number | null {
  try {
    const at = kernelToPhysical(address)
    return memory.contains(at, length) ? at : null
  } catch {
    return null
  }
}

const place = (context: PanicContext, address: bigint): string => {
  const location = context.symbolizer.locate(address)
  return location === null ? '' : ` ${formatLocation(location)}`
}

function faultingInstruction(context: PanicContext, rip: bigint): string {
  const at = physical(context.memory, rip, INSTRUCTION_BYTES_MAX)
  if (at === null) return '(no code there)'
  const bytes = context.memory.read(at, INSTRUCTION_BYTES_MAX)
  return context.disassembler?.(bytes, rip) ?? [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(' ')
}

function backtrace(context: PanicContext, frame: TrapFrame): string[] {
  const lines: string[] = []
  let pointer = frame.getU64(FrameOffset.RBP)
  while (lines.length < BACKTRACE_MAX) {
    const at = physical(context.memory, pointer, 16)
    if (at === null) break
    const address = context.memory.readU64(at + 8)
    if (address === 0n) break
    lines.push(`  ${hex(address)}${place(context, address - 1n)}`)
    const next = context.memory.readU64(at)
    if (next <= pointer) break
    pointer = next
  }
  return lines
}

/** `page fault writing 0x8`, `double fault`, … for a trap that the kernel itself caused. */
export function describeKernelTrap(frame: TrapFrame, cr2: bigint): string {
  const { name } = describeException(frame.vector)
  if (frame.vector !== Vector.PF) return `${name} in the kernel (error code ${hex(frame.error)})`
  const present = (frame.error & PageFaultBit.PRESENT) !== 0 ? ' (not permitted)' : ''
  return `${name} in the kernel ${describeAccess(frame.error)} ${hex(cr2)}${present}`
}

/** Lines of a JavaScript stack without the folders that differ from one host to the next. */
function stackLines(error: Error): string[] {
  return (error.stack ?? '')
    .split('\n')
    .filter((line) => /^\s*at /.test(line))
    .slice(0, STACK_LINES_MAX)
    .map((line) => `  ${line.trim().replace(/\(?(?:[a-z]+:\/\/)?[^\s()]*\/([^/\s()]+)\)?$/, '($1)')}`)
}

/** The panic screen. `frame` is null when there was no trap; `error` is set when the kernel's own code threw. */
export function renderPanic(reason: string, context: PanicContext, frame: TrapFrame | null, error: Error | null): string[] {
  const rule = '='.repeat(WIDTH)
  const lines = ['', rule, `KERNEL PANIC: ${reason}`, rule]
  if (frame !== null) {
    const rip = frame.getU64(FrameOffset.RIP)
    lines.push(`rip ${word(rip)}${place(context, rip)}`, `instruction: ${faultingInstruction(context, rip)}`, '')
    const registers = frameRegisters.map(([name, offset]) => `${name.padEnd(3)} ${word(frame.getU64(offset))}`)
    for (let index = 0; index < registers.length; index += 4) lines.push(registers.slice(index, index + 4).join('  '))
    const [cs, ss, rflags] = [FrameOffset.CS, FrameOffset.SS, FrameOffset.RFLAGS].map((offset) => hex(frame.getNumber(offset)))
    const trap = `vector ${frame.vector}  error ${hex(frame.error)}`
    lines.push(`cs ${cs}  ss ${ss}  rflags ${rflags}  cr2 ${hex(context.cr2)}  cr3 ${hex(context.cr3)}  ${trap}`)
    const trace = backtrace(context, frame)
    if (trace.length > 0) lines.push('', 'backtrace:', ...trace)
  }
  if (error !== null) lines.push('', 'thrown by the kernel:', ...stackLines(error))
  return [...lines, rule, 'The machine has stopped.']
}
