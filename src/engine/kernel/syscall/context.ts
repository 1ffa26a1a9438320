import type { TrapFrame } from '../arch/trap-frame.ts'
import type { Console } from '../drivers/console.ts'
import type { MessageQueues } from '../ipc/message-queue.ts'
import type { OpenFileTable } from '../fs/open-file.ts'
import type { Vfs } from '../fs/vfs.ts'
import type { Family } from '../process/family.ts'
import type { PendingCall, Process } from '../process/process.ts'
import type { NetworkStack } from '../net/stack.ts'
import type { Scheduler } from '../process/scheduler.ts'
import type { Wait } from '../process/wait.ts'
import type { Random } from '../../random/random.ts'

/** What the calls, and WebAssembly under them, may use of the kernel. */
export interface KernelServices {
  readonly vfs: Vfs
  readonly openFiles: OpenFileTable
  readonly console: Console
  readonly scheduler: Scheduler
  readonly random: Random
  readonly network: NetworkStack
  readonly nowNs: number
  /** Spends virtual time. */
  charge(ns: number): void
  log(subsystem: string, text: string): void
  readonly family: Family
  readonly queues: MessageQueues
  /** Process group that the console belongs to. */
  foregroundGroup: number
  /** A process like the caller, about to return 0 from the same call. Throws EAGAIN, ENOMEM. */
  fork(process: Process, frame: TrapFrame): Process
  /** Puts another program into the process. Throws KernelError with the process as it was. */
  exec(process: Process, frame: TrapFrame, path: string, args: readonly string[], environment: readonly string[]): void
  /** A number for a new pipe. */
  newPipeNumber(): number
  /** Does to a process what the signal does by default, unless it ignores it. */
  signal(process: Process, signal: number): void
  /** Ends a process; its status is what WAIT reports. */
  exit(process: Process, status: number): void
  /** Ends a process as a signal does, with lines on the console that say why. */
  kill(process: Process, signal: number, reasons: readonly string[]): void
  /** Gives the running process its FS or GS base. */
  setSegmentBase(segment: 'fs' | 'gs', base: bigint): void
}

/** One system call being made. */
export interface Call {
  kernel: KernelServices
  process: Process
  /** The caller's registers. */
  frame: TrapFrame
  /** What the same call has done before it had to wait; zeros the first time. */
  state: PendingCall
}

/** A result for RAX: a value, a negated error number, or what the call waits for. */
export type Result = number | Wait
