import type { Process } from './process.ts'
import type { Scheduler } from './scheduler.ts'
import { PAGE_BYTES } from '../arch/layout.ts'

/** A process as inspectors and /proc see it. */
export interface ProcessView {
  pid: number
  parent: number
  name: string
  state: 'ready' | 'running' | 'waiting' | 'zombie'
  /** The channel a waiting process sleeps on. */
  waitsFor?: string
  /** Real pages of its own or shared. */
  memoryBytes: number
  /** Virtual nanoseconds it has had the processor. */
  cpuNs: number
}

function stateOf(process: Process, scheduler: Scheduler): ProcessView['state'] {
  if (process.state === 'zombie') return 'zombie'
  if (process.state === 'blocked') return 'waiting'
  return scheduler.current === process ? 'running' : 'ready'
}

/** All processes, oldest first. */
export function viewProcesses(scheduler: Scheduler): ProcessView[] {
  return [...scheduler.processes.values()].map((process) => ({
    pid: process.pid,
    parent: process.parent,
    name: process.name,
    state: stateOf(process, scheduler),
    ...(process.state === 'blocked' ? { waitsFor: process.channel } : {}),
    memoryBytes: process.space === null ? 0 : process.space.residentPages() * PAGE_BYTES,
    cpuNs: process.cpuNs,
  }))
}
