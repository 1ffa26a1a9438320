import type { Ports } from '../machine-port.ts'

/** Configuration mechanism #1 (PCI Local Bus Specification 3.0, section 3.2.2.3.2). */
const CONFIG_ADDRESS = 0xcf8
const CONFIG_DATA = 0xcfc
const ENABLE = 0x80000000
const DEVICES = 32

/** Registers of a type 0 header (section 6.1), as offsets of their double words. */
const Config = { VENDOR_DEVICE: 0x00, COMMAND_STATUS: 0x04, BAR0: 0x10, INTERRUPT: 0x3c } as const
/** Section 6.2.2. */
const Command = { MEMORY_SPACE: 1 << 1, BUS_MASTER: 1 << 2 } as const
const COMMAND_MASK = 0xffff
const BAR_MEMORY_BASE = 0xfffffff0
const LINE_NONE = 0xff

/** A function on bus 0, as the firmware has set it up. */
export interface PciFunction {
  /** Device number, 0 to 31; functions are not looked for. */
  device: number
  /** Physical address that BAR0 decodes in memory. */
  memoryBase: number
  /** IRQ, or 255 for none. */
  interruptLine: number
}

const at = (device: number, register: number): number => (ENABLE | (device << 11) | register) >>> 0

function readConfig(ports: Ports, device: number, register: number): number {
  ports.out(CONFIG_ADDRESS, 4, at(device, register))
  return ports.in(CONFIG_DATA, 4) >>> 0
}

function writeConfig(ports: Ports, device: number, register: number, value: number): void {
  ports.out(CONFIG_ADDRESS, 4, at(device, register))
  ports.out(CONFIG_DATA, 4, value)
}

/** The first device of that kind on bus 0 that has a place in memory and an interrupt; null when there is none. */
export function findPciFunction(ports: Ports, vendorId: number, deviceId: number): PciFunction | null {
  for (let device = 0; device < DEVICES; device++) {
    if (readConfig(ports, device, Config.VENDOR_DEVICE) !== ((deviceId << 16) | vendorId) >>> 0) continue
    const memoryBase = (readConfig(ports, device, Config.BAR0) & BAR_MEMORY_BASE) >>> 0
    const interruptLine = readConfig(ports, device, Config.INTERRUPT) & 0xff
    if (memoryBase !== 0 && interruptLine !== LINE_NONE) return { device, memoryBase, interruptLine }
  }
  return null
}

/** Lets a function answer at its memory range and reach memory by itself. */
export function enablePciFunction(ports: Ports, { device }: PciFunction): void {
  // The upper half is the status, whose bits are cleared by writing ones: zeros leave it alone.
  const command = readConfig(ports, device, Config.COMMAND_STATUS) & COMMAND_MASK
  writeConfig(ports, device, Config.COMMAND_STATUS, command | Command.MEMORY_SPACE | Command.BUS_MASTER)
}
