/**
 * The instructions this kernel's runtime accepts, in the binary format of the WebAssembly core specification 2.0 (chapter 5.4 and
 * appendix A.7): WebAssembly 1.0, sign extension, saturating truncation, multiple values, bulk memory, reference types and 128-bit
 * SIMD. Exceptions, tail calls, threads and garbage collection are not among them.
 */

/** Value types as the binary format writes them. */
export const ValueType = { I32: 0x7f, I64: 0x7e, F32: 0x7d, F64: 0x7c, V128: 0x7b, FUNCREF: 0x70, EXTERNREF: 0x6f } as const

export const isReference = (type: number): boolean => type === ValueType.FUNCREF || type === ValueType.EXTERNREF

export const valueTypeName = (type: number): string =>
  Object.entries(ValueType).find(([, value]) => value === type)?.[0].toLowerCase() ?? `type 0x${type.toString(16)}`

export const Op = {
  UNREACHABLE: 0x00, NOP: 0x01, BLOCK: 0x02, LOOP: 0x03, IF: 0x04, ELSE: 0x05, END: 0x0b, BR: 0x0c, BR_IF: 0x0d, BR_TABLE: 0x0e,
  RETURN: 0x0f, CALL: 0x10, CALL_INDIRECT: 0x11, DROP: 0x1a, SELECT: 0x1b, SELECT_TYPED: 0x1c, LOCAL_GET: 0x20, LOCAL_SET: 0x21,
  LOCAL_TEE: 0x22, GLOBAL_GET: 0x23, GLOBAL_SET: 0x24, TABLE_GET: 0x25, TABLE_SET: 0x26, MEMORY_FIRST: 0x28, MEMORY_LAST: 0x3e,
  MEMORY_SIZE: 0x3f, MEMORY_GROW: 0x40, I32_CONST: 0x41, I64_CONST: 0x42, F32_CONST: 0x43, F64_CONST: 0x44, I32_EQZ: 0x45, I32_EQ: 0x46,
  I32_LT_S: 0x48, I32_LT_U: 0x49, I64_LT_S: 0x53, I32_ADD: 0x6a, I32_SUB: 0x6b, I64_ADD: 0x7c, I64_SUB: 0x7d, I64_SHR_U: 0x88,
  I64_EXTEND_I32_U: 0xad, REF_NULL: 0xd0, REF_IS_NULL: 0xd1, REF_FUNC: 0xd2, MISC: 0xfc, SIMD: 0xfd,
} as const

/** Behind the prefix 0xfc. */
export const Misc = {
  MEMORY_INIT: 8, DATA_DROP: 9, MEMORY_COPY: 10, MEMORY_FILL: 11, TABLE_INIT: 12, ELEM_DROP: 13, TABLE_COPY: 14, TABLE_GROW: 15,
  TABLE_SIZE: 16, TABLE_FILL: 17,
} as const

const V128_CONST = 12

/** A block type without parameters and results. */
export const VOID = 0x40

/** What follows an opcode. `index` is one LEB128 number, `index2` two of them. */
export type Immediate =
  | 'none' | 'index' | 'index2' | 'memory' | 'leb' | 'bytes4' | 'bytes8' | 'bytes16' | 'lane' | 'memory-lane' | 'zero' | 'special'

export interface Instruction {
  immediate: Immediate
  /** Types popped, first the deepest, and pushed; null where they depend on the module or the stack. */
  pops: readonly number[] | null
  pushes: readonly number[] | null
}

const letters: Record<string, number> = {
  i: ValueType.I32, l: ValueType.I64, f: ValueType.F32, d: ValueType.F64, v: ValueType.V128,
}

/** `ll:i`: pops two i64, pushes an i32. */
function signature(text: string, immediate: Immediate = 'none'): Instruction {
  const [pops, pushes] = text.split(':').map((side) => [...side].map((letter) => letters[letter]))
  return { immediate, pops, pushes }
}

