import { createHash, randomUUID } from 'node:crypto'
import { mkdir, readFile, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Entry file: magic and version, SHA-256 of what follows, length of the JSON, JSON, bytes. */
const MAGIC = 'AtollCache1\n'
const DIGEST_BYTES = 32
const HEADER_BYTES = MAGIC.length + DIGEST_BYTES + 4
/** After a clean-up the cache is this much of its limit, so that the next write does not clean up again. */
const KEEP_RATIO = 0.75
/** A temporary file of a process that died is swept after this long. */
const TEMPORARY_AGE_MS_MAX = 60 * 60 * 1000

export interface CacheEntry {
  /** Plain data. */
  meta: unknown
  bytes: Uint8Array
}

/**
 * A folder of build outputs by key. Entries are written whole and renamed into place, checked when read, and thrown away
 * oldest-used first when together they are larger than the limit. A cache never fails a build: what cannot be read is not
 * there, what cannot be written is not kept.
 */
export class OutputCache {
  private readonly folder: string
  private readonly bytesMax: number
  /** Bytes in the folder as far as this process knows; undefined before the first count. */
  private bytesKnown: number | undefined

  constructor(folder: string, bytesMax = 256 << 20) {
    this.folder = folder
    this.bytesMax = bytesMax
  }

  /** The entry, or undefined when there is none or it is damaged; a damaged one is removed. */
  async read(key: string): Promise<CacheEntry | undefined> {
    const path = this.path(key)
    let file: Buffer
    try {
      file = await readFile(path)
    } catch {
      return undefined
    }
    const entry = decode(file)
    if (!entry) {
      await rm(path, { force: true }).catch(() => {})
      return undefined
    }
    const now = new Date()
    await utimes(path, now, now).catch(() => {}) // Only the order of eviction suffers.
    return entry
  }

  async write(key: string, entry: CacheEntry): Promise<void> {
    const file = encode(entry)
    if (file.length > this.bytesMax) return
    const temporary = join(this.folder, `${randomUUID()}.tmp`)
    try {
      await mkdir(this.folder, { recursive: true })
      await writeFile(temporary, file)
      await rename(temporary, this.path(key))
      this.bytesKnown = this.bytesKnown === undefined ? await this.clean() : this.bytesKnown + file.length
      if (this.bytesKnown > this.bytesMax) this.bytesKnown = await this.clean()
    } catch {
      // A full disk or a read-only folder: the build has its output, only the next one cannot reuse it.
      await rm(temporary, { force: true }).catch(() => {})
    }
  }

  private path(key: string): string {
    return join(this.folder, `${key}.bin`)
  }

  /** Removes the entries used longest ago until the rest fits. Returns the bytes left. */
  private async clean(): Promise<number> {
    const files: { path: string; bytes: number; usedMs: number }[] = []
    let total = 0
    for (const name of await readdir(this.folder)) {
      const path = join(this.folder, name)
      const stats = await stat(path).catch(() => undefined) // Another process may have removed it.
      if (!stats?.isFile()) continue
      if (name.endsWith('.tmp')) {
        if (Date.now() - stats.mtimeMs > TEMPORARY_AGE_MS_MAX) await rm(path, { force: true })
        continue
      }
      files.push({ path, bytes: stats.size, usedMs: stats.mtimeMs })
      total += stats.size
    }
    if (total <= this.bytesMax) return total
    files.sort((a, b) => a.usedMs - b.usedMs)
    for (const file of files) {
      if (total <= this.bytesMax * KEEP_RATIO) break
      await rm(file.path, { force: true })
      total -= file.bytes
    }
    return total
  }
}

/** A key of everything that decides an output; pieces are kept apart, so that ['ab', 'c'] is not ['a', 'bc']. */
export function cacheKey(...pieces: readonly (string | Uint8Array)[]): string {
  const hash = createHash('sha256')
  for (const piece of pieces) {
    const bytes = typeof piece === 'string' ? Buffer.from(piece) : piece
    hash.update(`${bytes.length}:`).update(bytes)
  }
  return hash.digest('hex')
}

function encode({ meta, bytes }: CacheEntry): Buffer {
  const json = Buffer.from(JSON.stringify(meta))
  const length = Buffer.alloc(4)
  length.writeUInt32LE(json.length)
  const digest = createHash('sha256').update(length).update(json).update(bytes).digest()
  return Buffer.concat([Buffer.from(MAGIC), digest, length, json, bytes])
}

function decode(file: Buffer): CacheEntry | undefined {
  if (file.length < HEADER_BYTES || file.toString('latin1', 0, MAGIC.length) !== MAGIC) return undefined
  const body = file.subarray(MAGIC.length + DIGEST_BYTES)
  const digest = createHash('sha256').update(body).digest()
  if (!digest.equals(file.subarray(MAGIC.length, MAGIC.length + DIGEST_BYTES))) return undefined
  const jsonEnd = 4 + body.readUInt32LE(0)
  return { meta: JSON.parse(body.toString('utf8', 4, jsonEnd)), bytes: new Uint8Array(body.subarray(jsonEnd)) }
}
