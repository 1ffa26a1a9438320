/**
 * The ACPI tables of the board, in guest memory where firmware without EFI puts them.
 *
 * Source: ACPI Specification 6.5, sections 5.2.5 (RSDP) to 5.2.12 (MADT).
 */
import { IO_APIC_BASE, IO_APIC_ID } from '../devices/apic/io-apic.ts'
import { TIMER_GSI } from '../devices/apic/interrupts.ts'
import { LOCAL_APIC_BASE } from '../devices/apic/local-apic.ts'
import {
  PM1A_CNT_BLK, PM1A_EVT_BLK, PM1_CNT_BYTES, PM1_EVT_BYTES, PM_TMR_BLK, PM_TMR_BYTES, SCI_IRQ, SLP_TYP_S5,
} from '../devices/acpi-power-management.ts'
import type { PhysicalMemory } from '../memory.ts'
import { busNumbers, device, eisaId, integer, ioPorts, ioWindow, irq, memoryWindow, named, pkg, resources, scope } from './aml.ts'

/** The BIOS read-only area, which 5.2.5.1 has software search on 16-byte boundaries. */
const TABLES = 0xe0000
const TABLES_END = 0x100000
const ALIGNMENT = 16
const FACS_ALIGNMENT = 64
const FACS_BYTES = 64

const OEM_ID = 'ATOLL '
const OEM_TABLE_ID = 'ATOLLPC '
const CREATOR_ID = 'ATOL'

/** FADT revision 3, which has the reset register and 64-bit addresses. Offsets of 5.2.9, table 5.9. */
const FADT_REVISION = 3
const FADT_BYTES = 244
const Fadt = {
  FIRMWARE_CTRL: 36, DSDT: 40, SCI_INT: 46, PM1A_EVT_BLK: 56, PM1A_CNT_BLK: 64, PM_TMR_BLK: 76, PM1_EVT_LEN: 88, PM1_CNT_LEN: 89,
  PM_TMR_LEN: 91, P_LVL2_LAT: 96, P_LVL3_LAT: 98, CENTURY: 108, IAPC_BOOT_ARCH: 109, FLAGS: 112, RESET_REG: 116, RESET_VALUE: 128,
  X_FIRMWARE_CTRL: 132, X_DSDT: 140, X_PM1A_EVT_BLK: 148, X_PM1A_CNT_BLK: 172, X_PM_TMR_BLK: 208,
} as const
/** Above 100 and 1000 µs: no such states of the processor. */
const NO_C2 = 0xfff
const NO_C3 = 0xfff
const RTC_CENTURY = 0x32
/** There are devices that only ISA software finds, and no VGA. Nothing is said of a keyboard: the 8042 has none. */
const BootArch = { LEGACY_DEVICES: 1 << 0, VGA_NOT_PRESENT: 1 << 2 } as const
/** Table 5.10. No button and no alarm is fixed hardware. */
const FadtFlag = {
  WBINVD: 1 << 0, PROC_C1: 1 << 2, PWR_BUTTON: 1 << 4, SLP_BUTTON: 1 << 5, FIX_RTC: 1 << 6, RESET_REG_SUP: 1 << 10,
} as const
const RESET_CONTROL_PORT = 0xcf9
const RESET_CONTROL_RESET = 0x06
/** Address space identifiers and access sizes of the generic address structure (5.2.3.2). */
const SYSTEM_IO = 1

/** MADT structures (5.2.12) and flags of interrupt sources (table 5.26). */
const Madt = { LOCAL_APIC: 0, IO_APIC: 1, SOURCE_OVERRIDE: 2, LOCAL_NMI: 4 } as const
const PCAT_COMPAT = 1
const ENABLED = 1
const CONFORMS = 0
const ACTIVE_HIGH_LEVEL = 0xd
const ALL_PROCESSORS = 0xff
const LINT1 = 1

