import { Word } from '../system/views.ts'
import { REGISTER_BYTES } from './registers.ts'
import type { Unit } from './unit.ts'

/**
 * FNSTENV, FLDENV, FNSAVE and FRSTOR: the environment of 28 bytes of protected mode, which 64-bit mode has too, or of 14 with a 16-bit
 * operand size (SDM vol. 1, figures 8-9 and 8-11), and behind it the registers from ST(0) on. The code and data segment selectors are
 * stored as 0, as the processors do that say so in CPUID leaf 7 (FCS and FDS deprecated).
 */
const ENVIRONMENT_BYTES = 28
const SHORT_ENVIRONMENT_BYTES = 14
const IMAGE_BYTES = 8 * REGISTER_BYTES

const isShort = (unit: Unit): boolean => unit.state.i32[Word.SYS_SIZE] === 2
const bytesOf = (unit: Unit): number => (isShort(unit) ? SHORT_ENVIRONMENT_BYTES : ENVIRONMENT_BYTES)

function writeEnvironment(unit: Unit): void {
  const { control, status, tags, instruction, opcode, data } = unit.registers
  const { bytes, view } = unit.operand
  if (isShort(unit)) {
    const words = [control, status, tags, Number(instruction & 0xffffn), 0, Number(data & 0xffffn), 0]
    words.forEach((word, index) => view.setUint16(index * 2, word, true))
    return
  }
  bytes.fill(0xff, 0, ENVIRONMENT_BYTES)
  view.setUint16(0, control, true)
  view.setUint16(4, status, true)
  view.setUint16(8, tags, true)
  view.setUint32(12, Number(instruction & 0xffffffffn), true)
  view.setUint16(16, 0, true)
  view.setUint16(18, opcode, true)
  view.setUint32(20, Number(data & 0xffffffffn), true)
  view.setUint16(24, 0, true)
}

function readEnvironment(unit: Unit): void {
  const { registers } = unit
  const { view } = unit.operand
  const step = isShort(unit) ? 2 : 4
  registers.control = view.getUint16(0, true)
  registers.status = view.getUint16(step, true)
  registers.tags = view.getUint16(step * 2, true)
  registers.opcode = isShort(unit) ? 0 : view.getUint16(18, true)
  registers.instruction = BigInt(isShort(unit) ? view.getUint16(6, true) : view.getUint32(12, true))
  registers.data = BigInt(isShort(unit) ? view.getUint16(10, true) : view.getUint32(20, true))
}

/** FNSTENV, which masks every exception once it has stored. */
export function storeEnvironment(unit: Unit): void {
  writeEnvironment(unit)
  unit.operand.store(bytesOf(unit))
  unit.registers.control |= 0x3f
}

/** FLDENV. */
export function loadEnvironment(unit: Unit): void {
  unit.operand.load(bytesOf(unit))
  readEnvironment(unit)
}

/** FNSAVE, which initialises once it has stored. */
export function save(unit: Unit): void {
  const length = bytesOf(unit)
  writeEnvironment(unit)
  for (let index = 0; index < 8; index++) unit.operand.bytes.set(unit.registers.image(index), length + index * REGISTER_BYTES)
  unit.operand.store(length + IMAGE_BYTES)
  unit.registers.initialise()
}

/** FRSTOR. */
export function restore(unit: Unit): void {
  const length = bytesOf(unit)
  const { bytes } = unit.operand
  unit.operand.load(length + IMAGE_BYTES)
  readEnvironment(unit)
  for (let index = 0; index < 8; index++) {
    const at = length + index * REGISTER_BYTES
    unit.registers.image(index).set(bytes.subarray(at, at + REGISTER_BYTES))
  }
}
