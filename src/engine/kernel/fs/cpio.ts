/**
 * The "new ASCII" cpio format (cpio(5), magic 070701): how the files of a machine reach the kernel, as one Multiboot module.
 * A header of 110 characters, the name with a zero, the data; name and data are padded to 4 bytes. Ends with TRAILER!!!.
 */
const HEADER_CHARACTERS = 110
const TRAILER = 'TRAILER!!!'
const MODE_TYPE = 0o170000
const MODE_DIRECTORY = 0o040000
const MODE_FILE = 0o100000

export interface CpioEntry {
  /** Without a leading slash. */
  path: string
  kind: 'file' | 'directory'
  permissions: number
  data: Uint8Array
}

/** What was expected and what was found, and at which byte. */
export class CpioError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'CpioError'
  }
}

const align = (offset: number): number => (offset + 3) & ~3

/** Reads an archive; entries that are neither file nor directory are left out. Throws CpioError. */
export function readCpio(bytes: Uint8Array): CpioEntry[] {
  const entries: CpioEntry[] = []
  const decoder = new TextDecoder()
  for (let offset = 0; ; ) {
    if (offset + HEADER_CHARACTERS > bytes.length)
      throw new CpioError(`cpio archive is truncated: header at byte ${offset}, archive of ${bytes.length} bytes`)
    const header = decoder.decode(bytes.subarray(offset, offset + HEADER_CHARACTERS))
    if (!/^07070[12][0-9a-fA-F]{104}$/.test(header))
      throw new CpioError(`cpio archive has no header at byte ${offset}: expected 070701 and 104 hexadecimal digits`)
    const field = (index: number): number => parseInt(header.slice(6 + index * 8, 14 + index * 8), 16)
    const mode = field(1)
    const fileBytes = field(6)
    const nameBytes = field(11)
    const nameStart = offset + HEADER_CHARACTERS
    const dataStart = align(nameStart + nameBytes)
    const dataEnd = dataStart + fileBytes
    if (nameBytes === 0 || dataEnd > bytes.length)
      throw new CpioError(`cpio archive is truncated: entry at byte ${offset} ends at byte ${dataEnd}, archive of ${bytes.length} bytes`)
    const path = decoder.decode(bytes.subarray(nameStart, nameStart + nameBytes - 1))
    if (path === TRAILER) return entries
    const type = mode & MODE_TYPE
    if (type === MODE_FILE || type === MODE_DIRECTORY) {
      const kind = type === MODE_FILE ? 'file' : 'directory'
      entries.push({ path, kind, permissions: mode & 0o7777, data: bytes.subarray(dataStart, dataEnd) })
    }
    offset = align(dataEnd)
  }
}

/** Writes an archive. Directories must come before what they hold. */
export function writeCpio(entries: readonly CpioEntry[]): Uint8Array {
  const encoder = new TextEncoder()
  const records = [...entries, { path: TRAILER, kind: 'file' as const, permissions: 0, data: new Uint8Array(0) }].map((entry, index) => {
    const name = encoder.encode(`${entry.path}\0`)
    const mode = entry.permissions | (entry.kind === 'file' ? MODE_FILE : MODE_DIRECTORY)
    const fields = [index + 1, mode, 0, 0, 1, 0, entry.data.length, 0, 0, 0, 0, name.length, 0]
    const header = encoder.encode(`070701${fields.map((value) => value.toString(16).padStart(8, '0')).join('')}`)
    return { header, name, data: entry.data, dataStart: align(HEADER_CHARACTERS + name.length) }
  })
  const bytes = new Uint8Array(records.reduce((sum, record) => sum + align(record.dataStart + record.data.length), 0))
  let offset = 0
  for (const record of records) {
    bytes.set(record.header, offset)
    bytes.set(record.name, offset + HEADER_CHARACTERS)
    bytes.set(record.data, offset + record.dataStart)
    offset += align(record.dataStart + record.data.length)
  }
  return bytes
}
