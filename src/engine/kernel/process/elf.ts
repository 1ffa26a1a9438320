import { PAGE_BYTES, PIE_BASE, USER_END, USER_START, hex, pageCeil, pageFloor } from '../arch/layout.ts'

/**
 * The ELF64 format as far as a program's start needs it (System V ABI, chapter 4 and 5; x86-64 supplement). Everything a
 * file claims is checked here, before a byte of it is used: a file that passes can be loaded.
 */
const HEADER_BYTES = 64
const PROGRAM_HEADER_BYTES = 56
const SEGMENTS_MAX = 64

const ElfClass = { ELF32: 1, ELF64: 2 } as const
const ElfData = { LITTLE: 1, BIG: 2 } as const
const ElfType = { REL: 1, EXEC: 2, DYN: 3, CORE: 4 } as const
const EM_X86_64 = 62
const SegmentType = { LOAD: 1, INTERP: 3 } as const
export const SegmentFlag = { X: 1, W: 2, R: 4 } as const

const machineNames: Record<number, string> = {
  0: 'no machine (EM_NONE)', 2: 'SPARC (EM_SPARC)', 3: 'Intel 80386 (EM_386)', 4: 'Motorola 68000 (EM_68K)', 8: 'MIPS (EM_MIPS)', 20: 'PowerPC (EM_PPC)',
  21: '64-bit PowerPC (EM_PPC64)', 22: 'IBM S/390 (EM_S390)', 40: 'ARM (EM_ARM)', 43: 'SPARC V9 (EM_SPARCV9)', 50: 'Intel IA-64 (EM_IA_64)',
  183: '64-bit ARM (EM_AARCH64)', 243: 'RISC-V (EM_RISCV)', 247: 'Linux BPF (EM_BPF)', 258: 'LoongArch (EM_LOONGARCH)',
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

/** Reads and checks a program. `memoryBytes` is the machine's RAM. Throws ElfError. */
export function parseElf(file: Uint8Array, memoryBytes: number): ElfImage {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  checkHeader(file, view)
  const isPie = view.getUint16(16, true) === ElfType.DYN
  const bias = isPie ? PIE_BASE : 0
  const headersOffset = u64(view, 32)
  const count = view.getUint16(56, true)
  if (view.getUint16(54, true) !== PROGRAM_HEADER_BYTES)
    throw new ElfError('malformed', `this ELF has program headers of ${view.getUint16(54, true)} bytes, the format has ${PROGRAM_HEADER_BYTES}`)
  if (count === 0) throw new ElfError('malformed', 'this ELF has no program headers: there is nothing to load')
  if (count > SEGMENTS_MAX) throw new ElfError('malformed', `this ELF has ${count} program headers; at most ${SEGMENTS_MAX} are accepted`)
  if (headersOffset + count * PROGRAM_HEADER_BYTES > file.length)
    throw new ElfError('truncated', `this ELF is truncated: its program headers end at byte ${headersOffset + count * PROGRAM_HEADER_BYTES}, the file at byte ${file.length}`)

  const segments: ElfSegment[] = []
  for (let index = 0; index < count; index++) {
    const at = headersOffset + index * PROGRAM_HEADER_BYTES
    const type = view.getUint32(at, true)
    if (type === SegmentType.INTERP) throw new ElfError('dynamically-linked', 'this ELF is dynamically linked; link it statically (-static)')
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
  if (segments.length === 0) throw new ElfError('malformed', 'this ELF has no PT_LOAD segment: there is nothing to load')
  segments.sort((a, b) => a.address - b.address)
  checkLayout(segments, memoryBytes)

  const entry = bias + u64(view, 24)
  const executable = (segment: ElfSegment): boolean => (segment.flags & SegmentFlag.X) !== 0
  if (!segments.some((segment) => executable(segment) && entry >= segment.address && entry < segment.address + segment.fileBytes))
    throw new ElfError('bad-entry', `this ELF starts at ${hex(entry - bias)}, which lies in none of its executable segments`)
  const holder = segments.find(
    (segment) => headersOffset >= segment.fileOffset && headersOffset + count * PROGRAM_HEADER_BYTES <= segment.fileOffset + segment.fileBytes,
  )
  const programHeaders = holder === undefined ? 0 : holder.address + headersOffset - holder.fileOffset
  return { entry, bias, segments, programHeaders, programHeaderCount: count }
}

function checkHeader(file: Uint8Array, view: DataView): void {
  if (file.length === 0) throw new ElfError('empty', 'this file is empty (0 bytes): it is no program')
  if (file.length < 4 || view.getUint32(0, false) !== 0x7f454c46) {
    const start = [...file.subarray(0, 4)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ')
    throw new ElfError('not-elf', `this file is not an ELF program: it starts with ${start}, expected 7f 45 4c 46`)
  }
  if (file.length < 20) throw new ElfError('truncated', `this ELF is truncated: it has ${file.length} bytes, its header alone needs ${HEADER_BYTES}`)
  const bigEndian = file[5] === ElfData.BIG
  const machine = view.getUint16(18, !bigEndian)
  if (machine !== EM_X86_64)
    throw new ElfError('wrong-machine', `this ELF is for ${machineNames[machine] ?? `machine number ${machine}`}; the machine here is x86-64 (EM_X86_64)`)
  if (file[4] !== ElfClass.ELF64)
    throw new ElfError('wrong-class', `this ELF is of class ${file[4]}${file[4] === ElfClass.ELF32 ? ' (32-bit)' : ''}, expected ${ElfClass.ELF64} (64-bit)`)
  if (file[5] !== ElfData.LITTLE) throw new ElfError('wrong-class', `this ELF has byte order ${file[5]}${bigEndian ? ' (big-endian)' : ''}, expected 1 (little-endian)`)
  if (file.length < HEADER_BYTES) throw new ElfError('truncated', `this ELF is truncated: it has ${file.length} bytes, its header alone needs ${HEADER_BYTES}`)
  if (file[6] !== 1 || view.getUint32(20, true) !== 1) throw new ElfError('malformed', `this ELF is of version ${view.getUint32(20, true)}, expected 1`)
  const type = view.getUint16(16, true)
  if (type === ElfType.REL) throw new ElfError('wrong-type', 'this ELF is an object file that has not been linked (ET_REL), expected a program (ET_EXEC)')
  if (type === ElfType.CORE) throw new ElfError('wrong-type', 'this ELF is a core dump (ET_CORE), expected a program (ET_EXEC)')
  if (type !== ElfType.EXEC && type !== ElfType.DYN) throw new ElfError('wrong-type', `this ELF is of type ${type}, expected a program (ET_EXEC, 2, or ET_DYN, 3)`)
}

function checkSegment(segment: ElfSegment, index: number, fileBytes: number, memoryBytes: number): void {
  const name = `segment ${index}`
  if (segment.memoryBytes > memoryBytes)
    throw new ElfError('too-large', `this ELF claims ${size(segment.memoryBytes)} for its ${name}, but the machine has ${size(memoryBytes)} of memory`)
  if (segment.fileBytes > segment.memoryBytes)
    throw new ElfError('malformed', `this ELF's ${name} has ${segment.fileBytes} bytes in the file but only ${segment.memoryBytes} in memory`)
  if (segment.fileOffset + segment.fileBytes > fileBytes)
    throw new ElfError('truncated', `this ELF is truncated: its ${name} ends at byte ${segment.fileOffset + segment.fileBytes}, the file at byte ${fileBytes}`)
  if (segment.memoryBytes === 0) return
  if (segment.address < USER_START || segment.address + segment.memoryBytes > USER_END)
    throw new ElfError('malformed', `this ELF's ${name} would lie at ${hex(segment.address)}, outside user space (${hex(USER_START)} to ${hex(USER_END)})`)
  if (segment.fileBytes > 0 && (segment.address - segment.fileOffset) % PAGE_BYTES !== 0)
    throw new ElfError('malformed', `this ELF's ${name} has address ${hex(segment.address)} and file offset ${hex(segment.fileOffset)}, which differ within a page`)
  if ((segment.flags & SegmentFlag.W) !== 0 && (segment.flags & SegmentFlag.X) !== 0)
    throw new ElfError('writable-and-executable', `this ELF's ${name} at ${hex(segment.address)} is both writable and executable, which no page may be`)
}

/** Segments sorted by address must not overlap, share pages or together exceed memory. */
function checkLayout(segments: readonly ElfSegment[], memoryBytes: number): void {
  let total = 0
  segments.forEach((segment, index) => {
    total += segment.memoryBytes
    if (index === 0) return
    const before = segments[index - 1]
    if (before.address + before.memoryBytes > segment.address)
      throw new ElfError('overlap', `this ELF's segments at ${hex(before.address)} and ${hex(segment.address)} overlap`)
    if (pageCeil(before.address + before.memoryBytes) > pageFloor(segment.address) && before.flags !== segment.flags)
      throw new ElfError('overlap', `this ELF's segments at ${hex(before.address)} and ${hex(segment.address)} share a page but not its protection`)
  })
  if (total > memoryBytes) throw new ElfError('too-large', `this ELF claims ${size(total)} in all, but the machine has ${size(memoryBytes)} of memory`)
}
