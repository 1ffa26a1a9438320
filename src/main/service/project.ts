import { createHash, randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { lstat, mkdir, open, readdir, rename, rm, rmdir, unlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { FileContent, FileEntry, ProjectPath, WriteResult } from '../../protocol/service.ts'
import { fileError, UserError } from './errors.ts'
import { locate } from './project-path.ts'

/** Longest text the editor opens or saves, in bytes of UTF-8. */
export const TEXT_BYTES_MAX = 2 * 1024 * 1024

/** Entries listed at most; a project is a few dozen files, and a home folder opened by mistake is not worth walking. */
export const ENTRIES_MAX = 5000

/** Folders below folders that are still listed. */
export const DEPTH_MAX = 16

const IGNORED_FOLDERS = new Set(['node_modules'])

/** Identifies a content: equal versions mean equal bytes. */
export function versionOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 32)
}

/**
 * The user's folder. Everything is atomic: a file is its old content or its new one, whatever happens in between, and a change made
 * elsewhere is never overwritten unseen. Every method throws a UserError with one sentence.
 */
export class Project {
  /** Absolute, with links resolved. */
  readonly root: string
  /** Writes to one path happen one after the other, so that comparing versions and replacing the file are one step. */
  readonly #writes = new Map<string, Promise<unknown>>()

  constructor(root: string) {
    this.root = root
  }

  get name(): string {
    return basename(this.root)
  }

  /** Files and folders, parents before children, each folder sorted by name. Links and names that start with a dot are left out. */
  async list(): Promise<FileEntry[]> {
    const entries: FileEntry[] = []
    const walk = async (folder: string, prefix: string, depth: number): Promise<void> => {
      const found = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
        if (depth > 0) return []
        throw fileError('list', this.root, error)
      })
      for (const entry of found.sort((a, b) => (a.name < b.name ? -1 : 1))) {
        if (entries.length >= ENTRIES_MAX) return
        if (entry.name.startsWith('.')) continue
        const path = prefix + entry.name
        if (entry.isDirectory()) {
          if (IGNORED_FOLDERS.has(entry.name)) continue
          entries.push({ path, kind: 'directory', size: 0 })
          if (depth < DEPTH_MAX) await walk(join(folder, entry.name), `${path}/`, depth + 1)
        } else if (entry.isFile()) {
          const info = await lstat(join(folder, entry.name)).catch(() => undefined)
          if (info) entries.push({ path, kind: 'file', size: info.size })
        }
      }
    }
    await walk(this.root, '', 0)
    return entries
  }

  /** The bytes of a file of at most `bytesMax`. */
  async readBytes(path: ProjectPath, bytesMax: number): Promise<Uint8Array> {
    const file = await locate(this.root, path)
    try {
      return await readRegular(file, path, bytesMax)
    } catch (error) {
      throw fileError('read', path, error)
    }
  }

  async read(path: ProjectPath): Promise<FileContent> {
    const bytes = await this.readBytes(path, TEXT_BYTES_MAX)
    return { text: decodeText(bytes, path), version: versionOf(bytes) }
  }

  /**
   * Replaces a file. With `baseVersion`, only when the file still has that version; a file that was deleted meanwhile is made again.
   * Failures are results, not exceptions, so that an editor can keep the text and say why it is not saved.
   */
  async write(path: ProjectPath, text: string, baseVersion?: string): Promise<WriteResult> {
    const before = this.#writes.get(path) ?? Promise.resolve()
    const write = before.then(() => this.#write(path, text, baseVersion))
    const settled = write.catch(() => undefined)
    this.#writes.set(path, settled)
    try {
      return await write
    } catch (error) {
      return { ok: false, reason: 'error', message: fileError('save', path, error).message }
    } finally {
      if (this.#writes.get(path) === settled) this.#writes.delete(path)
    }
  }

  async #write(path: ProjectPath, text: string, baseVersion: string | undefined): Promise<WriteResult> {
    const file = await locate(this.root, path)
    const bytes = encodeText(text, path)
    if (baseVersion !== undefined) {
      const current = await readRegular(file, path, TEXT_BYTES_MAX).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return undefined
        throw error
      })
      if (current !== undefined && versionOf(current) !== baseVersion) {
        const version = versionOf(current)
        if (version === versionOf(bytes)) return { ok: true, version }
        return { ok: false, reason: 'changed-on-disk', current: { text: decodeText(current, path), version } }
      }
    }
    await replaceFile(file, bytes)
    return { ok: true, version: versionOf(bytes) }
  }

  /** Makes a new file, and the folders above it. */
  async create(path: ProjectPath, text: string): Promise<void> {
    const file = await locate(this.root, path)
    const bytes = encodeText(text, path)
    let handle: FileHandle | undefined
    try {
      await mkdir(dirname(file), { recursive: true })
      handle = await open(file, 'wx')
      await handle.writeFile(bytes)
    } catch (error) {
      if (handle !== undefined) await unlink(file).catch(() => undefined)
      throw fileError('create', path, error)
    } finally {
      await handle?.close()
    }
  }

  /** Moves a file or folder; never onto something that exists. */
  async rename(from: ProjectPath, to: ProjectPath): Promise<void> {
    const source = await locate(this.root, from)
    const target = await locate(this.root, to)
    if (to.startsWith(`${from}/`)) throw new UserError(`cannot rename ${from}: ${to} is inside it`)
    try {
      const info = await lstat(source)
      const occupant = await lstat(target).catch(() => undefined)
      // The same file under another name: a change of case where the file system ignores case.
      const isItself =
        occupant !== undefined && occupant.ino === info.ino && occupant.dev === info.dev && from.toLowerCase() === to.toLowerCase()
      if (occupant !== undefined && !isItself) throw new UserError(`cannot rename ${from}: ${to} already exists`)
      await mkdir(dirname(target), { recursive: true })
      await rename(source, target)
    } catch (error) {
      throw fileError('rename', from, error)
    }
  }

  /** Deletes a file, or a folder that is empty. */
  async delete(path: ProjectPath): Promise<void> {
    const file = await locate(this.root, path)
    try {
      if ((await lstat(file)).isDirectory()) await rmdir(file)
      else await unlink(file)
    } catch (error) {
      throw fileError('delete', path, error)
    }
  }
}

