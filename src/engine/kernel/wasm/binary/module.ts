import { WasmLimit } from '../limits.ts'
import { ByteReader, WasmFormatError } from './bytes.ts'
import type { ByteWriter } from './bytes.ts'
import { Op, ValueType, isReference } from './opcodes.ts'

export const SectionId = {
  CUSTOM: 0, TYPE: 1, IMPORT: 2, FUNCTION: 3, TABLE: 4, MEMORY: 5, GLOBAL: 6, EXPORT: 7, START: 8, ELEMENT: 9, CODE: 10, DATA: 11,
  DATA_COUNT: 12,
} as const

export const ExternalKind = { FUNCTION: 0, TABLE: 1, MEMORY: 2, GLOBAL: 3 } as const

const FUNCTION_TYPE = 0x60
const MAGIC = 0x6d736100
const VERSION = 1
const HAS_MAXIMUM = 1
/** Id of the functions' names inside the custom section "name". */
const FUNCTION_NAMES = 1

export interface FunctionType {
  params: readonly number[]
  results: readonly number[]
}

export interface FunctionImport {
  module: string
  name: string
  type: number
}

export interface Limits {
  min: number
  max: number | null
}

export interface Table extends Limits {
  type: number
}

/** `init` and `expressions` are raw constant expressions, `end` included. */
export interface Global {
  type: number
  isMutable: boolean
  init: Uint8Array
}

export interface ElementSegment {
  mode: 'active' | 'passive' | 'declarative'
  table: number
  offset: Uint8Array | null
  type: number
  /** Functions by index; null where the segment has expressions. */
  functions: number[] | null
  expressions: Uint8Array[]
}

/** A module taken apart. What needs no change is kept as it was written. */
export interface ParsedModule {
  types: FunctionType[]
  /** Entries of the type section as they were written. */
  typeBytes: Uint8Array
  imports: FunctionImport[]
  /** Type index of each function the module defines. */
  functions: number[]
  tables: Table[]
  memory: Limits | null
  globals: Global[]
  exports: { name: string; kind: number; index: number }[]
  start: number | null
  elements: ElementSegment[]
  dataCount: number | null
  /** Contents of the data section, or null. */
  data: Uint8Array | null
  /** Body of each function the module defines: local declarations and code. */
  bodies: Uint8Array[]
  /** Names of functions by index, from the section "name". */
  names: Map<number, string>
}

/** True for bytes that begin as a binary module does. */
export function isWasm(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && bytes[0] === 0 && bytes[1] === 0x61 && bytes[2] === 0x73 && bytes[3] === 0x6d
}

export const typeOfFunction = (module: ParsedModule, index: number): FunctionType => {
  const { imports, functions, types } = module
  return types[index < imports.length ? imports[index].type : functions[index - imports.length]]
}

function bound(what: string, found: number, limit: number): void {
  if (found > limit) throw new WasmFormatError(`it has ${found} ${what}, at most ${limit} are accepted`)
}

/**
 * Takes a valid module apart. Validity itself is checked by the engine that will run it; this throws WasmFormatError for what is
 * valid and not accepted here, and for bytes that are not a module at all.
 */
export function parseModule(bytes: Uint8Array): ParsedModule {
  const reader = new ByteReader(bytes)
  if (bytes.length < 8 || !isWasm(bytes)) throw new WasmFormatError('it does not begin as a WebAssembly module does')
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  if (view.getUint32(0, true) !== MAGIC || view.getUint32(4, true) !== VERSION)
    throw new WasmFormatError(`it has version ${view.getUint32(4, true)}, expected ${VERSION}`)
  reader.at = 8
  const module: ParsedModule = {
    types: [], typeBytes: new Uint8Array(0), imports: [], functions: [], tables: [], memory: null, globals: [], exports: [], start: null,
    elements: [], dataCount: null, data: null, bodies: [], names: new Map(),
  }
  while (!reader.isAtEnd) {
    const id = reader.u8()
    const contents = reader.take(reader.u32())
    parseSection(module, id, new ByteReader(contents))
  }
  return module
}

function parseSection(module: ParsedModule, id: number, section: ByteReader): void {
  const each = (parse: () => void): void => {
    for (let count = section.u32(); count > 0; count--) parse()
  }
  switch (id) {
    case SectionId.CUSTOM:
      if (section.name() === 'name') parseNames(module, section)
      break
    case SectionId.TYPE: {
      const count = section.u32()
      module.typeBytes = section.bytes.subarray(section.at)
      for (let index = 0; index < count; index++) module.types.push(parseType(section))
      break
    }
    case SectionId.IMPORT:
      each(() => module.imports.push(parseImport(section)))
      break
    case SectionId.FUNCTION:
      each(() => module.functions.push(section.u32()))
      bound('functions', module.functions.length, WasmLimit.FUNCTIONS)
      break
    case SectionId.TABLE:
      each(() => module.tables.push({ type: section.u8(), ...parseLimits(section, 'table') }))
      bound('table entries', module.tables.reduce((sum, { min }) => sum + min, 0), WasmLimit.TABLE_ENTRIES)
      break
    case SectionId.MEMORY:
      each(() => (module.memory = parseLimits(section, 'memory')))
      bound('pages of memory', module.memory?.min ?? 0, WasmLimit.MEMORY_PAGES)
      break
    case SectionId.GLOBAL:
      each(() => module.globals.push({ type: section.u8(), isMutable: section.u8() === 1, init: takeExpression(section) }))
      break
    case SectionId.EXPORT:
      each(() => module.exports.push({ name: section.name(), kind: section.u8(), index: section.u32() }))
      break
    case SectionId.START:
      module.start = section.u32()
      break
    case SectionId.ELEMENT:
      each(() => module.elements.push(parseElements(section)))
      break
    case SectionId.DATA_COUNT:
      module.dataCount = section.u32()
      break
    case SectionId.CODE:
      each(() => module.bodies.push(section.take(section.u32())))
      break
    case SectionId.DATA:
      module.data = section.bytes
      break
    default:
      throw new WasmFormatError(`its section ${id} is of an extension that is not accepted`)
  }
}

