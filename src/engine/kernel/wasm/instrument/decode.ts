import { ByteReader, WasmFormatError } from '../binary/bytes.ts'
import { Misc, Op, VOID, instructionOf } from '../binary/opcodes.ts'
import type { Instruction } from '../binary/opcodes.ts'
import type { FunctionType, ParsedModule } from '../binary/module.ts'
import { WasmLimit } from '../limits.ts'

/** A function's body, taken apart: types of its variables, and where its code begins. */
export interface Body {
  bytes: Uint8Array
  /** Parameters first. */
  locals: number[]
  codeStart: number
}

/** Where one instruction was decoded: kept by the caller and written anew by each `decode`. */
export interface Decoded {
  opcode: number
  /** Behind a prefix. */
  extended: number
  instruction: Instruction
  start: number
  /** First byte of the immediate. */
  immediate: number
}

export const newDecoded = (): Decoded => ({
  opcode: 0, extended: 0, instruction: { immediate: 'none', pops: [], pushes: [] }, start: 0, immediate: 0,
})

export function parseBody(bytes: Uint8Array, type: FunctionType): Body {
  const reader = new ByteReader(bytes)
  const locals = [...type.params]
  for (let groups = reader.u32(); groups > 0; groups--) {
    const count = reader.u32()
    const local = reader.u8()
    if (locals.length + count > WasmLimit.LOCALS)
      throw new WasmFormatError(`it has a function with more than ${WasmLimit.LOCALS} local variables`)
    for (let index = 0; index < count; index++) locals.push(local)
  }
  return { bytes, locals, codeStart: reader.at }
}

/** Reads one instruction and passes over it. Throws WasmFormatError for one that is not accepted. */
export function decode(reader: ByteReader, into: Decoded): void {
  into.start = reader.at
  into.opcode = reader.u8()
  const isPrefixed = into.opcode === Op.MISC || into.opcode === Op.SIMD
  into.extended = isPrefixed ? reader.u32() : 0
  const instruction = instructionOf(into.opcode, into.extended)
  if (instruction === undefined) {
    const name = `0x${into.opcode.toString(16)}${isPrefixed ? ` ${into.extended}` : ''}`
    throw new WasmFormatError(`it uses the instruction ${name}, of an extension that is not accepted`)
  }
  into.instruction = instruction
  into.immediate = reader.at
  switch (instruction.immediate) {
    case 'none':
      break
    case 'index':
    case 'zero':
    case 'leb':
      reader.skipLeb()
      break
    case 'index2':
    case 'memory':
      reader.skipLeb()
      reader.skipLeb()
      break
    case 'memory-lane':
      reader.skipLeb()
      reader.skipLeb()
      reader.skip(1)
      break
    case 'lane':
      reader.skip(1)
      break
    case 'bytes4':
      reader.skip(4)
      break
    case 'bytes8':
      reader.skip(8)
      break
    case 'bytes16':
      reader.skip(16)
      break
    case 'special':
      skipSpecial(reader, into.opcode)
      break
  }
}

function skipSpecial(reader: ByteReader, opcode: number): void {
  if (opcode === Op.BLOCK || opcode === Op.LOOP || opcode === Op.IF) reader.s33()
  else if (opcode === Op.BR_TABLE) for (let count = reader.u32() + 1; count > 0; count--) reader.skipLeb()
  else if (opcode === Op.SELECT_TYPED) reader.skip(reader.u32())
}

/** After an unconditional branch: passes over what can never run, up to the `else` or `end` that belongs to the branch's own level. */
export function skipDead(reader: ByteReader, decoded: Decoded): void {
  for (let nesting = 0; ; ) {
    const { at } = reader
    decode(reader, decoded)
    const { opcode } = decoded
    if (opcode === Op.BLOCK || opcode === Op.LOOP || opcode === Op.IF) nesting++
    else if (nesting === 0 && (opcode === Op.ELSE || opcode === Op.END)) {
      reader.at = at
      return
    } else if (opcode === Op.END) nesting--
  }
}

export const isTerminal = (opcode: number): boolean =>
  opcode === Op.UNREACHABLE || opcode === Op.BR || opcode === Op.BR_TABLE || opcode === Op.RETURN

/** Instructions whose work grows with a number on the stack; shift turns that number into units of fuel. */
export function bulkShift(opcode: number, extended: number): number | null {
  if (opcode !== Op.MISC) return null
  if (extended === Misc.MEMORY_INIT || extended === Misc.MEMORY_COPY || extended === Misc.MEMORY_FILL) return 3
  if (extended === Misc.TABLE_INIT || extended === Misc.TABLE_COPY || extended === Misc.TABLE_FILL || extended === Misc.TABLE_GROW) return 0
  return null
}

/** Parameters and results of a block type: void, one result, or a type by index. */
export function blockType(module: ParsedModule, reader: ByteReader): FunctionType {
  const value = reader.s33()
  if (value >= 0) return module.types[value]
  const byte = value & 0x7f
  return { params: [], results: byte === VOID ? [] : [byte] }
}
