/**
 * A port whose write ends the machine, where guests written for QEMU look for it: `-device isa-debug-exit,iobase=0xf4,iosize=4`.
 *
 * Source: QEMU, hw/misc/debugexit.c. QEMU ends its own process with the status (value << 1) | 1; here the code is the
 * value itself, all 32 bits, so that 0 can mean success.
 */
import type { PortDevice } from '../bus.ts'

export const DEBUG_EXIT_PORT = 0xf4
export const DEBUG_EXIT_PORTS = 4

export class DebugExit implements PortDevice {
  readonly name = 'debug exit'
  readonly widthMax = 4
  readonly #exit: (code: number) => void

  constructor(exit: (code: number) => void) {
    this.#exit = exit
  }

  readPort(): number {
    return 0
  }

  writePort(_port: number, _size: number, value: number): void {
    this.#exit(value)
  }
}
