import { FAST_SYSCALL } from '../arch/idt.ts'
import { FrameOffset } from '../arch/trap-frame.ts'
import type { TrapFrame } from '../arch/trap-frame.ts'
import { Cost } from '../costs.ts'
import type { PendingCall, Process } from '../process/process.ts'
import { Channel, Wait } from '../process/wait.ts'
import { atollHandlers } from './atoll.ts'
import type { KernelServices, Result } from './context.ts'
import type { DoorEntry, DoorServices, Handler } from './door.ts'
import { Errno, KernelError } from './errno.ts'
import { linuxName } from './linux/names.ts'
import { linuxDoor } from './linux/table.ts'
import { syscalls } from './table.ts'
import type { ArgumentType, SyscallDefinition } from './table.ts'

/** RDI RSI RDX R10 R8 R9: arguments of both doors. */
const ARGUMENT_OFFSETS = [FrameOffset.RDI, FrameOffset.RSI, FrameOffset.RDX, FrameOffset.R10, FrameOffset.R8, FrameOffset.R9] as const
/** `int 0x80` and `syscall` are both two bytes long. */
const CALL_INSTRUCTION_BYTES = 2
const INT64_MIN_AS_NUMBER = 2 ** 63
const REPORTED_CALLS_MAX = 64

const atollDoor = new Map<number, DoorEntry>()
for (const definition of syscalls as readonly SyscallDefinition[]) {
  const handler = (atollHandlers as Record<string, Handler | undefined>)[definition.name]
  if (handler !== undefined) atollDoor.set(definition.number, { arguments: definition.arguments.map(({ type }) => type), handler })
}

/**
 * One argument as a number. `int` is the low 32 bits, signed; everything wider is exact up to 2^53, and beyond that still far
 * outside every address, length and offset that a call accepts.
 */
export function decodeArgument(frame: TrapFrame, index: number, type: ArgumentType): number {
  const offset = ARGUMENT_OFFSETS[index]
  switch (type) {
    case 'int':
      return frame.getInt(offset)
    case 'uint32_t':
      return frame.getInt(offset) >>> 0
    case 'int64_t': {
      const value = frame.getNumber(offset)
      return value >= INT64_MIN_AS_NUMBER ? Number(BigInt.asIntN(64, frame.getU64(offset))) : value
    }
    default:
      return frame.getNumber(offset)
  }
}

/** Makes one system call for the process whose registers `frame` holds: leaves the result in RAX, or puts the process to sleep. */
export function dispatch(kernel: DoorServices, process: Process, frame: TrapFrame): void {
  kernel.charge(Cost.SYSTEM_CALL)
  const isLinux = frame.vector === FAST_SYSCALL
  const number = frame.getNumber(FrameOffset.RAX)
  const entry = isLinux ? linuxDoor.get(number) : atollDoor.get(number)
  if (entry === undefined) {
    process.pending = null
    if (isLinux) reportUnavailable(kernel, process, number)
    frame.setNumber(FrameOffset.RAX, -Errno.ENOSYS)
    return
  }
  const state = resume(process, number)
  let result: Result
  try {
    const args = entry.arguments.map((type, index) => decodeArgument(frame, index, type))
    result = entry.handler({ kernel, process, frame, state }, ...args)
  } catch (error) {
    if (!(error instanceof KernelError)) throw error
    result = error.result
  }
  if (process.state === 'zombie') return
  if (result instanceof Wait) suspend(kernel, process, frame, state, result)
  else {
    process.pending = null
    frame.setNumber(FrameOffset.RAX, result)
  }
}

/** One log line for each call and process, and for so many of them. */
function reportUnavailable(kernel: KernelServices, process: Process, number: number): void {
  if (process.reportedCalls.has(number) || process.reportedCalls.size >= REPORTED_CALLS_MAX) return
  process.reportedCalls.add(number)
  kernel.log('linux', `${process.name} (pid ${process.pid}) called ${linuxName(number)}, which is not available`)
}

/** What the same call has done so far; a fresh record when it is another call than the one that had to wait. */
function resume(process: Process, number: number): PendingCall {
  if (process.pending?.number !== number) process.pending = { number, progress: 0, deadlineNs: 0 }
  return process.pending
}

/** The process will execute its system call instruction again. It may not leave by SYSRET, whose RCX would then be wrong. */
function suspend(kernel: KernelServices, process: Process, frame: TrapFrame, state: PendingCall, wait: Wait): void {
  process.pending = state
  frame.setNumber(FrameOffset.RIP, frame.rip - CALL_INSTRUCTION_BYTES)
  if (frame.vector === FAST_SYSCALL) frame.setNumber(FrameOffset.VECTOR, 0)
  if (wait.channel === Channel.AGAIN) kernel.scheduler.preempt = true
  else if (wait.channel !== Channel.ONWARD) kernel.scheduler.sleep(wait.channel, wait.deadlineNs)
}