/** The PCI memory window: from where RAM can end to the I/O APIC. */
const PCI_MEMORY = [0xc0000000, 0xfebfffff] as const

const u16 = (n: number): number[] => [n & 0xff, (n >>> 8) & 0xff]
const u32 = (n: number): number[] => [...u16(n), ...u16(n >>> 16)]
const u64 = (n: number): number[] => [...u32(n), 0, 0, 0, 0]
const ascii = (text: string): number[] => Array.from(text, (letter) => letter.charCodeAt(0))

/** What the tables say of the board that is not always so. */
export interface AcpiBoard {
  /** PCI interrupts: device number on bus 0 and the interrupt line of its INTA#. */
  pciInterrupts: readonly { device: number; line: number }[]
}

/** Writes the tables and returns the physical address of the RSDP. */
export function writeAcpiTables(memory: PhysicalMemory, board: AcpiBoard): number {
  let next = TABLES + 64
  const put = (bytes: number[], alignment = ALIGNMENT): number => {
    const at = Math.ceil(next / alignment) * alignment
    if (at + bytes.length > TABLES_END) throw new Error('the ACPI tables do not fit into the BIOS area')
    memory.write(at, Uint8Array.from(bytes))
    next = at + bytes.length
    return at
  }
  const facs = put(firmwareControl(), FACS_ALIGNMENT)
  const dsdt = put(table('DSDT', 1, definitions(board)))
  const fadt = put(table('FACP', FADT_REVISION, fixedDescription(facs, dsdt)))
  const madt = put(table('APIC', 1, interruptControllers()))
  const rsdt = put(table('RSDT', 1, [fadt, madt].flatMap(u32)))
  const xsdt = put(table('XSDT', 1, [fadt, madt].flatMap(u64)))
  memory.write(TABLES, Uint8Array.from(rootPointer(rsdt, xsdt)))
  return TABLES
}

/** The byte that makes a sum of bytes 0 modulo 256. */
const checksum = (bytes: number[]): number => -bytes.reduce((sum, byte) => sum + byte, 0) & 0xff

/** A table with its header (5.2.6). */
function table(signature: string, revision: number, content: number[]): number[] {
  const header = [...ascii(signature), ...u32(36 + content.length), revision, 0]
  const rest = [...ascii(OEM_ID), ...ascii(OEM_TABLE_ID), ...u32(1), ...ascii(CREATOR_ID), ...u32(1)]
  const bytes = [...header, ...rest, ...content]
  bytes[9] = checksum(bytes)
  return bytes
}

/** RSDP, revision 2; the first 20 bytes have a checksum of their own (5.2.5.3). */
function rootPointer(rsdt: number, xsdt: number): number[] {
  const first = [...ascii('RSD PTR '), 0, ...ascii(OEM_ID), 2, ...u32(rsdt)]
  first[8] = checksum(first)
  const all = [...first, ...u32(36), ...u64(xsdt), 0, 0, 0, 0]
  all[32] = checksum(all)
  return all
}

/** FACS (5.2.10): version 1, nothing to wake up to. */
function firmwareControl(): number[] {
  const bytes = [...ascii('FACS'), ...u32(FACS_BYTES), ...new Array<number>(FACS_BYTES - 8).fill(0)]
  bytes[32] = 1
  return bytes
}

