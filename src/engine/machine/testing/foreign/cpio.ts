/**
 * Writes a cpio archive as Linux unpacks it into its first root file system: "newc" format without checksums.
 *
 * Source: Linux, Documentation/driver-api/early-userspace/buffer-format.rst.
 */
const MAGIC = '070701'
const TRAILER = 'TRAILER!!!'
const ALIGNMENT = 4

export const Mode = { DIRECTORY: 0o040755, EXECUTABLE: 0o100755, CHARACTER_DEVICE: 0o020600 } as const

export interface Entry {
  /** Without a leading slash. */
  path: string
  /** Type and permissions, as in stat. */
  mode: number
  bytes?: Uint8Array
  /** Of a device node. */
  device?: { major: number; minor: number }
}

export function writeCpio(entries: readonly Entry[]): Uint8Array {
  const pieces: Uint8Array[] = []
  let length = 0
  const put = (bytes: Uint8Array): void => {
    const padding = (ALIGNMENT - ((length + bytes.length) % ALIGNMENT)) % ALIGNMENT
    pieces.push(bytes, new Uint8Array(padding))
    length += bytes.length + padding
  }
  const all: Entry[] = [...entries, { path: TRAILER, mode: 0 }]
  for (const [i, { path, mode, bytes = new Uint8Array(), device = { major: 0, minor: 0 } }] of all.entries()) {
    const name = new TextEncoder().encode(`${path}\0`)
    const numbers = [i + 1, mode, 0, 0, 1, 0, bytes.length, 0, 0, device.major, device.minor, name.length, 0]
    const header = MAGIC + numbers.map((n) => n.toString(16).padStart(8, '0')).join('')
    put(Uint8Array.from([...new TextEncoder().encode(header), ...name]))
    put(bytes)
  }
  return Buffer.concat(pieces)
}