function parseType(section: ByteReader): FunctionType {
  const form = section.u8()
  if (form !== FUNCTION_TYPE) throw new WasmFormatError(`it has a type of form 0x${form.toString(16)}; only function types are accepted`)
  const values = (what: string): number[] => {
    const count = section.u32()
    bound(`${what} in one function`, count, WasmLimit.VALUES)
    return Array.from(section.take(count))
  }
  return { params: values('parameters'), results: values('results') }
}

function parseImport(section: ByteReader): FunctionImport {
  const [module, name, kind] = [section.name(), section.name(), section.u8()]
  if (kind === ExternalKind.FUNCTION) return { module, name, type: section.u32() }
  const what = ['function', 'table', 'memory', 'global'][kind] ?? 'tag'
  throw new WasmFormatError(`it imports the ${what} "${module}" "${name}"; only functions can be imported`)
}

function parseLimits(section: ByteReader, what: string): Limits {
  const flags = section.u8()
  if ((flags & ~HAS_MAXIMUM) !== 0) throw new WasmFormatError(`its ${what} is shared or has 64-bit addresses, which is not accepted`)
  return { min: section.u32(), max: (flags & HAS_MAXIMUM) !== 0 ? section.u32() : null }
}

/** Kinds of element segments: bit 0 passive or declarative, bit 1 explicit table or declarative, bit 2 expressions (5.5.12). */
function parseElements(section: ByteReader): ElementSegment {
  const flags = section.u32()
  const isActive = (flags & 1) === 0
  const table = isActive && (flags & 2) !== 0 ? section.u32() : 0
  const offset = isActive ? takeExpression(section) : null
  const hasExpressions = (flags & 4) !== 0
  let type: number = ValueType.FUNCREF
  if ((flags & 3) !== 0) {
    const kind = section.u8()
    if (hasExpressions) type = kind
  }
  const segment: ElementSegment = {
    mode: isActive ? 'active' : (flags & 2) !== 0 ? 'declarative' : 'passive', table, offset, type,
    functions: hasExpressions ? null : [], expressions: [],
  }
  const count = section.u32()
  bound('entries in one element segment', count, WasmLimit.TABLE_ENTRIES)
  for (let index = 0; index < count; index++) {
    if (segment.functions !== null) segment.functions.push(section.u32())
    else segment.expressions.push(takeExpression(section))
  }
  return segment
}

const EXTENDED_CONST: readonly number[] = [Op.I32_ADD, Op.I32_SUB, 0x6c, Op.I64_ADD, Op.I64_SUB, 0x7e]

/** Calls back for each instruction of a constant expression, which is read to its end. */
function readExpression(reader: ByteReader, instruction: (opcode: number, start: number) => void): void {
  for (;;) {
    const start = reader.at
    const opcode = reader.u8()
    if (opcode === Op.I32_CONST || opcode === Op.I64_CONST || opcode === Op.GLOBAL_GET || opcode === Op.REF_NULL || opcode === Op.REF_FUNC)
      reader.skipLeb()
    else if (opcode === Op.F32_CONST) reader.skip(4)
    else if (opcode === Op.F64_CONST) reader.skip(8)
    else if (opcode === Op.SIMD) reader.skip(17)
    else if (opcode !== Op.END && !EXTENDED_CONST.includes(opcode))
      throw new WasmFormatError(`it has a constant expression with opcode 0x${opcode.toString(16)}, which is not accepted`)
    instruction(opcode, start)
    if (opcode === Op.END) return
  }
}

function takeExpression(section: ByteReader): Uint8Array {
  const start = section.at
  readExpression(section, () => {})
  return section.bytes.subarray(start, section.at)
}

/** Copies a constant expression, with the functions it refers to renumbered. */
export function copyExpression(expression: Uint8Array, writer: ByteWriter, renumber: (index: number) => number): void {
  const reader = new ByteReader(expression)
  readExpression(reader, (opcode, start) => {
    if (opcode === Op.REF_FUNC) writer.u8(Op.REF_FUNC).u32(renumber(new ByteReader(expression, start + 1).u32()))
    else writer.raw(expression.subarray(start, reader.at))
  })
}

/** A damaged section of names costs the names and nothing else (custom sections are not validated). */
function parseNames(module: ParsedModule, section: ByteReader): void {
  try {
    while (!section.isAtEnd) {
      const id = section.u8()
      const contents = new ByteReader(section.take(section.u32()))
      if (id !== FUNCTION_NAMES) continue
      for (let count = contents.u32(); count > 0; count--) {
        const index = contents.u32()
        module.names.set(index, contents.name())
      }
    }
  } catch (error) {
    if (!(error instanceof WasmFormatError)) throw error
  }
}

/** Whether values of the type can lie in memory while a call is suspended. */
export const isStorable = (type: number): boolean => !isReference(type)
