/**
 * What PC firmware leaves in low memory for software that never calls it: the BIOS data area and the extended one behind 639 KiB.
 *
 * Source: IBM PC/AT Technical Reference, 1984, section 5, "BIOS data area"; IBM PS/2 and PC BIOS Interface Technical Reference for the
 * extended one.
 */
import type { PhysicalMemory } from '../memory.ts'

const BDA = 0x400
const Bda = { COM1: 0x00, EBDA_SEGMENT: 0x0e, EQUIPMENT: 0x10, MEMORY_KIB: 0x13 } as const
/** Equipment: a coprocessor and one serial port. */
const EQUIPMENT = (1 << 1) | (1 << 9)
const EBDA = 0x9fc00
const EBDA_KIB = 1

export function writeBiosData(memory: PhysicalMemory, serialPort: number): void {
  memory.writeU16(BDA + Bda.COM1, serialPort)
  memory.writeU16(BDA + Bda.EBDA_SEGMENT, EBDA >> 4)
  memory.writeU16(BDA + Bda.EQUIPMENT, EQUIPMENT)
  memory.writeU16(BDA + Bda.MEMORY_KIB, EBDA >> 10)
  memory.writeU8(EBDA, EBDA_KIB)
}
