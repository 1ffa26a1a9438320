import { KernelError } from '../syscall/errno.ts'
import type { Node } from './node.ts'

/** Bytes, without the terminating zero. */
export const PATH_MAX = 4095
export const NAME_MAX = 255

const nameBytes = (name: string): number => new TextEncoder().encode(name).length

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

  /** The directory that holds the last name of `path`, and that name; null when the path ends in the root, `.` or `..`. */
  walk(path: string, workingDirectory: string): { parent: Node; name: string | null } {
    if (path === '') throw new KernelError('ENOENT')
    if (nameBytes(path) > PATH_MAX) throw new KernelError('ENAMETOOLONG')
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
      if (nameBytes(part) > NAME_MAX) throw new KernelError('ENAMETOOLONG')
      if (pending !== null) enter(pending)
      pending = null
      if (part === '..') {
        if (trail.length > 1) trail.pop()
      } else if (part !== '.') pending = part
    }
    return { parent: trail[trail.length - 1], name: pending }
  }
}

/** The names between the slashes. */
const split = (path: string): string[] => path.split('/').filter((part) => part !== '')
