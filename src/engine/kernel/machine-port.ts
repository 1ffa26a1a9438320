import type { PhysicalMemory } from '../machine/memory.ts'

/**
 * What the kernel uses of the machine it runs on: a Machine is one. Naming the few things keeps the boundary visible and
 * lets tests run the kernel without a processor.
 */
export interface Ports {
  in(port: number, size: 1 | 2 | 4): number
  out(port: number, size: 1 | 2 | 4, value: number): void
}

/** Device registers in memory space: whole double words at physical addresses. */
export interface Mmio {
  read32(physical: number): number
  write32(physical: number, value: number): void
}

export interface KernelCpu {
  getGpr(index: number): bigint
  setGpr(index: number, value: bigint): void
  /** Linear address of the last page fault. */
  readonly cr2: bigint
  readonly cr3: number
  /** As MOV to CR3 does. */
  setCr3(physical: number): void
  invalidatePage(address: bigint): void
  /** 512 bytes, FXSAVE's 64-bit layout. */
  fxsave(): Uint8Array
  fxrstor(bytes: Uint8Array): void
  /** As WRMSR to IA32_FS_BASE and IA32_GS_BASE does. `index` is a SegmentIndex. */
  setSegmentBase(index: number, base: bigint): void
}

export interface KernelMachine {
  readonly memory: PhysicalMemory
  readonly cpu: KernelCpu
  readonly ports: Ports
  readonly mmio: Mmio
  /** Virtual nanoseconds since reset. */
  readonly clock: { readonly nowNs: number }
  /** Spends virtual time. */
  charge(ns: number): void
  /** Ends the machine. */
  shutdown(code: number): void
}
