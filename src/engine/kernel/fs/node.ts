import { KernelError } from '../syscall/errno.ts'
import type { Wait } from '../process/wait.ts'

export type NodeKind = 'file' | 'directory' | 'character' | 'fifo' | 'queue' | 'socket'

/** Kind bits of a mode, as S_IFMT has them. */
export const kindBits: Record<NodeKind, number> = {
  file: 0o100000, directory: 0o040000, character: 0o020000, fifo: 0o010000, queue: 0o010000,
  socket: 0o140000,
}

export interface NodeAttributes {
  inode: number
  kind: NodeKind
  permissions: number
  links: number
  /** Bytes. */
  size: number
  /** Virtual nanoseconds since reset. */
  modifiedNs: number
  /** Number of the file system. */
  device: number
}

/**
 * A file of any kind, as system calls see it. Each method throws KernelError; what a kind of file cannot do throws the error
 * that POSIX gives for it.
 */
export abstract class Node {
  abstract readonly kind: NodeKind
  abstract attributes(): NodeAttributes

  /** At most `length` bytes from `offset`; empty at the end. */
  read(_offset: number, _length: number): Uint8Array | Wait {
    throw new KernelError('EINVAL')
  }

  /** Returns how many bytes were taken: at least one, or it throws. */
  write(_offset: number, _bytes: Uint8Array, _nowNs: number): number | Wait {
    throw new KernelError('EINVAL')
  }

  truncate(_size: number, _nowNs: number): void {
    throw new KernelError('EINVAL')
  }

  /** The entry of that name, or null. */
  lookup(_name: string): Node | null {
    throw new KernelError('ENOTDIR')
  }

  /** Makes an empty regular file. */
  createFile(_name: string, _permissions: number, _nowNs: number): Node {
    throw new KernelError('ENOTDIR')
  }

  /** Takes a name out: a file, or with `directory` an empty directory. */
  remove(_name: string, _directory: boolean, _nowNs: number): void {
    throw new KernelError('ENOTDIR')
  }

  /** Makes an empty directory. */
  createDirectory(_name: string, _permissions: number, _nowNs: number): Node {
    throw new KernelError('ENOTDIR')
  }

  /** Gives a node a name here, in place of what had it; the caller has checked that it may. */
  attach(_name: string, _node: Node, _nowNs: number): void {
    throw new KernelError('ENOTDIR')
  }

  /** Takes a name out without touching what it named. */
  detach(_name: string, _nowNs: number): void {
    throw new KernelError('ENOTDIR')
  }

  /** Names in this directory with what they name, in a fixed order. */
  list(): readonly (readonly [string, Node])[] {
    throw new KernelError('ENOTDIR')
  }

  /** An open file description on this node was made, or the last descriptor of one was closed. */
  opened(_flags: number): void {}
  closed(_flags: number): void {}

  /** Positions mean something. */
  get seekable(): boolean {
    return this.kind === 'file'
  }
}
