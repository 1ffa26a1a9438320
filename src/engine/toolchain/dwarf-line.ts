import { ByteReader, ReadError } from './byte-reader.ts'
import { readString } from './elf.ts'

/**
 * The line number tables of DWARF 2 to 5 (DWARF Debugging Information Format, version 5, section 6.2; version 4, same section).
 * Reads any bytes in time proportional to their number: a unit that makes no sense is passed over.
 */

/** Rows kept of one file; more is damage, or a program that no machine here could hold. */
const ROWS_MAX = 1 << 21
/** Bytes of code that one sequence may cover. */
const SEQUENCE_BYTES_MAX = 2 ** 32

// Standard opcodes (7.22) that need more than skipping their operands.
const DW_LNS_copy = 1
const DW_LNS_advance_pc = 2
const DW_LNS_advance_line = 3
const DW_LNS_set_file = 4
const DW_LNS_set_column = 5
const DW_LNS_const_add_pc = 8
const DW_LNS_fixed_advance_pc = 9
const DW_LNE_end_sequence = 1
const DW_LNE_set_address = 2
const DW_LNCT_path = 1
const DW_LNCT_directory_index = 2

/** A run of machine code with ascending addresses. Arrays are parallel, one element for each row. */
export interface Sequence {
  start: bigint
  /** Bytes of code. */
  length: number
  /** From `start`, ascending. */
  offsets: number[]
  lines: number[]
  columns: number[]
  /** Indices into `files`. */
  fileIndices: number[]
  /** Shared by the sequences of one unit; index as the unit counts. */
  files: readonly string[]
}

export interface LineSections {
  line: Uint8Array
  /** `.debug_line_str`; empty when there is none. */
  lineStrings: Uint8Array
  /** `.debug_str`; empty when there is none. */
  strings: Uint8Array
}

/** Every sequence of every unit that could be read, in the file's order. Never throws. */
export function readLineTables(sections: LineSections): Sequence[] {
  const sequences: Sequence[] = []
  const reader = new ByteReader(sections.line)
  const budget = { rows: ROWS_MAX }
  while (reader.at < reader.end && budget.rows > 0) {
    let unit: ByteReader
    let wide = false
    try {
      let length = reader.u32()
      if (length === 0xffffffff) {
        wide = true
        length = reader.length64()
      }
      unit = reader.take(length)
    } catch (error) {
      if (!(error instanceof ReadError)) throw error
      break // Where the next unit would begin is unknown.
    }
    try {
      readUnit(unit, wide, sections, sequences, budget)
    } catch (error) {
      if (!(error instanceof ReadError)) throw error
    }
  }
  return sequences
}

interface Header {
  version: number
  minimumInstructionBytes: number
  lineBase: number
  lineRange: number
  /** Number of operands of each standard opcode, from opcode 1. */
  operandCounts: number[]
  files: string[]
}

function readUnit(unit: ByteReader, wide: boolean, sections: LineSections, sequences: Sequence[], budget: { rows: number }): void {
  const version = unit.u16()
  if (version < 2 || version > 5) throw new ReadError(`line table version ${version}; 2 to 5 can be read`)
  if (version >= 5) unit.skip(2) // address_size, segment_selector_size: set_address has its own length
  const headerLength = wide ? unit.length64() : unit.u32()
  const header = readHeader(unit.take(headerLength), version, wide, sections)
  runProgram(unit, header, sequences, budget)
}

function readHeader(reader: ByteReader, version: number, wide: boolean, sections: LineSections): Header {
  const minimumInstructionBytes = reader.u8()
  if (version >= 4) reader.skip(1) // maximum_operations_per_instruction: 1 on everything but VLIW machines
  reader.skip(1) // default_is_stmt
  const lineBase = reader.i8()
  const lineRange = reader.u8()
  const opcodeBase = reader.u8()
  if (lineRange === 0 || opcodeBase === 0) throw new ReadError(`line_range ${lineRange}, opcode_base ${opcodeBase}; neither may be 0`)
  const operandCounts = Array.from({ length: opcodeBase - 1 }, () => reader.u8())
  const files = version >= 5 ? readFilesV5(reader, wide, sections) : readFilesV4(reader)
  return { version, minimumInstructionBytes, lineBase, lineRange, operandCounts, files }
}

