import { copyCost } from '../../costs.ts'
import type { Node, NodeKind } from '../../fs/node.ts'
import { OpenFlag } from '../../fs/open-file.ts'
import type { OpenFile } from '../../fs/open-file.ts'
import { Wait } from '../../process/wait.ts'
import { seek, writeNode } from '../../syscall/calls.ts'
import { KernelError } from '../../syscall/errno.ts'
import { WasmExit } from '../instance.ts'
import type { WasiContext } from './context.ts'
import { WasiErrno } from './errno.ts'
import type { GuestView } from './view.ts'

/** WASI preview 1's functions on open descriptors. Structures and numbers are those of its witx description. */

/** Bytes of one read or write, and vectors it may name. */
const TRANSFER_BYTES_MAX = 65_536
const VECTORS_MAX = 1024
const VECTOR_BYTES = 8
const Right = { FD_READ: 1n << 1n, FD_SEEK: 1n << 2n, FD_TELL: 1n << 5n, FD_WRITE: 1n << 6n } as const
const ALL_RIGHTS = (1n << 29n) - 1n
const FdFlag = { APPEND: 1, NONBLOCK: 4 } as const
const fileTypes: Record<NodeKind, number> = { file: 4, directory: 3, character: 2, fifo: 0, queue: 0, socket: 5 }
const DIRENT_BYTES = 24

interface Vector {
  address: number
  length: number
}

/** Vectors that have bytes, cut to what one transfer moves. */
function vectors(view: GuestView, address: number, count: number): { parts: Vector[]; bytes: number } {
  if (count > VECTORS_MAX) throw new KernelError('EINVAL')
  const parts: Vector[] = []
  let bytes = 0
  for (let index = 0; index < count; index++) {
    const at = address + index * VECTOR_BYTES
    const part = { address: view.getU32(at), length: Math.min(view.getU32(at + 4), TRANSFER_BYTES_MAX - bytes) }
    view.range(part.address, part.length)
    if (part.length > 0) parts.push(part)
    bytes += part.length
  }
  return { parts, bytes }
}

export function fdRead(wasi: WasiContext, view: GuestView, fd: number, iovs: number, count: number, read: number): Wait | void {
  const { process, kernel } = wasi.call
  const file = process.descriptors.get(fd)
  if (!file.readable) throw new KernelError('EBADF')
  view.setU32(read, 0)
  const { parts, bytes: wanted } = vectors(view, iovs, count)
  const bytes = file.node.read(file.position, wanted)
  // The console may have found a Control-C on the line.
  if (process.state === 'zombie') throw new WasmExit(0)
  if (bytes instanceof Wait) return bytes
  let at = 0
  for (const { address, length } of parts) {
    view.set(address, bytes.subarray(at, at + length))
    at += length
  }
  kernel.charge(copyCost(bytes.length))
  if (file.node.seekable) file.position += bytes.length
  view.setU32(read, bytes.length)
}

export function fdWrite(wasi: WasiContext, view: GuestView, fd: number, iovs: number, count: number, written: number): Wait | void {
  const { call } = wasi
  const file = call.process.descriptors.get(fd)
  if (!file.writable) throw new KernelError('EBADF')
  view.setU32(written, 0)
  const { parts, bytes: total } = vectors(view, iovs, count)
  if (total === 0) return
  const bytes = new Uint8Array(total)
  let at = 0
  for (const { address, length } of parts) {
    bytes.set(view.range(address, length), at)
    at += length
  }
  const done = put(wasi, file, bytes)
  if (done instanceof Wait) return done
  view.setU32(written, done)
}

/** Writes to an open file; SIGPIPE may be the end of the process, and then of the call. */
function put(wasi: WasiContext, file: OpenFile, bytes: Uint8Array): number | Wait {
  const { call } = wasi
  try {
    const done = writeNode(call, file, bytes)
    if (!(done instanceof Wait)) call.kernel.charge(copyCost(done))
    return done
  } catch (error) {
    if (call.process.state === 'zombie') throw new WasmExit(0)
    throw error
  }
}

/** WASI's whence has Linux's numbers. */
export function fdSeek(wasi: WasiContext, view: GuestView, fd: number, offset: number, whence: number, position: number): void {
  view.setU64(position, BigInt(seek(wasi.call, fd, offset, whence)))
}

export function fdTell(wasi: WasiContext, view: GuestView, fd: number, position: number): void {
  fdSeek(wasi, view, fd, 0, 1, position)
}

export function fdClose(wasi: WasiContext, fd: number): void {
  wasi.call.process.descriptors.close(fd)
  wasi.directories.delete(fd)
  if (wasi.preopen === fd) wasi.preopen = null
}

