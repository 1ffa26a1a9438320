import { TrapFrame } from '../arch/trap-frame.ts'
import type { Symbolizer } from '../debug/symbols.ts'
import type { Descriptors } from '../fs/open-file.ts'
import type { AddressSpace } from '../memory/address-space.ts'

export type ProcessState = 'runnable' | 'blocked' | 'zombie'

/** Bytes of FXSAVE's area. */
export const FX_BYTES = 512
const FX_MXCSR = 24
const MXCSR_DEFAULT = 0x1f80
/** FCW at offset 0: all x87 exceptions masked, extended precision. */
const FCW_DEFAULT = 0x37f

/** Bytes of a process's name that are kept. */
const NAME_MAX = 32

const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1).slice(0, NAME_MAX)

/** The state FNINIT and LDMXCSR(0x1f80) leave, in FXSAVE's layout. */
export function initialFx(): Uint8Array {
  const fx = new Uint8Array(FX_BYTES)
  const view = new DataView(fx.buffer)
  view.setUint16(0, FCW_DEFAULT, true)
  view.setUint32(FX_MXCSR, MXCSR_DEFAULT, true)
  return fx
}

/** A system call that was begun and has to be made again: what it has done so far. */
export interface PendingCall {
  number: number
  /** Bytes done, for calls that work in portions. */
  progress: number
  /** Virtual nanoseconds; for calls that wait for a time. */
  deadlineNs: number
}

export class Process {
  readonly pid: number
  /** Process id of who waits for it; 0 for nobody. */
  parent: number
  /** File name of the program, without its folder. */
  name: string
  /** Added to the addresses of the program's file to get those in memory. */
  imageBias = 0
  /** Absolute. */
  workingDirectory = '/'

  /** Names its addresses; null where the session knows no names. */
  symbols: Symbolizer | null = null
  /** Virtual nanoseconds it has had the processor. */
  cpuNs = 0

  // The scheduler's.
  state: ProcessState = 'runnable'
  /** Registers while it does not run. */
  readonly context = TrapFrame.blank()
  /** x87 and SSE registers while another process owns the processor's. */
  fx = initialFx()
  fsBase = 0n
  gsBase = 0n
  /** Channel it sleeps on while blocked. */
  channel = ''
  /** When it wakes whatever the channel does. */
  deadlineNs = Infinity
  /** Timer ticks left of its time slice. */
  ticksLeft = 0

  // The system calls'.
  pending: PendingCall | null = null
  /** Blocked signals, as the Linux door sets and reports them. */
  signalMask = 0n
  /** Numbers of unavailable Linux calls that were logged already. */
  readonly reportedCalls = new Set<number>()
  readonly descriptors: Descriptors
  /** Process group: whom Control-C reaches together. */
  group: number
  /** Signals it ignores. */
  readonly ignored = new Set<number>()

  // The memory manager's. Null once it is a zombie.
  space: AddressSpace | null

  /** Set when it has ended: what WAIT will report. */
  exitStatus = 0
  /** The signal that ended it, or 0. */
  endSignal = 0

  constructor(pid: number, parent: number, path: string, space: AddressSpace, descriptors: Descriptors) {
    this.pid = pid
    this.group = pid
    this.parent = parent
    this.name = nameOf(path)
    this.space = space
    this.descriptors = descriptors
  }

  /** Another program takes its place; what belongs to the process and not to the program stays. */
  enter(path: string, space: AddressSpace, imageBias: number): void {
    this.name = nameOf(path)
    this.space = space
    this.imageBias = imageBias
    this.symbols = null
    this.descriptors.closeForExec()
  }

  /** The address space of a process that has not ended. */
  get memory(): AddressSpace {
    if (this.space === null) throw new Error(`process ${this.pid} has no memory any more`)
    return this.space
  }
}
