import type { Process } from './process.ts'

/** Timer ticks (drivers/pit.ts) before another runnable process has its turn. */
export const SLICE_TICKS = 10
export const PROCESSES_MAX = 256

/**
 * Preemptive round robin: a queue of runnable processes, the process that has the processor, and those that sleep on a channel.
 * It decides who runs; switching registers and page tables is the kernel's.
 */
export class Scheduler {
  /** By process id, in the order they were made. */
  readonly processes = new Map<number, Process>()
  /** Who has the processor; null while idle. */
  current: Process | null = null
  /** The current process's turn is over, or it has ended. */
  preempt = false
  private readonly queue: Process[] = []

  /** Takes in a new runnable process. */
  add(process: Process): void {
    this.processes.set(process.pid, process)
    this.queue.push(process)
  }

  /** A timer tick: wakes whose time has come and ends a slice that is used up. */
  tick(nowNs: number): void {
    for (const process of this.sleepers()) if (process.deadlineNs <= nowNs) this.makeRunnable(process)
    if (this.current !== null && --this.current.ticksLeft <= 0) this.preempt = true
  }

  /** Puts the current process to sleep until `wake(channel)` or the deadline. */
  sleep(channel: string, deadlineNs: number): void {
    const process = this.current
    if (process === null) throw new Error('nobody runs who could sleep')
    process.state = 'blocked'
    process.channel = channel
    process.deadlineNs = deadlineNs
  }

  /** Makes everyone who sleeps on the channel runnable, oldest process first. */
  wake(channel: string): void {
    for (const process of this.sleepers()) if (process.channel === channel) this.makeRunnable(process)
  }

  /** Takes an ended process off the processor and out of the queue. It stays in the table until its parent has asked. */
  retire(process: Process): void {
    if (this.current === process) {
      this.current = null
      this.preempt = true
    }
    const index = this.queue.indexOf(process)
    if (index !== -1) this.queue.splice(index, 1)
  }

  /** True when somebody else must or should have the processor now, or nobody. */
  get due(): boolean {
    if (this.preempt) return true
    return this.current === null ? this.queue.length > 0 : this.current.state !== 'runnable'
  }

  /** When the first sleeper wakes by itself while nobody can run, Infinity for never; -Infinity when somebody can run. */
  get idleUntilNs(): number {
    if (this.current !== null || this.queue.length > 0) return -Infinity
    let least = Infinity
    for (const { state, deadlineNs } of this.processes.values()) if (state === 'blocked' && deadlineNs < least) least = deadlineNs
    return least
  }

  /** Who runs next; null when nobody can. A current process that can still run goes to the end of the queue. */
  next(): Process | null {
    const previous = this.current
    if (previous !== null && previous.state === 'runnable') this.queue.push(previous)
    this.preempt = false
    this.current = this.queue.shift() ?? null
    if (this.current !== null) this.current.ticksLeft = SLICE_TICKS
    return this.current
  }

  /** Oldest first. */
  private sleepers(): Process[] {
    return [...this.processes.values()].filter((process) => process.state === 'blocked')
  }

  private makeRunnable(process: Process): void {
    process.state = 'runnable'
    process.channel = ''
    process.deadlineNs = Infinity
    this.queue.push(process)
  }
}