export function fdFdstatGet(wasi: WasiContext, view: GuestView, fd: number, stat: number): void {
  const file = wasi.call.process.descriptors.get(fd)
  const { node, flags } = file
  let rights = ALL_RIGHTS
  // Programs take a character device that cannot seek for a terminal.
  if (!node.seekable) rights &= ~(Right.FD_SEEK | Right.FD_TELL)
  if (!file.readable) rights &= ~Right.FD_READ
  if (!file.writable) rights &= ~Right.FD_WRITE
  view.set(stat, new Uint8Array(24))
  view.setU8(stat, fileTypes[node.kind])
  const appends = (flags & OpenFlag.APPEND) !== 0 ? FdFlag.APPEND : 0
  const returnsAtOnce = (flags & OpenFlag.NONBLOCK) !== 0 ? FdFlag.NONBLOCK : 0
  view.setU16(stat + 2, appends | returnsAtOnce)
  view.setU64(stat + 8, rights)
  view.setU64(stat + 16, ALL_RIGHTS)
}

/** O_APPEND and O_NONBLOCK. */
export function fdFdstatSetFlags(wasi: WasiContext, fd: number, flags: number): void {
  const file = wasi.call.process.descriptors.get(fd)
  file.flags &= ~(OpenFlag.APPEND | OpenFlag.NONBLOCK)
  if ((flags & FdFlag.APPEND) !== 0) file.flags |= OpenFlag.APPEND
  if ((flags & FdFlag.NONBLOCK) !== 0) file.flags |= OpenFlag.NONBLOCK
}

export function encodeFilestat(view: GuestView, address: number, node: Node): void {
  const { device, inode, kind, links, size, modifiedNs } = node.attributes()
  view.set(address, new Uint8Array(64))
  view.setU64(address, BigInt(device))
  view.setU64(address + 8, BigInt(inode))
  view.setU8(address + 16, fileTypes[kind])
  view.setU64(address + 24, BigInt(links))
  view.setU64(address + 32, BigInt(size))
  for (const offset of [40, 48, 56]) view.setU64(address + offset, BigInt(modifiedNs))
}

export function fdFilestatGet(wasi: WasiContext, view: GuestView, fd: number, stat: number): void {
  encodeFilestat(view, stat, wasi.call.process.descriptors.get(fd).node)
}

export function fdFilestatSetSize(wasi: WasiContext, fd: number, size: number): void {
  const file = wasi.call.process.descriptors.get(fd)
  if (!file.writable) throw new KernelError('EBADF')
  file.node.truncate(size, wasi.call.kernel.nowNs)
}

/** One directory is given: the root. */
export function fdPrestatGet(wasi: WasiContext, view: GuestView, fd: number, prestat: number): number | void {
  if (fd !== wasi.preopen) return WasiErrno.EBADF
  view.setU32(prestat, 0)
  view.setU32(prestat + 4, 1)
}

export function fdPrestatDirName(wasi: WasiContext, view: GuestView, fd: number, path: number, length: number): number | void {
  if (fd !== wasi.preopen) return WasiErrno.EBADF
  if (length < 1) return WasiErrno.ENAMETOOLONG
  view.setU8(path, '/'.charCodeAt(0))
}

/** Entries from `cookie` on, as many as fit; the last may be cut off, which tells the caller that there are more. */
export function fdReaddir(
  wasi: WasiContext, view: GuestView, fd: number, buffer: number, length: number, cookie: number, used: number,
): void {
  if (cookie < 0) throw new KernelError('EINVAL')
  const entries = wasi.call.process.descriptors.get(fd).node.list()
  view.range(buffer, length)
  let done = 0
  for (let index = cookie; index < entries.length && done < length; index++) {
    const [text, node] = entries[index]
    const name = new TextEncoder().encode(text)
    const entry = new Uint8Array(DIRENT_BYTES + name.length)
    const fields = new DataView(entry.buffer)
    const { inode, kind } = node.attributes()
    fields.setBigUint64(0, BigInt(index + 1), true)
    fields.setBigUint64(8, BigInt(inode), true)
    fields.setUint32(16, name.length, true)
    entry[20] = fileTypes[kind]
    entry.set(name, DIRENT_BYTES)
    const part = entry.subarray(0, length - done)
    view.set(buffer + done, part)
    done += part.length
  }
  view.setU32(used, done)
}

const OpenFlags = { CREAT: 1, DIRECTORY: 2, EXCL: 4, TRUNC: 8 } as const

/** Flags of SYS_OPEN for those of path_open. Rights say how a file is meant to be used. */
export function openFlags(oflags: number, rights: bigint, fdflags: number): number {
  const reads = (rights & Right.FD_READ) !== 0n
  const writes = (rights & Right.FD_WRITE) !== 0n
  let flags: number = writes ? (reads ? OpenFlag.RDWR : OpenFlag.WRONLY) : OpenFlag.RDONLY
  if ((oflags & OpenFlags.CREAT) !== 0) flags |= OpenFlag.CREAT
  if ((oflags & OpenFlags.EXCL) !== 0) flags |= OpenFlag.EXCL
  if ((oflags & OpenFlags.TRUNC) !== 0) flags |= OpenFlag.TRUNC
  if ((oflags & OpenFlags.DIRECTORY) !== 0) flags |= OpenFlag.DIRECTORY
  if ((fdflags & FdFlag.APPEND) !== 0) flags |= OpenFlag.APPEND
  if ((fdflags & FdFlag.NONBLOCK) !== 0) flags |= OpenFlag.NONBLOCK
  return flags
}
