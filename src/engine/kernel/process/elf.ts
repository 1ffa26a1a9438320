import { PAGE_BYTES, PIE_BASE, USER_END, USER_START, hex, pageCeil, pageFloor } from '../arch/layout.ts'

/**
 * The ELF64 format as far as a program's start needs it (System V ABI, chapter 4 and 5; x86-64 supplement). Everything a
 * file claims is checked here, before a byte of it is used: a file that passes can be loaded.
 */
const HEADER_BYTES = 64
/** Where the field that names the machine ends. */
const MACHINE_END = 20
const PROGRAM_HEADER_BYTES = 56
const SEGMENTS_MAX = 64

const ElfClass = { ELF32: 1, ELF64: 2 } as const
const ElfData = { LITTLE: 1, BIG: 2 } as const
const ElfType = { REL: 1, EXEC: 2, DYN: 3, CORE: 4 } as const
const EM_X86_64 = 62
const SegmentType = { LOAD: 1, INTERP: 3 } as const
export const SegmentFlag = { X: 1, W: 2, R: 4 } as const

const machineNames: Record<number, string> = {
  0: 'no machine (EM_NONE)', 2: 'SPARC (EM_SPARC)', 3: 'Intel 80386 (EM_386)', 4: 'Motorola 68000 (EM_68K)', 8: 'MIPS (EM_MIPS)',
  20: 'PowerPC (EM_PPC)', 21: '64-bit PowerPC (EM_PPC64)', 22: 'IBM S/390 (EM_S390)', 40: 'ARM (EM_ARM)', 43: 'SPARC V9 (EM_SPARCV9)',
  50: 'Intel IA-64 (EM_IA_64)', 183: '64-bit ARM (EM_AARCH64)', 243: 'RISC-V (EM_RISCV)', 247: 'Linux BPF (EM_BPF)',
  258: 'LoongArch (EM_LOONGARCH)',
}

export type ElfErrorCode =
  | 'empty'
  | 'not-elf'
  | 'truncated'
  | 'wrong-machine'
  | 'wrong-class'
  | 'wrong-type'
  | 'dynamically-linked'
  | 'malformed'
  | 'too-large'
  | 'writable-and-executable'
  | 'overlap'
  | 'bad-entry'

/** Why a file is no program for this machine; the message is one sentence for people. */
export class ElfError extends Error {
  readonly code: ElfErrorCode

  constructor(code: ElfErrorCode, message: string) {
    super(message)
    this.name = 'ElfError'
    this.code = code
  }
}

export interface ElfSegment {
  /** Where it is loaded, bias included; bytes, as everything here. */
  address: number
  fileOffset: number
  fileBytes: number
  memoryBytes: number
  /** SegmentFlag bits. */
  flags: number
}

export interface ElfImage {
  entry: number
  /** Added to every address of the file: 0 unless it is position-independent. */
  bias: number
  segments: ElfSegment[]
  /** Address of the program headers in memory, 0 when no segment holds them. */
  programHeaders: number
  programHeaderCount: number
}

const TWO_32 = 4294967296
const u64 = (view: DataView, offset: number): number => view.getUint32(offset, true) + view.getUint32(offset + 4, true) * TWO_32
const size = (bytes: number): string =>
  bytes >= 1 << 30 ? `${(bytes / (1 << 30)).toFixed(1)} GiB` : bytes >= 1 << 20 ? `${(bytes / (1 << 20)).toFixed(1)} MiB` : `${bytes} bytes`

function refuse(code: ElfErrorCode, sentence: string): never {
  throw new ElfError(code, sentence)
}

/** Reads and checks a program. `memoryBytes` is the machine's RAM. Throws ElfError. */
export function parseElf(file: Uint8Array, memoryBytes: number): ElfImage {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  checkHeader(file, view)
  const bias = view.getUint16(16, true) === ElfType.DYN ? PIE_BASE : 0
  const { start, end, count } = programHeaderTable(view)

  const segments: ElfSegment[] = []
  for (let index = 0; index < count; index++) {
    const at = start + index * PROGRAM_HEADER_BYTES
    const type = view.getUint32(at, true)
    if (type === SegmentType.INTERP) refuse('dynamically-linked', 'this ELF is dynamically linked; link it statically (-static)')
    if (type !== SegmentType.LOAD) continue
    const segment: ElfSegment = {
      address: bias + u64(view, at + 16),
      fileOffset: u64(view, at + 8),
      fileBytes: u64(view, at + 32),
      memoryBytes: u64(view, at + 40),
      flags: view.getUint32(at + 4, true),
    }
    checkSegment(segment, index, file.length, memoryBytes)
    if (segment.memoryBytes > 0) segments.push(segment)
  }
  if (segments.length === 0) refuse('malformed', 'this ELF has no PT_LOAD segment: there is nothing to load')
  segments.sort((a, b) => a.address - b.address)
  checkLayout(segments, memoryBytes)

  const entry = bias + u64(view, 24)
  const holdsEntry = ({ flags, address, fileBytes }: ElfSegment): boolean =>
    (flags & SegmentFlag.X) !== 0 && entry >= address && entry < address + fileBytes
  if (!segments.some(holdsEntry))
    refuse('bad-entry', `this ELF starts at ${hex(entry - bias)}, which lies in none of its executable segments`)
  const holder = segments.find(({ fileOffset, fileBytes }) => start >= fileOffset && end <= fileOffset + fileBytes)
  const programHeaders = holder === undefined ? 0 : holder.address + start - holder.fileOffset
  return { entry, bias, segments, programHeaders, programHeaderCount: count }
}

