import type { Node } from '../../fs/node.ts'
import { OpenFlag } from '../../fs/open-file.ts'
import { PATH_MAX } from '../../fs/vfs.ts'
import { open } from '../../syscall/calls.ts'
import { KernelError } from '../../syscall/errno.ts'
import type { WasiContext } from './context.ts'
import { encodeFilestat, openFlags } from './descriptors.ts'
import type { GuestView } from './view.ts'

/** WASI preview 1's functions on names. Every path is relative to a directory that the module has open. */

const NEW_FILE_PERMISSIONS = 0o666
const NEW_DIRECTORY_PERMISSIONS = 0o777

function readPath(wasi: WasiContext, view: GuestView, directory: number, path: number, length: number): string {
  if (length > PATH_MAX) throw new KernelError('ENAMETOOLONG')
  return wasi.path(directory, view.text(path, length))
}

/** The directory that holds the last name of a path, and that name. */
function place(wasi: WasiContext, path: string): { parent: Node; name: string } {
  const { parent, name } = wasi.call.kernel.vfs.walk(path, '/')
  if (name === null) throw new KernelError('EBUSY')
  return { parent, name }
}

export function pathOpen(
  wasi: WasiContext, view: GuestView, directory: number, _lookup: number, path: number, length: number, oflags: number, rights: bigint,
  _inheriting: bigint, fdflags: number, opened: number,
): void {
  const text = readPath(wasi, view, directory, path, length)
  view.setU32(opened, 0)
  const { process } = wasi.call
  let flags = openFlags(oflags, rights, fdflags)
  // Rights on a directory are about what it holds.
  if ((flags & OpenFlag.DIRECTORY) !== 0) flags &= ~OpenFlag.ACCMODE
  const fd = open(wasi.call, text, flags, NEW_FILE_PERMISSIONS)
  if (process.descriptors.get(fd).node.kind === 'directory') wasi.directories.set(fd, text)
  view.setU32(opened, fd)
}

export function pathFilestatGet(
  wasi: WasiContext, view: GuestView, directory: number, _lookup: number, path: number, length: number, stat: number,
): void {
  encodeFilestat(view, stat, wasi.call.kernel.vfs.resolve(readPath(wasi, view, directory, path, length), '/'))
}

export function pathCreateDirectory(wasi: WasiContext, view: GuestView, directory: number, path: number, length: number): void {
  const { parent, name } = place(wasi, readPath(wasi, view, directory, path, length))
  if (parent.lookup(name) !== null) throw new KernelError('EEXIST')
  parent.createDirectory(name, NEW_DIRECTORY_PERMISSIONS, wasi.call.kernel.nowNs)
}

export function pathRemove(
  wasi: WasiContext, view: GuestView, directory: number, path: number, length: number, isDirectory: boolean,
): void {
  const { parent, name } = place(wasi, readPath(wasi, view, directory, path, length))
  parent.remove(name, isDirectory, wasi.call.kernel.nowNs)
}
