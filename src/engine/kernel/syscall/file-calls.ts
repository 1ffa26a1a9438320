import { Pipe } from '../fs/pipe.ts'
import { PATH_MAX } from '../fs/vfs.ts'
import type { Node } from '../fs/node.ts'
import { OpenFlag } from '../fs/open-file.ts'
import { readPath, resolvePath } from './calls.ts'
import type { Call } from './context.ts'
import { KernelError } from './errno.ts'

/** Calls about names, directories, pipes and descriptors, as both doors have them. */

const PERMISSION_BITS = 0o777
const PIPE_FLAGS = OpenFlag.CLOEXEC | OpenFlag.NONBLOCK

/** Makes a pipe and stores its two descriptors, reading end first. */
export function pipe(call: Call, descriptors: number, flags: number): number {
  if ((flags & ~PIPE_FLAGS) !== 0) throw new KernelError('EINVAL')
  const { kernel, process } = call
  process.memory.check(descriptors, 8, 'write')
  const node = new Pipe(kernel.newPipeNumber(), kernel.nowNs, (channel) => kernel.scheduler.wake(channel))
  const reading = process.descriptors.open(node, OpenFlag.RDONLY | flags)
  let writing: number
  try {
    writing = process.descriptors.open(node, OpenFlag.WRONLY | flags)
  } catch (error) {
    process.descriptors.close(reading)
    throw error
  }
  const bytes = new Uint8Array(8)
  const view = new DataView(bytes.buffer)
  view.setInt32(0, reading, true)
  view.setInt32(4, writing, true)
  process.memory.copyOut(descriptors, bytes)
  return 0
}

/** A further descriptor: the lowest free one with `target` -1, else `target`, which is closed first. */
export function duplicate(call: Call, fd: number, target: number): number {
  const { descriptors } = call.process
  const file = descriptors.get(fd)
  if (target < -1) throw new KernelError('EBADF')
  if (target === -1) return descriptors.share(file)
  return target === fd ? fd : descriptors.replace(target, file)
}

/** The directory that holds a name, and the name. Throws EINVAL where the path ends in `.`, `..` or the root. */
function place(call: Call, path: string): { parent: Node; name: string; trail: readonly Node[] } {
  const { parent, name, trail } = call.kernel.vfs.walk(path, call.process.workingDirectory)
  if (name === null) throw new KernelError('EBUSY')
  return { parent, name, trail }
}

export function unlink(call: Call, path: number, directory: boolean): number {
  const { parent, name } = place(call, readPath(call, path))
  parent.remove(name, directory, call.kernel.nowNs)
  return 0
}

export function makeDirectory(call: Call, path: number, mode: number): number {
  const { parent, name } = place(call, readPath(call, path))
  if (parent.lookup(name) !== null) throw new KernelError('EEXIST')
  parent.createDirectory(name, mode & PERMISSION_BITS, call.kernel.nowNs)
  return 0
}

export function rename(call: Call, from: number, to: number): number {
  const { nowNs } = call.kernel
  const fromPath = readPath(call, from)
  const toPath = readPath(call, to)
  const source = place(call, fromPath)
  const target = place(call, toPath)
  const node = source.parent.lookup(source.name)
  if (node === null) throw new KernelError('ENOENT')
  const existing = target.parent.lookup(target.name)
  if (existing === node) return 0
  if (target.trail.includes(node)) throw new KernelError('EINVAL')
  if (existing !== null) target.parent.remove(target.name, node.kind === 'directory', nowNs)
  source.parent.detach(source.name, nowNs)
  target.parent.attach(target.name, node, nowNs)
  return 0
}

export function changeDirectory(call: Call, address: number): number {
  const text = readPath(call, address)
  const node = resolvePath(call, text)
  if (node.kind !== 'directory') throw new KernelError('ENOTDIR')
  const path = absolute(text, call.process.workingDirectory)
  // Every relative path is walked from the root.
  if (path.length > PATH_MAX) throw new KernelError('ENAMETOOLONG')
  call.process.workingDirectory = path
  return 0
}

/** A path without `.` and `..`, from the root. */
function absolute(path: string, from: string): string {
  const parts: string[] = []
  for (const part of `${path.startsWith('/') ? '' : `${from}/`}${path}`.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return `/${parts.join('/')}`
}

/**
 * Stores the name of the next entry of an open directory, without a zero. Returns its length; 0 behind the last. Throws EINVAL when
 * it does not fit.
 */
export function readDirectory(call: Call, fd: number, buffer: number, length: number): number {
  const file = call.process.descriptors.get(fd)
  const entry = file.node.list()[file.position]
  if (entry === undefined) return 0
  const name = new TextEncoder().encode(entry[0])
  if (name.length > length) throw new KernelError('EINVAL')
  call.process.memory.copyOut(buffer, name)
  file.position++
  return name.length
}

export function currentDirectory(call: Call, buffer: number, length: number): number {
  const path = new TextEncoder().encode(`${call.process.workingDirectory}\0`)
  if (path.length > length) throw new KernelError('ERANGE')
  call.process.memory.copyOut(buffer, path)
  return path.length - 1
}

export function openQueue(call: Call, key: number): number {
  const { kernel, process } = call
  process.descriptors.requireRoom()
  return process.descriptors.open(
    kernel.queues.open(key, kernel.nowNs, (channel) => kernel.scheduler.wake(channel)),
    OpenFlag.RDWR,
  )
}
