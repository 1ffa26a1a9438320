import { KernelError } from '../syscall/errno.ts'
import type { Node } from './node.ts'

/** Bytes, without the terminating zero. */
export const PATH_MAX = 4095
export const NAME_MAX = 255

const BYTES_PER_UNIT_MAX = 3
/** Whether a name has more bytes in UTF-8 than it may. */
const isTooLong = (name: string, bytesMax: number): boolean =>
  name.length * BYTES_PER_UNIT_MAX > bytesMax && new TextEncoder().encode(name).length > bytesMax

/** The tree of names. A path is walked from the root or from a working directory given as an absolute path. */
export class Vfs {
  readonly root: Node

  constructor(root: Node) {
    this.root = root
  }

  /** The node at `path`. Throws ENOENT, ENOTDIR, ENAMETOOLONG. */
  resolve(path: string, workingDirectory: string): Node {
    const { parent, name } = this.walk(path, workingDirectory)
    if (name === null) return parent
    const node = parent.lookup(name)
    if (node === null) throw new KernelError('ENOENT')
    if (path.endsWith('/') && node.kind !== 'directory') throw new KernelError('ENOTDIR')
    return node
  }

  /**
   * The directory that holds the last name of `path`, and that name; null when the path ends in the root, `.` or `..`. `trail` has the
   * directories from the root to that one.
   */
  walk(path: string, workingDirectory: string): { parent: Node; name: string | null; trail: readonly Node[] } {
    if (path === '') throw new KernelError('ENOENT')
    if (isTooLong(path, PATH_MAX)) throw new KernelError('ENAMETOOLONG')
    const from = path.startsWith('/') ? [] : split(workingDirectory)
    const parts = [...from, ...split(path)]
    const trail: Node[] = [this.root]
    let pending: string | null = null
    const enter = (name: string): void => {
      const next = trail[trail.length - 1].lookup(name)
      if (next === null) throw new KernelError('ENOENT')
      if (next.kind !== 'directory') throw new KernelError('ENOTDIR')
      trail.push(next)
    }
    for (const part of parts) {
      if (isTooLong(part, NAME_MAX)) throw new KernelError('ENAMETOOLONG')
      if (pending !== null) enter(pending)
      pending = null
      if (part === '..') {
        if (trail.length > 1) trail.pop()
      } else if (part !== '.') pending = part
    }
    return { parent: trail[trail.length - 1], name: pending, trail }
  }
}

/** The names between the slashes. */
const split = (path: string): string[] => path.split('/').filter((part) => part !== '')
