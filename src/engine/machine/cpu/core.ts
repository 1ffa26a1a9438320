/** Where the processor and the machine around it meet. */

/** What the processor's registers say to the local APIC, which is part of the board here. */
export interface CpuApic {
  /** IA32_APIC_BASE was written: its low half. */
  baseWritten(lo: number): void
  /** CR8 was written. */
  taskPriorityWritten(cr8: number): void
  /** IA32_TSC_DEADLINE as virtual time; Infinity while it is not armed. */
  deadlineNs: number
}

/** What the processor needs from the machine. */
export interface CpuHost {
  /** IN. May read the clock: `executedInRun()` is exact while it runs. The value is unsigned. */
  portIn(port: number, size: 1 | 2 | 4): number
  /** OUT. Calls `requestStop` when it changes what must happen next: an earlier event, INTR, the machine's end. */
  portOut(port: number, size: 1 | 2 | 4, value: number): void
  /** A load from a physical address that is not RAM: puts the value, little-endian, at offset 0 of `into`. */
  mmioRead(physical: number, size: 1 | 2 | 4 | 8, into: DataView): void
  /** A store to a physical address that is not RAM: the value is little-endian at offset 0 of `from`. */
  mmioWrite(physical: number, size: 1 | 2 | 4 | 8, from: DataView): void
  /** VMCALL at CPL 0. False: no gate is configured, the instruction is #UD. */
  hypercall(): boolean
  /** INTA cycle: the vector, from the interrupt controller. */
  acknowledgeInterrupt(): number
  /** The INTR line. */
  interruptPending(): boolean
  /** Without one its registers are there and do nothing. */
  apic?: CpuApic
  /** Exact virtual time at this instruction, in nanoseconds since reset (for RDTSC: one tick is one nanosecond). */
  nowNs(): number
  warn(message: string): void
}

/** The processor as the machine drives it. */
export interface CpuCore {
  reset(): void
  /**
   * Executes at most `instructions` (1 to 2^30) instructions and returns how many it executed. Returns early when halted,
   * shut down, or when a stop was requested (by the host, after a hypercall, when IF becomes 1). Delivers a pending
   * external interrupt first if IF is 1 and no interrupt shadow holds it off.
   */
  run(instructions: number): number
  /** Instructions executed so far in the current `run` call, exact inside host callbacks. */
  executedInRun(): number
  /** RFLAGS; the machine reads IF to tell a sleeping processor from a dead one. */
  getRflags(): number
  readonly halted: boolean
  /** A non-maskable interrupt will wake it. */
  readonly nmiDeliverable: boolean
  /** Triple fault. */
  readonly shutdown: boolean
  /** Asks `run` to return as soon as it can, at the latest at the next block boundary. */
  requestStop(): void
}
