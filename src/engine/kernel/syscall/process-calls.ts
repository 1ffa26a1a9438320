import { ARGUMENTS_BYTES_MAX } from '../process/loader.ts'
import { childChannel } from '../process/family.ts'
import type { Ending } from '../process/family.ts'
import type { Process } from '../process/process.ts'
import { SIGNAL_MAX } from '../process/signals.ts'
import { Wait } from '../process/wait.ts'
import { readPath } from './calls.ts'
import type { Call, Result } from './context.ts'
import { KernelError } from './errno.ts'

/** Calls about processes, as both doors have them. */

const POINTER_BYTES = 8

export function fork(call: Call): number {
  return call.kernel.fork(call.process, call.frame).pid
}

/** A zero-terminated vector of strings; none at address 0. Throws E2BIG, EFAULT. */
function readStrings(call: Call, address: number): string[] {
  const { memory } = call.process
  const strings: string[] = []
  let bytes = 0
  if (address === 0) return strings
  for (let at = address; ; at += POINTER_BYTES) {
    const view = new DataView(memory.copyIn(at, POINTER_BYTES).buffer)
    const pointer = view.getUint32(0, true) + view.getUint32(4, true) * 2 ** 32
    if (pointer === 0) break
    try {
      const text = memory.copyInString(pointer, ARGUMENTS_BYTES_MAX)
      bytes += text.length + 1 + POINTER_BYTES
      strings.push(text)
    } catch (error) {
      if (error instanceof KernelError && error.code === 'ENAMETOOLONG') throw new KernelError('E2BIG')
      throw error
    }
    if (bytes > ARGUMENTS_BYTES_MAX) throw new KernelError('E2BIG')
  }
  return strings
}

export function exec(call: Call, path: number, argv: number, envp: number): number {
  const file = readPath(call, path)
  const args = readStrings(call, argv)
  const environment = readStrings(call, envp)
  call.kernel.exec(call.process, call.frame, file, args.length === 0 ? [file] : args, environment)
  return 0
}

/** Waits for a child to end. `store` tells the caller how; it may throw EFAULT, and the child then still waits to be asked for. */
export function wait(call: Call, pid: number, poll: boolean, store: (ending: Ending) => void): Result {
  const { family } = call.kernel
  if (pid !== -1 && pid <= 0) throw new KernelError('ECHILD')
  const ending = family.ended(call.process.pid, pid)
  if (ending === null) return poll ? 0 : new Wait(childChannel(call.process.pid))
  store(ending)
  family.reap(ending.pid)
  return ending.pid
}

/** Sends a signal; 0 only asks whether the process is there. Only process 1 itself and the console may signal process 1. */
export function kill(call: Call, pid: number, signal: number): number {
  if (signal < 0 || signal > SIGNAL_MAX) throw new KernelError('EINVAL')
  const target = processOf(call, pid)
  if (signal === 0) return 0
  if (target.pid === 1 && call.process.pid !== 1) throw new KernelError('EPERM')
  call.kernel.signal(target, signal)
  return 0
}

function processOf(call: Call, pid: number): Process {
  const target = call.kernel.scheduler.processes.get(pid === 0 ? call.process.pid : pid)
  if (target === undefined) throw new KernelError('ESRCH')
  return target
}

/** Puts the caller or a child of its into a process group; 0 for the process, or for a group of its own. */
export function setGroup(call: Call, pid: number, group: number): number {
  const target = processOf(call, pid)
  if (target !== call.process && target.parent !== call.process.pid) throw new KernelError('ESRCH')
  if (group < 0) throw new KernelError('EINVAL')
  target.group = group === 0 ? target.pid : group
  return 0
}

/** Gives the console to a process group of at least one process. */
export function setForeground(call: Call, group: number): number {
  if (![...call.kernel.scheduler.processes.values()].some((process) => process.group === group)) throw new KernelError('ESRCH')
  call.kernel.foregroundGroup = group
  return 0
}

export function ignoreSignal(call: Call, signal: number, ignore: number): number {
  if (signal < 1 || signal > SIGNAL_MAX) throw new KernelError('EINVAL')
  if (ignore !== 0) call.process.ignored.add(signal)
  else call.process.ignored.delete(signal)
  return 0
}