/** Directories, then files, both counted from 1; directory 0 is the one the compiler ran in. */
function readFilesV4(reader: ByteReader): string[] {
  const directories = ['']
  for (let name = reader.string(); name !== ''; name = reader.string()) directories.push(name)
  const files = ['']
  for (let name = reader.string(); name !== ''; name = reader.string()) {
    files.push(joinPath(directories[reader.uleb()] ?? '', name))
    reader.uleb() // modification time
    reader.uleb() // bytes
  }
  return files
}

/** Directories and files each say what they are made of; directory 0 is the one the compiler ran in. */
function readFilesV5(reader: ByteReader, wide: boolean, sections: LineSections): string[] {
  const directories = readEntries(reader, wide, sections)
  const home = directories[0]?.path ?? ''
  return readEntries(reader, wide, sections).map(({ path, directory }) => {
    const folder = directories[directory]?.path ?? ''
    return joinPath(directory === 0 ? home : joinPath(home, folder), path)
  })
}

function readEntries(reader: ByteReader, wide: boolean, sections: LineSections): { path: string; directory: number }[] {
  const format = Array.from({ length: reader.u8() }, () => ({ content: reader.uleb(), form: reader.uleb() }))
  const count = reader.uleb()
  // Every form takes a byte at least, so this bounds the loop by what is there.
  const room = reader.end - reader.at
  if (count > 0 && (format.length === 0 || count > room)) throw new ReadError(`${count} entries in ${room} bytes`)
  const entries: { path: string; directory: number }[] = []
  for (let index = 0; index < count; index++) {
    const entry = { path: '', directory: 0 }
    for (const { content, form } of format) {
      const value = readForm(reader, form, wide, sections)
      if (content === DW_LNCT_path && typeof value === 'string') entry.path = value
      if (content === DW_LNCT_directory_index && typeof value === 'number') entry.directory = value
    }
    entries.push(entry)
  }
  return entries
}

/** A value of one of the forms that line tables use (7.5.6); undefined for one that is of no interest here. */
function readForm(reader: ByteReader, form: number, wide: boolean, sections: LineSections): string | number | undefined {
  const offset = (): number => (wide ? reader.length64() : reader.u32())
  const pass = (length: number): undefined => void reader.skip(length)
  switch (form) {
    case 0x08: return reader.string() // DW_FORM_string
    case 0x0e: return readString(sections.strings, offset()) // DW_FORM_strp
    case 0x1f: return readString(sections.lineStrings, offset()) // DW_FORM_line_strp
    case 0x0b: return reader.u8() // DW_FORM_data1
    case 0x05: return reader.u16() // DW_FORM_data2
    case 0x06: return reader.u32() // DW_FORM_data4
    case 0x0f: return reader.uleb() // DW_FORM_udata
    case 0x07: return pass(8) // DW_FORM_data8
    case 0x1e: return pass(16) // DW_FORM_data16: MD5
    case 0x09: return pass(reader.uleb()) // DW_FORM_block
    case 0x0a: return pass(reader.u8()) // DW_FORM_block1
    case 0x03: return pass(reader.u16()) // DW_FORM_block2
    case 0x04: return pass(reader.u32()) // DW_FORM_block4
    default: throw new ReadError(`form 0x${form.toString(16)} in a line table`)
  }
}

/** The registers of the line number state machine (6.2.2) that are of interest, and the sequence it is making. */
class LineMachine {
  private readonly files: readonly string[]
  private readonly sequences: Sequence[]
  private readonly budget: { rows: number }
  private start: bigint | undefined
  private offset = 0
  private sequence: Sequence
  file = 1
  line = 1
  column = 0

  constructor(files: readonly string[], sequences: Sequence[], budget: { rows: number }) {
    this.files = files
    this.sequences = sequences
    this.budget = budget
    this.sequence = this.fresh()
  }