function checkHeader(file: Uint8Array, view: DataView): void {
  if (file.length === 0) refuse('empty', 'this file is empty (0 bytes): it is no program')
  if (file.length < 4 || view.getUint32(0, false) !== 0x7f454c46) {
    const start = [...file.subarray(0, 4)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ')
    refuse('not-elf', `this file is not an ELF program: it starts with ${start}, expected 7f 45 4c 46`)
  }
  const cutOff = `this ELF is truncated: it has ${file.length} bytes, its header alone needs ${HEADER_BYTES}`
  if (file.length < MACHINE_END) refuse('truncated', cutOff)
  const bigEndian = file[5] === ElfData.BIG
  const machine = view.getUint16(18, !bigEndian)
  const machineName = machineNames[machine] ?? `machine number ${machine}`
  if (machine !== EM_X86_64) refuse('wrong-machine', `this ELF is for ${machineName}; the machine here is x86-64 (EM_X86_64)`)
  const bits = file[4] === ElfClass.ELF32 ? ' (32-bit)' : ''
  if (file[4] !== ElfClass.ELF64) refuse('wrong-class', `this ELF is of class ${file[4]}${bits}, expected ${ElfClass.ELF64} (64-bit)`)
  const order = bigEndian ? ' (big-endian)' : ''
  if (file[5] !== ElfData.LITTLE) refuse('wrong-class', `this ELF has byte order ${file[5]}${order}, expected 1 (little-endian)`)
  if (file.length < HEADER_BYTES) refuse('truncated', cutOff)
  const version = view.getUint32(20, true)
  if (file[6] !== 1 || version !== 1) refuse('malformed', `this ELF is of version ${version}, expected 1`)
  checkType(view.getUint16(16, true))
}

function checkType(type: number): void {
  switch (type) {
    case ElfType.EXEC:
    case ElfType.DYN:
      return
    case ElfType.REL:
      return refuse('wrong-type', 'this ELF is an object file that has not been linked (ET_REL), expected a program (ET_EXEC)')
    case ElfType.CORE:
      return refuse('wrong-type', 'this ELF is a core dump (ET_CORE), expected a program (ET_EXEC)')
    default:
      return refuse('wrong-type', `this ELF is of type ${type}, expected a program (ET_EXEC, 2, or ET_DYN, 3)`)
  }
}

/** Where the program headers lie in the file. */
function programHeaderTable(view: DataView): { start: number; end: number; count: number } {
  const start = u64(view, 32)
  const bytes = view.getUint16(54, true)
  const count = view.getUint16(56, true)
  const end = start + count * PROGRAM_HEADER_BYTES
  if (bytes !== PROGRAM_HEADER_BYTES)
    refuse('malformed', `this ELF has program headers of ${bytes} bytes, the format has ${PROGRAM_HEADER_BYTES}`)
  if (count === 0) refuse('malformed', 'this ELF has no program headers: there is nothing to load')
  if (count > SEGMENTS_MAX) refuse('malformed', `this ELF has ${count} program headers; at most ${SEGMENTS_MAX} are accepted`)
  if (end > view.byteLength)
    refuse('truncated', `this ELF is truncated: its program headers end at byte ${end}, the file at byte ${view.byteLength}`)
  return { start, end, count }
}

function checkSegment(segment: ElfSegment, index: number, fileLength: number, memoryBytes: number): void {
  const { address, fileOffset, fileBytes, flags } = segment
  const name = `segment ${index}`
  const fileEnd = fileOffset + fileBytes
  if (segment.memoryBytes > memoryBytes)
    refuse('too-large', `this ELF claims ${size(segment.memoryBytes)} for its ${name}, but the machine has ${size(memoryBytes)} of memory`)
  if (fileBytes > segment.memoryBytes)
    refuse('malformed', `this ELF's ${name} has ${fileBytes} bytes in the file but only ${segment.memoryBytes} in memory`)
  if (fileEnd > fileLength)
    refuse('truncated', `this ELF is truncated: its ${name} ends at byte ${fileEnd}, the file at byte ${fileLength}`)
  if (segment.memoryBytes === 0) return
  const userSpace = `user space (${hex(USER_START)} to ${hex(USER_END)})`
  if (address < USER_START || address + segment.memoryBytes > USER_END)
    refuse('malformed', `this ELF's ${name} would lie at ${hex(address)}, outside ${userSpace}`)
  if (fileBytes > 0 && (address - fileOffset) % PAGE_BYTES !== 0)
    refuse('malformed', `this ELF's ${name} has address ${hex(address)} and file offset ${hex(fileOffset)}, which differ within a page`)
  if ((flags & SegmentFlag.W) !== 0 && (flags & SegmentFlag.X) !== 0)
    refuse('writable-and-executable', `this ELF's ${name} at ${hex(address)} is both writable and executable, which no page may be`)
}

/** Segments sorted by address must not overlap, share pages or together exceed memory. */
function checkLayout(segments: readonly ElfSegment[], memoryBytes: number): void {
  let total = 0
  segments.forEach((segment, index) => {
    total += segment.memoryBytes
    if (index === 0) return
    const before = segments[index - 1]
    const both = `this ELF's segments at ${hex(before.address)} and ${hex(segment.address)}`
    if (before.address + before.memoryBytes > segment.address) refuse('overlap', `${both} overlap`)
    const sharePage = pageCeil(before.address + before.memoryBytes) > pageFloor(segment.address)
    if (sharePage && before.flags !== segment.flags) refuse('overlap', `${both} share a page but not its protection`)
  })
  if (total > memoryBytes)
    refuse('too-large', `this ELF claims ${size(total)} in all, but the machine has ${size(memoryBytes)} of memory`)
}
