import type { PhysicalMemory } from '../../machine/memory.ts'
import { PAGE_BYTES } from '../arch/layout.ts'
import type { FrameAllocator } from '../memory/frames.ts'
import { KernelError } from '../syscall/errno.ts'
import type { NodeAttributes } from './node.ts'
import { Node } from './node.ts'

/** Largest regular file in bytes, holes included. */
export const FILE_BYTES_MAX = 1 << 30
const NODES_MAX = 65536
const RAMFS_DEVICE = 1

/** A file system whose pages are frames of guest memory: it fills up when it has used its share of them (ENOSPC). */
export class RamFileSystem {
  readonly root: RamDirectory
  readonly memory: PhysicalMemory
  readonly framesMax: number
  framesUsed = 0
  private readonly frames: FrameAllocator
  private nodes = 0
  private lastInode = 0

  constructor(memory: PhysicalMemory, frames: FrameAllocator, framesMax: number) {
    this.memory = memory
    this.frames = frames
    this.framesMax = framesMax
    this.root = new RamDirectory(this, this.newInode(), 0o755, 0)
  }

  newInode(): number {
    if (this.nodes >= NODES_MAX) throw new KernelError('ENOSPC')
    this.nodes++
    return ++this.lastInode
  }

  freeInode(): void {
    this.nodes--
  }

  newFrame(): number {
    if (this.framesUsed >= this.framesMax || this.frames.available <= 0) throw new KernelError('ENOSPC')
    const frame = this.frames.allocate()
    this.framesUsed++
    return frame
  }

  freeFrame(frame: number): void {
    this.frames.release(frame)
    this.framesUsed--
  }
}

export class RamDirectory extends Node {
  readonly kind = 'directory'
  /** In the order in which they were made. */
  readonly entries = new Map<string, Node>()
  private readonly system: RamFileSystem
  private readonly inode: number
  private readonly permissions: number
  private modifiedNs: number

  constructor(system: RamFileSystem, inode: number, permissions: number, nowNs: number) {
    super()
    this.system = system
    this.inode = inode
    this.permissions = permissions
    this.modifiedNs = nowNs
  }

  override attributes(): NodeAttributes {
    let links = 2
    for (const entry of this.entries.values()) if (entry.kind === 'directory') links++
    const { inode, kind, permissions, modifiedNs } = this
    return { inode, kind, permissions, links, size: this.entries.size, modifiedNs, device: RAMFS_DEVICE }
  }

  override read(): Uint8Array {
    throw new KernelError('EISDIR')
  }

  override lookup(name: string): Node | null {
    return this.entries.get(name) ?? null
  }

  override createFile(name: string, permissions: number, nowNs: number): RamFile {
    const file = new RamFile(this.system, this.system.newInode(), permissions, nowNs)
    this.add(name, file, nowNs)
    return file
  }

  override createDirectory(name: string, permissions: number, nowNs: number): RamDirectory {
    const directory = new RamDirectory(this.system, this.system.newInode(), permissions, nowNs)
    this.add(name, directory, nowNs)
    return directory
  }

  /** Throws ENOENT, EISDIR, ENOTDIR, ENOTEMPTY. */
  override remove(name: string, directory: boolean, nowNs: number): void {
    const node = this.entries.get(name)
    if (node === undefined) throw new KernelError('ENOENT')
    if (directory && node.kind !== 'directory') throw new KernelError('ENOTDIR')
    if (!directory && node.kind === 'directory') throw new KernelError('EISDIR')
    if (node.kind === 'directory' && node.list().length > 0) throw new KernelError('ENOTEMPTY')
    this.entries.delete(name)
    this.modifiedNs = nowNs
    // What hangs in here from elsewhere has no inode of ours.
    if (node instanceof RamFile) node.unlinked()
    else if (node instanceof RamDirectory) this.system.freeInode()
  }

  override attach(name: string, node: Node, nowNs: number): void {
    this.entries.set(name, node)
    this.modifiedNs = nowNs
  }

