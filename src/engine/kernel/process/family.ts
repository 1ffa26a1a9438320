import { FAST_SYSCALL } from '../arch/idt.ts'
import { FrameOffset } from '../arch/trap-frame.ts'
import type { TrapFrame } from '../arch/trap-frame.ts'
import type { AddressSpace } from '../memory/address-space.ts'
import { KernelError } from '../syscall/errno.ts'
import { Process } from './process.ts'
import type { Scheduler } from './scheduler.ts'
import { PROCESSES_MAX } from './scheduler.ts'

/** Channel on which a process waits for its children. */
export const childChannel = (pid: number): string => `child-${pid}`

/** Highest process id before they start again from 2. */
const PID_MAX = 32767
const INIT = 1

/** How a process ended, as WAIT tells it. */
export interface Ending {
  pid: number
  /** Exit status, 0 to 255; 0 when a signal ended it. */
  status: number
  /** The signal that ended it, or 0. */
  signal: number
}

/** Added to a signal where an exit status is told, so that the two cannot be mistaken: exit statuses end at 255. */
export const ENDED_BY_SIGNAL = 256

/** The Atoll door's encoding: the exit status, or ENDED_BY_SIGNAL and the signal. */
export const encodeEnding = ({ status, signal }: Ending): number => (signal === 0 ? status : ENDED_BY_SIGNAL + signal)
/** Linux's encoding (wait(2)): the signal in bits 0–6, the exit status in bits 8–15. */
export const encodeLinuxEnding = ({ status, signal }: Ending): number => (status << 8) | signal

/** Births, deaths and who waits for whom. Zombies stay in the scheduler's table until their parent has asked. */
export class Family {
  private readonly scheduler: Scheduler
  private lastPid = 0

  constructor(scheduler: Scheduler) {
    this.scheduler = scheduler
  }

  /** Throws EAGAIN when the table is full. */
  requireRoom(): void {
    if (this.scheduler.processes.size >= PROCESSES_MAX) throw new KernelError('EAGAIN')
  }

  /** A process id nobody has. Throws EAGAIN when the table is full. */
  newPid(): number {
    const { processes } = this.scheduler
    this.requireRoom()
    do this.lastPid = this.lastPid >= PID_MAX ? INIT + 1 : this.lastPid + 1
    while (processes.has(this.lastPid))
    return this.lastPid
  }

  /** The child of a process that called FORK: everything of its parent's, registers included, but RAX = 0. `space` is its own. */
  fork(parent: Process, frame: TrapFrame, space: AddressSpace, fx: Uint8Array): Process {
    const child = new Process(this.newPid(), parent.pid, parent.name, space, parent.descriptors.clone())
    child.imageBias = parent.imageBias
    child.workingDirectory = parent.workingDirectory
    child.symbols = parent.symbols
    child.group = parent.group
    child.context.set(frame)
    child.context.setNumber(FrameOffset.RAX, 0)
    // It does not leave by SYSRET: RCX and R11 are as its parent had them.
    if (frame.vector === FAST_SYSCALL) child.context.setNumber(FrameOffset.VECTOR, 0)
    child.fx = fx
    child.fsBase = parent.fsBase
    child.gsBase = parent.gsBase
    child.signalMask = parent.signalMask
    for (const signal of parent.ignored) child.ignored.add(signal)
    this.scheduler.add(child)
    return child
  }

  /** A process has ended: its children lose their parent, and its own parent hears of it or nobody is left to. */
  bury(process: Process): void {
    const { processes } = this.scheduler
    for (const other of processes.values()) {
      if (other.parent !== process.pid) continue
      other.parent = 0
      if (other.state === 'zombie') processes.delete(other.pid)
    }
    const parent = processes.get(process.parent)
    if (parent === undefined || parent.state === 'zombie') processes.delete(process.pid)
    else this.scheduler.wake(childChannel(parent.pid))
  }

  /** An ended child (`pid`, or any with -1); null when none has ended yet. Throws ECHILD without such a child. */
  ended(parent: number, pid: number): Ending | null {
    const children = [...this.scheduler.processes.values()].filter((child) => child.parent === parent && (pid === -1 || child.pid === pid))
    if (children.length === 0) throw new KernelError('ECHILD')
    const ended = children.find((child) => child.state === 'zombie')
    if (ended === undefined) return null
    return { pid: ended.pid, status: ended.endSignal === 0 ? ended.exitStatus : 0, signal: ended.endSignal }
  }

  /** Lets go of an ended process whose parent has been told. */
  reap(pid: number): void {
    this.scheduler.processes.delete(pid)
  }
}