const special = (immediate: Immediate): Instruction => ({ immediate, pops: null, pushes: null })

type Table = (Instruction | undefined)[]

function fill(table: Table, first: number, last: number, instruction: Instruction): void {
  for (let opcode = first; opcode <= last; opcode++) table[opcode] = instruction
}

const SPECIAL: readonly number[] = [
  Op.UNREACHABLE, Op.BLOCK, Op.LOOP, Op.IF, Op.ELSE, Op.END, Op.RETURN, Op.BR_TABLE, Op.SELECT_TYPED, Op.SELECT, Op.DROP,
]
const WITH_INDEX: readonly number[] = [
  Op.BR, Op.BR_IF, Op.CALL, Op.LOCAL_GET, Op.LOCAL_SET, Op.LOCAL_TEE, Op.GLOBAL_GET, Op.GLOBAL_SET, Op.TABLE_GET, Op.TABLE_SET, Op.REF_FUNC,
  Op.REF_NULL,
]

function plainTable(): Table {
  const table: Table = []
  for (const opcode of SPECIAL) table[opcode] = special('special')
  for (const opcode of WITH_INDEX) table[opcode] = special('index')
  table[Op.CALL_INDIRECT] = special('index2')
  table[Op.REF_IS_NULL] = special('none')
  table[Op.NOP] = signature(':')
  const loads = ['i:i', 'i:l', 'i:f', 'i:d', 'i:i', 'i:i', 'i:i', 'i:i', 'i:l', 'i:l', 'i:l', 'i:l', 'i:l', 'i:l']
  const stores = ['ii:', 'il:', 'if:', 'id:', 'ii:', 'ii:', 'il:', 'il:', 'il:']
  ;[...loads, ...stores].forEach((text, index) => (table[Op.MEMORY_FIRST + index] = signature(text, 'memory')))
  table[Op.MEMORY_SIZE] = signature(':i', 'zero')
  table[Op.MEMORY_GROW] = signature('i:i', 'zero')
  table[Op.I32_CONST] = signature(':i', 'leb')
  table[Op.I64_CONST] = signature(':l', 'leb')
  table[Op.F32_CONST] = signature(':f', 'bytes4')
  table[Op.F64_CONST] = signature(':d', 'bytes8')
  const numeric: [number, number, string][] = [
    [0x45, 0x45, 'i:i'], [0x46, 0x4f, 'ii:i'], [0x50, 0x50, 'l:i'], [0x51, 0x5a, 'll:i'], [0x5b, 0x60, 'ff:i'], [0x61, 0x66, 'dd:i'],
    [0x67, 0x69, 'i:i'], [0x6a, 0x78, 'ii:i'], [0x79, 0x7b, 'l:l'], [0x7c, 0x8a, 'll:l'], [0x8b, 0x91, 'f:f'], [0x92, 0x98, 'ff:f'],
    [0x99, 0x9f, 'd:d'], [0xa0, 0xa6, 'dd:d'], [0xa7, 0xa7, 'l:i'], [0xa8, 0xa9, 'f:i'], [0xaa, 0xab, 'd:i'], [0xac, 0xad, 'i:l'],
    [0xae, 0xaf, 'f:l'], [0xb0, 0xb1, 'd:l'], [0xb2, 0xb3, 'i:f'], [0xb4, 0xb5, 'l:f'], [0xb6, 0xb6, 'd:f'], [0xb7, 0xb8, 'i:d'],
    [0xb9, 0xba, 'l:d'], [0xbb, 0xbb, 'f:d'], [0xbc, 0xbc, 'f:i'], [0xbd, 0xbd, 'd:l'], [0xbe, 0xbe, 'i:f'], [0xbf, 0xbf, 'l:d'],
    [0xc0, 0xc1, 'i:i'], [0xc2, 0xc4, 'l:l'],
  ]
  for (const [first, last, text] of numeric) fill(table, first, last, signature(text))
  return table
}

