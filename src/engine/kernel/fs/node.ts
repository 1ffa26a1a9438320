import { KernelError } from '../syscall/errno.ts'
import type { Wait } from '../process/wait.ts'

export type NodeKind = 'file' | 'directory' | 'character'

/** Kind bits of a mode, as S_IFMT has them. */
export const kindBits: Record<NodeKind, number> = { file: 0o100000, directory: 0o040000, character: 0o020000 }

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

  /** Positions mean something. */
  get seekable(): boolean {
    return this.kind === 'file'
  }
}