  private fresh(): Sequence {
    return { start: 0n, length: 0, offsets: [], lines: [], columns: [], fileIndices: [], files: this.files }
  }

  setAddress(address: bigint): void {
    if (this.start === undefined) this.start = address
    this.moveTo(address - this.start)
  }

  private moveTo(offset: bigint): void {
    if (offset < 0n || offset > BigInt(SEQUENCE_BYTES_MAX)) throw new ReadError(`a sequence of ${offset} bytes`)
    this.offset = Number(offset)
  }

  advance(bytes: number): void {
    if (this.offset + bytes > SEQUENCE_BYTES_MAX) throw new ReadError(`a sequence of ${this.offset + bytes} bytes`)
    this.offset += bytes
  }

  row(): void {
    const { offsets, lines, columns, fileIndices } = this.sequence
    if (offsets.length > 0 && this.offset < offsets[offsets.length - 1]) throw new ReadError('addresses of a sequence go backwards')
    if (this.budget.rows-- <= 0) throw new ReadError(`more than ${ROWS_MAX} rows`)
    offsets.push(this.offset)
    lines.push(this.line)
    columns.push(this.column)
    fileIndices.push(this.file)
  }

  endSequence(): void {
    if (this.sequence.offsets.length > 0 && this.start !== undefined) {
      this.sequence.start = this.start
      this.sequence.length = this.offset
      this.sequences.push(this.sequence)
    }
    this.sequence = this.fresh()
    this.start = undefined
    this.offset = 0
    this.file = this.line = 1
    this.column = 0
  }
}

function runProgram(reader: ByteReader, header: Header, sequences: Sequence[], budget: { rows: number }): void {
  const machine = new LineMachine(header.files, sequences, budget)
  const { minimumInstructionBytes, lineBase, lineRange, operandCounts } = header
  const opcodeBase = operandCounts.length + 1
  while (reader.at < reader.end) {
    const opcode = reader.u8()
    if (opcode >= opcodeBase) {
      const adjusted = opcode - opcodeBase
      machine.advance(Math.floor(adjusted / lineRange) * minimumInstructionBytes)
      machine.line += lineBase + (adjusted % lineRange)
      machine.row()
      continue
    }
    switch (opcode) {
      case 0:
        runExtended(reader.take(reader.uleb()), machine)
        break
      case DW_LNS_copy:
        machine.row()
        break
      case DW_LNS_advance_pc:
        machine.advance(reader.uleb() * minimumInstructionBytes)
        break
      case DW_LNS_advance_line:
        machine.line += reader.sleb()
        break
      case DW_LNS_set_file:
        machine.file = reader.uleb()
        break
      case DW_LNS_set_column:
        machine.column = reader.uleb()
        break
      case DW_LNS_const_add_pc:
        machine.advance(Math.floor((255 - opcodeBase) / lineRange) * minimumInstructionBytes)
        break
      case DW_LNS_fixed_advance_pc:
        machine.advance(reader.u16())
        break
      default:
        // Flags that are of no interest, and opcodes from the future: their operands are LEB128 numbers.
        for (let count = operandCounts[opcode - 1]; count > 0; count--) while (reader.u8() >= 128);
    }
  }
}

function runExtended(operands: ByteReader, machine: LineMachine): void {
  if (operands.at === operands.end) return
  switch (operands.u8()) {
    case DW_LNE_end_sequence:
      machine.endSequence()
      break
    case DW_LNE_set_address:
      machine.setAddress(operands.end - operands.at === 4 ? BigInt(operands.u32()) : operands.u64())
      break
    default: // DW_LNE_set_discriminator and vendors' own
  }
}

/** `folder/name`; `.` and '' are no folder worth naming, and an absolute name needs none. */
function joinPath(folder: string, name: string): string {
  if (folder === '' || folder === '.' || /^(?:[/\\]|[A-Za-z]:)/.test(name)) return name
  if (name === '' || name === '.') return folder
  return `${folder.replace(/\/$/, '')}/${name}`
}
