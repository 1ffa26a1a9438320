import { RIP_BASE } from './decode.ts'
import type { Instruction } from './decode.ts'
import type { Slot } from './emit.ts'
import { Gpr, RAM_BASE, segmentBaseAt, State } from './state.ts'

/**
 * The form in which tier 0 reads a decoded instruction from the machine's memory. A block is a header followed by its
 * records and an end record.
 */
export const RECORD_BYTES = 48
/** Block header before its first record: execution count u32 +0. */
export const BLOCK_HEADER_BYTES = 16
export const RecordField = {
  /** u16, number of the handler. */
  HANDLER: 0,
  /** u8, bytes of the instruction. */
  LENGTH: 2,
  /** u8, RecordFlag bits. */
  FLAGS: 3,
  /** u32, where the r/m operand is when it is a register. */
  RM: 4,
  /** u32, where the reg operand is. */
  REG: 8,
  /** u32 each, where base and index of the address are. */
  BASE: 12,
  INDEX: 16,
  /** u8. */
  SCALE: 20,
  /** u8, bytes of the memory operand. */
  MEMORY_SIZE: 21,
  /** u8, ModRM.reg and ModRM.rm (0xff for memory), for system instructions. */
  REG_NUMBER: 22,
  RM_NUMBER: 23,
  /** u64; of an instruction without a memory operand, which bits its addresses have. */
  DISPLACEMENT: 24,
  IMMEDIATE: 32,
  /** u32, where the segment base is. */
  SEGMENT: 40,
  /** u32, second immediate. */
  EXTRA: 44,
} as const
export const RecordFlag = {
  MEMORY: 1,
  ALIGNED: 2,
  /** Two bits, AccessMode. */
  ACCESS_SHIFT: 2,
  /** The address is cut to 32 bits; where it and LINEAR32 is not, to none; with LINEAR32 alone, to 16. */
  ADDRESS32: 16,
  /** Outside 64-bit mode: linear addresses wrap at 4 GiB. */
  LINEAR32: 32,
  /** In 64-bit mode: the address starts from RSP or RBP, so that it is SS's; shifted, AccessMode.STACK. */
  STACK: 64,
  /** The same for an operand that is only an address. */
  STACK_ADDRESS: 128,
  /** The same bits outside 64-bit mode: the access is held against its segment's limit. */
  CHECKED: 64,
  CHECKED_ADDRESS: 128,
} as const
/** How the memory operand is used; STACK in addition where a non-canonical address is #SS rather than #GP. */
export const AccessMode = { READ: 0, WRITE: 1, MODIFY: 2, ADDRESS: 3, STACK: 16 } as const

/** The x87's registers in their physical order (fpu/registers.ts). */
const MMX_REGISTERS = State.FPU + 32

const MODES = { read: AccessMode.READ, write: AccessMode.WRITE, modify: AccessMode.MODIFY, address: AccessMode.ADDRESS } as const

/** Index of the operand that is in memory when the instruction has one, or -1. */
export function memoryOperand(instruction: Pick<Instruction, 'slots' | 'hasMemory'>): number {
  return instruction.hasMemory ? instruction.slots.findIndex((slot) => slot.kind === 'rm') : -1
}

function registerAddress(register: number, high: boolean, slot: Pick<Slot, 'vector' | 'mmx'> = { vector: false, mmx: false }): number {
  const { vector, mmx } = slot
  if (mmx) return MMX_REGISTERS + (register & 7) * 16
  return vector ? State.XMM + register * 16 : State.GPR + register * 8 + (high ? 1 : 0)
}

/** By the bytes of an address. */
const ADDRESS_MASKS: Readonly<Record<number, number>> = { 2: 0xffff, 4: 0xffffffff, 8: -1 }

/** Writes one record at byte `at` of the machine's memory. */
export function writeRecord(view: DataView, at: number, instruction: Instruction): void {
  const { definition, slots } = instruction
  const operand = memoryOperand(instruction)
  const rmSlot = slots.find((slot) => slot.kind === 'rm')
  const regSlot = slots.find((slot) => slot.kind === 'reg')
  let flags = 0
  if (operand >= 0) {
    flags |= RecordFlag.MEMORY | (MODES[definition.access[operand]] << RecordFlag.ACCESS_SHIFT)
    if (definition.aligned && slots[operand].size === 16) flags |= RecordFlag.ALIGNED
    if (instruction.addressBytes === 4) flags |= RecordFlag.ADDRESS32
    if (!instruction.long) {
      flags |= RecordFlag.LINEAR32
      if (instruction.checked) flags |= definition.access[operand] === 'address' ? RecordFlag.CHECKED_ADDRESS : RecordFlag.CHECKED
    } else if (instruction.segment < 0 && (instruction.base === Gpr.RSP || instruction.base === Gpr.RBP))
      flags |= definition.access[operand] === 'address' ? RecordFlag.STACK_ADDRESS : RecordFlag.STACK
  }
  view.setUint16(at + RecordField.HANDLER, instruction.variant, true)
  view.setUint8(at + RecordField.LENGTH, instruction.length)
  view.setUint8(at + RecordField.FLAGS, flags)
  view.setUint32(
    at + RecordField.RM,
    instruction.rm < 0 ? State.ZERO : registerAddress(instruction.rm, instruction.rmHigh, rmSlot),
    true,
  )
  view.setUint32(at + RecordField.REG, registerAddress(instruction.reg, instruction.regHigh, regSlot), true)
  view.setUint32(
    at + RecordField.BASE,
    instruction.base < 0 ? State.ZERO : instruction.base === RIP_BASE ? State.RIP : State.GPR + instruction.base * 8,
    true,
  )
  view.setUint32(at + RecordField.INDEX, instruction.index < 0 ? State.ZERO : State.GPR + instruction.index * 8, true)
  view.setUint8(at + RecordField.SCALE, instruction.scale)
  view.setUint8(at + RecordField.MEMORY_SIZE, operand >= 0 ? slots[operand].size : 0)
  view.setUint8(at + RecordField.REG_NUMBER, instruction.reg)
  view.setUint8(at + RecordField.RM_NUMBER, instruction.hasMemory || instruction.rm < 0 ? 0xff : instruction.rm)
  const displacement = instruction.hasMemory ? instruction.displacement : ADDRESS_MASKS[instruction.addressBytes]
  view.setInt32(at + RecordField.DISPLACEMENT, displacement | 0, true)
  view.setInt32(at + RecordField.DISPLACEMENT + 4, Math.floor(displacement / 0x100000000), true)
  view.setInt32(at + RecordField.IMMEDIATE, instruction.immediateLow, true)
  view.setInt32(at + RecordField.IMMEDIATE + 4, instruction.immediateHigh, true)
  view.setUint32(at + RecordField.SEGMENT, instruction.segment < 0 ? State.ZERO : segmentBaseAt(instruction.segment), true)
  view.setUint32(at + RecordField.EXTRA, instruction.extra, true)
}

/** Marks the end of a block: tier 0 looks the next address up. */
export function writeEnd(view: DataView, at: number, endHandler: number): void {
  view.setUint16(at + RecordField.HANDLER, endHandler, true)
  view.setUint8(at + RecordField.FLAGS, 0)
}

/** Below this an operand's address is in the processor state rather than in RAM. */
export const STATE_LIMIT = RAM_BASE