function fixedDescription(facs: number, dsdt: number): number[] {
  const bytes = new Array<number>(FADT_BYTES).fill(0)
  const set = (at: number, value: number[]): void => value.forEach((byte, i) => (bytes[at + i] = byte))
  /** A generic address of a register in I/O space. */
  const port = (at: number, address: number, size: 1 | 2 | 4): void =>
    set(at, [SYSTEM_IO, size * 8, 0, size === 4 ? 3 : size, ...u64(address)])
  set(Fadt.FIRMWARE_CTRL, u32(facs))
  set(Fadt.DSDT, u32(dsdt))
  set(Fadt.SCI_INT, u16(SCI_IRQ))
  set(Fadt.PM1A_EVT_BLK, u32(PM1A_EVT_BLK))
  set(Fadt.PM1A_CNT_BLK, u32(PM1A_CNT_BLK))
  set(Fadt.PM_TMR_BLK, u32(PM_TMR_BLK))
  set(Fadt.PM1_EVT_LEN, [PM1_EVT_BYTES, PM1_CNT_BYTES])
  set(Fadt.PM_TMR_LEN, [PM_TMR_BYTES])
  set(Fadt.P_LVL2_LAT, [...u16(NO_C2), ...u16(NO_C3)])
  set(Fadt.CENTURY, [RTC_CENTURY])
  set(Fadt.IAPC_BOOT_ARCH, u16(BootArch.LEGACY_DEVICES | BootArch.VGA_NOT_PRESENT))
  set(Fadt.FLAGS, u32(Object.values(FadtFlag).reduce((all, bit) => all | bit, 0)))
  port(Fadt.RESET_REG, RESET_CONTROL_PORT, 1)
  set(Fadt.RESET_VALUE, [RESET_CONTROL_RESET])
  set(Fadt.X_FIRMWARE_CTRL, u64(facs))
  set(Fadt.X_DSDT, u64(dsdt))
  port(Fadt.X_PM1A_EVT_BLK, PM1A_EVT_BLK, PM1_EVT_BYTES)
  port(Fadt.X_PM1A_CNT_BLK, PM1A_CNT_BLK, PM1_CNT_BYTES)
  port(Fadt.X_PM_TMR_BLK, PM_TMR_BLK, PM_TMR_BYTES)
  return bytes.slice(36)
}

function interruptControllers(): number[] {
  const override = (source: number, gsi: number, flags: number): number[] =>
    [Madt.SOURCE_OVERRIDE, 10, 0, source, ...u32(gsi), ...u16(flags)]
  return [
    ...u32(LOCAL_APIC_BASE), ...u32(PCAT_COMPAT),
    Madt.LOCAL_APIC, 8, 0, 0, ...u32(ENABLED),
    Madt.IO_APIC, 12, IO_APIC_ID, 0, ...u32(IO_APIC_BASE), ...u32(0),
    ...override(0, TIMER_GSI, CONFORMS),
    ...override(SCI_IRQ, SCI_IRQ, ACTIVE_HIGH_LEVEL),
    Madt.LOCAL_NMI, 6, ALL_PROCESSORS, ...u16(CONFORMS), LINT1,
  ]
}

/** The differentiated definition block: the PCI bus with its windows and interrupts, COM1, the clock, and how to switch off. */
function definitions({ pciInterrupts }: AcpiBoard): number[] {
  const ANY_FUNCTION = 0xffff
  const routes = pciInterrupts.map(({ device: number, line }) =>
    pkg(integer(number * 0x10000 + ANY_FUNCTION), integer(0), integer(0), integer(line)))
  const windows = [
    busNumbers(0, 0), ioPorts(0xcf8, 8), ioWindow(0, 0xcf7), ioWindow(0xd00, 0xffff), memoryWindow(PCI_MEMORY[0], PCI_MEMORY[1]),
  ]
  const bus = device('PCI0', named('_HID', eisaId('PNP0A03')), named('_UID', integer(0)), named('_CRS', resources(...windows)),
    named('_PRT', pkg(...routes)))
  const com1Resources = resources(ioPorts(0x3f8, 8), irq(4))
  const com1 = device('COM1', named('_HID', eisaId('PNP0501')), named('_UID', integer(1)), named('_CRS', com1Resources))
  const clock = device('RTC', named('_HID', eisaId('PNP0B00')), named('_CRS', resources(ioPorts(0x70, 2), irq(8))))
  return [
    ...named('\\_S5', pkg(integer(SLP_TYP_S5), integer(SLP_TYP_S5), integer(0), integer(0))),
    ...scope('\\_SB', bus, com1, clock),
  ]
}