  override detach(name: string, nowNs: number): void {
    this.entries.delete(name)
    this.modifiedNs = nowNs
  }

  override list(): readonly (readonly [string, Node])[] {
    return [...this.entries]
  }

  /** Hangs a node of any file system in here. Throws EEXIST. */
  add(name: string, node: Node, nowNs: number): void {
    if (this.entries.has(name)) throw new KernelError('EEXIST')
    this.entries.set(name, node)
    this.modifiedNs = nowNs
  }
}

export class RamFile extends Node {
  readonly kind = 'file'
  /** Frames by number of the page; what is not here is a hole. */
  private readonly pages = new Map<number, number>()
  private size = 0
  private users = 0
  private isLinked = true
  private readonly system: RamFileSystem
  private readonly inode: number
  private readonly permissions: number
  private modifiedNs: number

  constructor(system: RamFileSystem, inode: number, permissions: number, nowNs: number) {
    super()
    this.system = system
    this.inode = inode
    this.permissions = permissions
    this.modifiedNs = nowNs
  }

  override attributes(): NodeAttributes {
    const { inode, kind, permissions, size, modifiedNs } = this
    return { inode, kind, permissions, links: this.isLinked ? 1 : 0, size, modifiedNs, device: RAMFS_DEVICE }
  }

  override read(offset: number, length: number): Uint8Array {
    const count = Math.max(0, Math.min(length, this.size - offset))
    const bytes = new Uint8Array(count)
    for (let done = 0; done < count; ) {
      const at = offset + done
      const part = Math.min(PAGE_BYTES - (at % PAGE_BYTES), count - done)
      const frame = this.pages.get(Math.floor(at / PAGE_BYTES))
      if (frame !== undefined) bytes.set(this.system.memory.read(frame + (at % PAGE_BYTES), part), done)
      done += part
    }
    return bytes
  }

  override write(offset: number, bytes: Uint8Array, nowNs: number): number {
    if (offset + bytes.length > FILE_BYTES_MAX) throw new KernelError('EFBIG')
    let done = 0
    while (done < bytes.length) {
      const at = offset + done
      const part = Math.min(PAGE_BYTES - (at % PAGE_BYTES), bytes.length - done)
      let frame: number
      try {
        frame = this.page(Math.floor(at / PAGE_BYTES))
      } catch (error) {
        if (error instanceof KernelError && done > 0) break
        throw error
      }
      this.system.memory.write(frame + (at % PAGE_BYTES), bytes.subarray(done, done + part))
      done += part
    }
    this.size = Math.max(this.size, offset + done)
    this.modifiedNs = nowNs
    return done
  }

  override truncate(size: number, nowNs: number): void {
    if (size < 0) throw new KernelError('EINVAL')
    if (size > FILE_BYTES_MAX) throw new KernelError('EFBIG')
    const keep = Math.ceil(size / PAGE_BYTES)
    for (const [index, frame] of this.pages) {
      if (index < keep) continue
      this.pages.delete(index)
      this.system.freeFrame(frame)
    }
    const last = this.pages.get(keep - 1)
    const used = size % PAGE_BYTES
    if (size < this.size && last !== undefined && used !== 0) this.system.memory.fill(last + used, PAGE_BYTES - used, 0)
    this.size = size
    this.modifiedNs = nowNs
  }

  override opened(): void {
    this.users++
  }
  override closed(): void {
    this.users--
    this.freeIfUnused()
  }
  /** Its name is gone; the file itself goes with the last descriptor. */
  unlinked(): void {
    this.isLinked = false
    this.freeIfUnused()
  }
  private freeIfUnused(): void {
    if (this.isLinked || this.users > 0) return
    this.truncate(0, this.modifiedNs)
    this.system.freeInode()
  }

  private page(index: number): number {
    let frame = this.pages.get(index)
    if (frame === undefined) {
      frame = this.system.newFrame()
      this.pages.set(index, frame)
    }
    return frame
  }
}
