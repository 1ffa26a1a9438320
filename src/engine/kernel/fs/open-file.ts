import { KernelError } from '../syscall/errno.ts'
import type { Node } from './node.ts'

/** Flags of SYS_OPEN, Linux's. */
export const OpenFlag = {
  ACCMODE: 3, RDONLY: 0, WRONLY: 1, RDWR: 2, CREAT: 0o100, EXCL: 0o200, TRUNC: 0o1000, APPEND: 0o2000,
  NONBLOCK: 0o4000, DIRECTORY: 0o200000, CLOEXEC: 0o2000000,
} as const

export const DESCRIPTORS_MAX = 256
export const OPEN_FILES_MAX = 1024

/** An open file description: what descriptors of one or several processes share. */
export class OpenFile {
  readonly node: Node
  flags: number
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

  /** Throws ENFILE when no more can be opened. */
  requireRoom(): void {
    if (this.count >= OPEN_FILES_MAX) throw new KernelError('ENFILE')
  }

  /** Throws ENFILE. */
  open(node: Node, flags: number): OpenFile {
    this.requireRoom()
    this.count++
    node.opened(flags)
    return new OpenFile(node, flags)
  }

  release(file: OpenFile): void {
    if (--file.references > 0) return
    this.count--
    file.node.closed(file.flags)
  }
}

/** One process's descriptors: small numbers for open files. */
export class Descriptors {
  private readonly slots: (OpenFile | null)[] = []
  /** Descriptors that EXEC closes. */
  private readonly closeOnExec = new Set<number>()
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

  /** Throws EMFILE or ENFILE when `open` would: for who makes what is then to be opened. */
  requireRoom(): void {
    this.lowestFree()
    this.table.requireRoom()
  }

  /** Puts the node on the lowest free descriptor. Throws EMFILE, ENFILE. */
  open(node: Node, flags: number): number {
    const fd = this.lowestFree()
    this.slots[fd] = this.table.open(node, flags)
    this.setCloseOnExec(fd, (flags & OpenFlag.CLOEXEC) !== 0)
    return fd
  }

  /** A further descriptor for an open file. Throws EMFILE. */
  share(file: OpenFile): number {
    const fd = this.lowestFree()
    file.references++
    this.slots[fd] = file
    return fd
  }

  /** A further descriptor, the lowest free one from `first` on. Throws EMFILE, EINVAL. */
  shareFrom(first: number, file: OpenFile): number {
    if (first < 0 || first >= DESCRIPTORS_MAX) throw new KernelError('EINVAL')
    let fd = first
    while (fd < this.slots.length && this.slots[fd] !== null) fd++
    if (fd >= DESCRIPTORS_MAX) throw new KernelError('EMFILE')
    return this.replace(fd, file)
  }

  /** Makes `target` a further descriptor of an open file and closes what it was before. Throws EBADF. */
  replace(target: number, file: OpenFile): number {
    if (target < 0 || target >= DESCRIPTORS_MAX) throw new KernelError('EBADF')
    file.references++
    if (target < this.slots.length && this.slots[target] !== null) this.close(target)
    while (this.slots.length < target) this.slots.push(null)
    this.slots[target] = file
    return target
  }

  isCloseOnExec(fd: number): boolean {
    return this.closeOnExec.has(fd)
  }
  setCloseOnExec(fd: number, closes: boolean): void {
    if (closes) this.closeOnExec.add(fd)
    else this.closeOnExec.delete(fd)
  }

  /** What a program that replaces this one does not get. */
  closeForExec(): void {
    for (const fd of [...this.closeOnExec]) this.close(fd)
  }

  /** A child's: the same open files under the same numbers. */
  clone(): Descriptors {
    const copy = new Descriptors(this.table)
    for (const file of this.slots) {
      if (file !== null) file.references++
      copy.slots.push(file)
    }
    for (const fd of this.closeOnExec) copy.closeOnExec.add(fd)
    return copy
  }

  /** Throws EMFILE when every descriptor is taken. */
  private lowestFree(): number {
    const hole = this.slots.indexOf(null)
    const fd = hole === -1 ? this.slots.length : hole
    if (fd >= DESCRIPTORS_MAX) throw new KernelError('EMFILE')
    return fd
  }

  close(fd: number): void {
    const file = this.get(fd)
    this.slots[fd] = null
    this.closeOnExec.delete(fd)
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
