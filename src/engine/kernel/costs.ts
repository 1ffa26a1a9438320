/**
 * What the kernel's own work costs on the virtual clock, in nanoseconds: nothing is free, nothing depends on the host. The
 * figures are of the order a kernel in C would need on the machine's 500 million instructions a second.
 */
export const Cost = {
  /** Every trip through the gate. */
  GATE: 40,
  SYSTEM_CALL: 160,
  INTERRUPT: 200,
  PAGE_FAULT: 600,
  PROCESS_SWITCH: 800,
  PROCESS_EXIT: 20_000,
  /** Cloning a process, whatever its size: page tables are copied, pages are not. */
  FORK: 60_000,
  /** Loading a program, beside its bytes. */
  EXEC: 100_000,
  /** One byte through the serial driver. */
  CONSOLE_BYTE: 40,
  /** One byte of a WebAssembly module that is compiled. */
  WASM_BYTE: 10,
  /** One unit of fuel: an instruction of a WebAssembly module, as instrument/outline.ts counts them. */
  WASM_FUEL: 1,
  /** One IP packet through the network, in or out: as long as a host takes over it, so that nobody floods faster than a lab can follow. */
  PACKET: 10_000,
  /** Setting one part of the system up at boot. */
  BOOT_STEP: 5_000,
} as const

/** Copying memory: 4 bytes a nanosecond. */
export const copyCost = (bytes: number): number => Math.ceil(bytes / 4)