function miscTable(): Table {
  const table: Table = ['f:i', 'f:i', 'd:i', 'd:i', 'f:l', 'f:l', 'd:l', 'd:l'].map((text) => signature(text))
  table[Misc.MEMORY_INIT] = signature('iii:', 'index2')
  table[Misc.DATA_DROP] = signature(':', 'index')
  table[Misc.MEMORY_COPY] = signature('iii:', 'index2')
  table[Misc.MEMORY_FILL] = signature('iii:', 'index')
  table[Misc.TABLE_INIT] = signature('iii:', 'index2')
  table[Misc.ELEM_DROP] = signature(':', 'index')
  table[Misc.TABLE_COPY] = signature('iii:', 'index2')
  table[Misc.TABLE_GROW] = special('index')
  table[Misc.TABLE_SIZE] = signature(':i', 'index')
  table[Misc.TABLE_FILL] = special('index')
  return table
}

function simdTable(): Table {
  const table: Table = []
  fill(table, 0, 10, signature('i:v', 'memory'))
  table[11] = signature('iv:', 'memory')
  table[V128_CONST] = signature(':v', 'bytes16')
  table[13] = signature('vv:v', 'bytes16')
  table[14] = signature('vv:v')
  ;['i:v', 'i:v', 'i:v', 'l:v', 'f:v', 'd:v'].forEach((text, index) => (table[15 + index] = signature(text)))
  const lanes = ['v:i', 'v:i', 'vi:v', 'v:i', 'v:i', 'vi:v', 'v:i', 'vi:v', 'v:l', 'vl:v', 'v:f', 'vf:v', 'v:d', 'vd:v']
  lanes.forEach((text, index) => (table[21 + index] = signature(text, 'lane')))
  const [unary, binary, shift, test] = [signature('v:v'), signature('vv:v'), signature('vi:v'), signature('v:i')]
  fill(table, 35, 76, binary)
  table[77] = unary
  fill(table, 78, 81, binary)
  table[82] = signature('vvv:v')
  table[83] = test
  fill(table, 84, 87, signature('iv:v', 'memory-lane'))
  fill(table, 88, 91, signature('iv:', 'memory-lane'))
  fill(table, 92, 93, signature('i:v', 'memory'))
  fill(table, 94, 98, unary)
  fill(table, 99, 100, test)
  fill(table, 101, 102, binary)
  fill(table, 103, 106, unary)
  fill(table, 107, 109, shift)
  fill(table, 110, 115, binary)
  fill(table, 116, 117, unary)
  fill(table, 118, 121, binary)
  table[122] = unary
  table[123] = binary
  fill(table, 124, 129, unary)
  table[130] = binary
  fill(table, 131, 132, test)
  fill(table, 133, 134, binary)
  fill(table, 135, 138, unary)
  fill(table, 139, 141, shift)
  fill(table, 142, 147, binary)
  table[148] = unary
  fill(table, 149, 153, binary)
  fill(table, 155, 159, binary)
  for (const base of [160, 192]) {
    fill(table, base, base + 1, unary)
    fill(table, base + 3, base + 4, test)
    fill(table, base + 7, base + 10, unary)
    fill(table, base + 11, base + 13, shift)
    table[base + 14] = binary
    table[base + 17] = binary
    fill(table, base + 21, base + 26, binary)
    fill(table, base + 27, base + 31, binary)
  }
  fill(table, 224, 225, unary)
  table[227] = unary
  fill(table, 228, 235, binary)
  fill(table, 236, 237, unary)
  table[239] = unary
  fill(table, 240, 247, binary)
  fill(table, 248, 255, unary)
  return table
}

const plain = plainTable()
const misc = miscTable()
const simd = simdTable()

/** The instruction of an opcode, or of a prefix and the number behind it; undefined when it is none that we accept. */
export function instructionOf(opcode: number, extended: number): Instruction | undefined {
  if (opcode === Op.MISC) return misc[extended]
  if (opcode === Op.SIMD) return simd[extended]
  return plain[opcode]
}
