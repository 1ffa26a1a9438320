/**
 * The two PCI functions that every PC of this kind has, and by which kernels recognise it: they decode nothing that software can move.
 *
 * Source: Intel 82441FX data sheet, order number 290549-001, section 3.2 (PMC); Intel 82371SB (PIIX3) data sheet, order number
 * 290550-002, section 2.2.
 */
import type { PciBoard } from './pci-function.ts'
import { PciFunction } from './pci-function.ts'

const INTEL = 0x8086
/** Base class 06H: bridge; sub-class 00H: host, 01H: ISA. */
const HOST_BRIDGE = 0x060000
const ISA_BRIDGE = 0x060100
/** Subsystem of QEMU's machines, which is what guests meet on such a board today. */
const SUBSYSTEM = { subsystemVendorId: 0x1af4, subsystemId: 0x1100 }

export function hostBridge(board: PciBoard): PciFunction {
  const identity = { name: 'host bridge', vendorId: INTEL, deviceId: 0x1237, revisionId: 2, classCode: HOST_BRIDGE, interruptPin: 0 }
  return new PciFunction({ ...identity, ...SUBSYSTEM }, [], board)
}

export function isaBridge(board: PciBoard): PciFunction {
  const identity = { name: 'ISA bridge', vendorId: INTEL, deviceId: 0x7000, revisionId: 0, classCode: ISA_BRIDGE, interruptPin: 0 }
  return new PciFunction({ ...identity, ...SUBSYSTEM }, [], board)
}