function encodeText(text: string, path: string): Uint8Array {
  const bytes = new TextEncoder().encode(text)
  if (bytes.byteLength > TEXT_BYTES_MAX)
    throw new UserError(`cannot save ${path}: ${describeSize(bytes.byteLength)}, at most ${describeSize(TEXT_BYTES_MAX)} are kept as text`)
  return bytes
}

function decodeText(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new UserError(`cannot open ${path} as text: it is not UTF-8`)
  }
}

export function describeSize(bytes: number): string {
  if (bytes < 1024) return `${bytes} bytes`
  if (bytes < 1024 * 1024) return `${(bytes / 1024).toFixed(1)} KiB`
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`
}

/** Reads a regular file without following a link in its last part, and without waiting for a pipe. */
async function readRegular(file: string, path: string, bytesMax: number): Promise<Uint8Array> {
  const handle = await open(file, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0))
  try {
    const info = await handle.stat()
    if (info.isDirectory()) throw new UserError(`cannot read ${path}: it is a folder`)
    if (!info.isFile()) throw new UserError(`cannot read ${path}: it is no regular file`)
    if (info.size > bytesMax)
      throw new UserError(`cannot read ${path}: it has ${describeSize(info.size)}, at most ${describeSize(bytesMax)} are read`)
    return new Uint8Array(await handle.readFile())
  } finally {
    await handle.close()
  }
}

/** Writes beside the file, then renames over it; keeps the file's permissions. */
async function replaceFile(file: string, bytes: Uint8Array): Promise<void> {
  const info = await lstat(file).catch(() => undefined)
  if (info?.isDirectory()) throw new UserError(`cannot save ${basename(file)}: it is a folder`)
  await mkdir(dirname(file), { recursive: true })
  const fresh = join(dirname(file), `.atoll-${randomBytes(6).toString('hex')}`)
  try {
    const handle = await open(fresh, 'wx')
    try {
      if (info?.isFile()) await handle.chmod(info.mode & 0o777)
      await handle.writeFile(bytes)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(fresh, file)
  } catch (error) {
    await rm(fresh, { force: true })
    throw error
  }
}
