import { KernelError } from '../syscall/errno.ts'
import type { Node } from './node.ts'

/** Flags of SYS_OPEN, Linux's. */
export const OpenFlag = {
  ACCMODE: 3, RDONLY: 0, WRONLY: 1, RDWR: 2, CREAT: 0o100, EXCL: 0o200, TRUNC: 0o1000, APPEND: 0o2000, DIRECTORY: 0o200000,
} as const

export const DESCRIPTORS_MAX = 256
export const OPEN_FILES_MAX = 1024

/** An open file description: what descriptors of one or several processes share. */
export class OpenFile {
  readonly node: Node
  readonly flags: number
  position = 0
  references = 1

  constructor(node: Node, flags: number) {
    this.node = node
    this.flags = flags
  }

  get readable(): boolean {
    return (this.flags & OpenFlag.ACCMODE) !== OpenFlag.WRONLY
  }
  get writable(): boolean {
    return (this.flags & OpenFlag.ACCMODE) !== OpenFlag.RDONLY
  }
}

/** Counts the open files of the whole system. */
export class OpenFileTable {
  count = 0

  /** Throws ENFILE. */
  open(node: Node, flags: number): OpenFile {
    if (this.count >= OPEN_FILES_MAX) throw new KernelError('ENFILE')
    this.count++
    return new OpenFile(node, flags)
  }

  release(file: OpenFile): void {
    if (--file.references === 0) this.count--
  }
}

/** One process's descriptors: small numbers for open files. */
export class Descriptors {
  private readonly slots: (OpenFile | null)[] = []
  private readonly table: OpenFileTable

  constructor(table: OpenFileTable) {
    this.table = table
  }

  /** Throws EBADF. */
  get(fd: number): OpenFile {
    const file = fd >= 0 && fd < this.slots.length ? this.slots[fd] : null
    if (file === null) throw new KernelError('EBADF')
    return file
  }

  /** Puts the node on the lowest free descriptor. Throws EMFILE, ENFILE. */
  open(node: Node, flags: number): number {
    const fd = this.lowestFree()
    this.slots[fd] = this.table.open(node, flags)
    return fd
  }

  /** A further descriptor for an open file. Throws EMFILE. */
  share(file: OpenFile): number {
    const fd = this.lowestFree()
    file.references++
    this.slots[fd] = file
    return fd
  }

  /** Throws EMFILE when every descriptor is taken. */
  lowestFree(): number {
    const hole = this.slots.indexOf(null)
    const fd = hole === -1 ? this.slots.length : hole
    if (fd >= DESCRIPTORS_MAX) throw new KernelError('EMFILE')
    return fd
  }

  close(fd: number): void {
    const file = this.get(fd)
    this.slots[fd] = null
    this.table.release(file)
  }

  closeAll(): void {
    this.slots.forEach((file, fd) => {
      if (file !== null) this.close(fd)
    })
  }

  /** Open descriptors, lowest first. */
  entries(): [number, OpenFile][] {
    return this.slots.flatMap((file, fd) => (file === null ? [] : [[fd, file] as [number, OpenFile]]))
  }
}
