import { PAGE_BYTES, pageCeil } from '../arch/layout.ts'
import type { ConsoleMode } from '../drivers/line-discipline.ts'
import { ConsoleDevice } from '../fs/devices.ts'
import type { Node } from '../fs/node.ts'
import { kindBits } from '../fs/node.ts'
import { OpenFlag } from '../fs/open-file.ts'
import type { OpenFile } from '../fs/open-file.ts'
import { PATH_MAX } from '../fs/vfs.ts'
import { Protection } from '../memory/address-space.ts'
import { Signal } from '../process/signals.ts'
import { Channel, Wait, again } from '../process/wait.ts'
import { copyCost } from '../costs.ts'
import { DatagramSocket } from '../net/socket/datagram.ts'
import type { Call, Result } from './context.ts'
import { KernelError } from './errno.ts'
import { receive, send } from './socket-calls.ts'

/** What both doors open on: the calls themselves, in terms of numbers already taken from registers. */

/** Bytes one read or write moves before other processes have their turn. */
const PORTION_BYTES = 65536
/** Bytes of one read or write, as Linux bounds them. */
const TRANSFER_BYTES_MAX = 0x7ffff000
const FILE_POSITION_MAX = Number.MAX_SAFE_INTEGER
const PERMISSION_BITS = 0o777
const Whence = { SET: 0, CURRENT: 1, END: 2 } as const
export const PROTECTION_BITS = Protection.READ | Protection.WRITE | Protection.EXEC

const modes: readonly ConsoleMode[] = ['canonical', 'raw']

export function readPath(call: Call, address: number): string {
  return call.process.memory.copyInString(address, PATH_MAX)
}

export function resolvePath(call: Call, path: string): Node {
  return call.kernel.vfs.resolve(path, call.process.workingDirectory)
}

export function read(call: Call, fd: number, buffer: number, length: number): Result {
  const file = call.process.descriptors.get(fd)
  if (!file.readable) throw new KernelError('EBADF')
  if (file.node instanceof DatagramSocket) return receive(call, fd, buffer, length, 0)
  const done = call.state.progress
  const portion = Math.min(length, TRANSFER_BYTES_MAX) - done
  const wanted = Math.min(portion, PORTION_BYTES)
  // Before the device gives anything away: what it gave would be lost if the buffer turned out bad.
  call.process.memory.check(buffer + done, wanted, 'write')
  const bytes = file.node.read(file.position, wanted)
  // The console may have found a Control-C on the line.
  if (call.process.state === 'zombie') return 0
  if (bytes instanceof Wait) return orRefuse(file, bytes)
  call.process.memory.copyOut(buffer + done, bytes)
  call.kernel.charge(copyCost(bytes.length))
  if (!file.node.seekable) return bytes.length
  file.position += bytes.length
  call.state.progress += bytes.length
  return bytes.length === wanted && wanted < portion ? again : call.state.progress
}

export function write(call: Call, fd: number, buffer: number, length: number): Result {
  const file = call.process.descriptors.get(fd)
  if (!file.writable) throw new KernelError('EBADF')
  if (file.node instanceof DatagramSocket) return send(call, fd, buffer, length, 0, null)
  const total = Math.min(length, TRANSFER_BYTES_MAX)
  const done = call.state.progress
  if (total === 0) return 0
  const portion = Math.min(total - done, PORTION_BYTES)
  try {
    const bytes = call.process.memory.copyIn(buffer + done, portion)
    const written = writeNode(call, file, bytes)
    if (written instanceof Wait) return orRefuse(file, written)
    call.state.progress += written
    call.kernel.charge(copyCost(written))
  } catch (error) {
    if (error instanceof KernelError && call.state.progress > 0) return call.state.progress
    throw error
  }
  return call.state.progress < total ? again : total
}

/** Who does not want to wait gets EAGAIN. */
function orRefuse(file: OpenFile, wait: Wait): Wait {
  if ((file.flags & OpenFlag.NONBLOCK) !== 0 && wait.channel !== Channel.AGAIN) throw new KernelError('EAGAIN')
  return wait
}

export function writeNode(call: Call, file: OpenFile, bytes: Uint8Array): number | Wait {
  const { node } = file
  if (node.seekable && (file.flags & OpenFlag.APPEND) !== 0) file.position = node.attributes().size
  let written: number | Wait
  try {
    written = node.write(file.position, bytes, call.kernel.nowNs)
  } catch (error) {
    if (error instanceof KernelError && error.code === 'EPIPE') call.kernel.signal(call.process, Signal.SIGPIPE)
    throw error
  }
  if (!(written instanceof Wait) && node.seekable) file.position += written
  return written
}

export function open(call: Call, path: string, flags: number, mode: number): number {
  const { vfs, nowNs } = call.kernel
  if ((flags & OpenFlag.ACCMODE) === OpenFlag.ACCMODE) throw new KernelError('EINVAL')
  const creates = (flags & OpenFlag.CREAT) !== 0
  // Before anything is made: a file that cannot be opened must not appear.
  call.process.descriptors.requireRoom()
  const { parent, name } = vfs.walk(path, call.process.workingDirectory)
  let node = name === null ? parent : parent.lookup(name)
  if (node !== null && creates && (flags & OpenFlag.EXCL) !== 0) throw new KernelError('EEXIST')
  if (node === null) {
    if (!creates || name === null) throw new KernelError('ENOENT')
    if (path.endsWith('/')) throw new KernelError('EISDIR')
    node = parent.createFile(name, mode & PERMISSION_BITS, nowNs)
  }
  const writes = (flags & OpenFlag.ACCMODE) !== OpenFlag.RDONLY
  if (node.kind === 'directory' && (writes || creates)) throw new KernelError('EISDIR')
  if (node.kind !== 'directory' && ((flags & OpenFlag.DIRECTORY) !== 0 || path.endsWith('/'))) throw new KernelError('ENOTDIR')
  if (writes && (flags & OpenFlag.TRUNC) !== 0) node.truncate(0, nowNs)
  return call.process.descriptors.open(node, flags)
}

export function close(call: Call, fd: number): number {
  call.process.descriptors.close(fd)
  return 0
}

export function seek(call: Call, fd: number, offset: number, whence: number): number {
  const file = call.process.descriptors.get(fd)
  if (!file.node.seekable) throw new KernelError('ESPIPE')
  const bases: Record<number, number> = { [Whence.SET]: 0, [Whence.CURRENT]: file.position, [Whence.END]: file.node.attributes().size }
  if (!(whence in bases)) throw new KernelError('EINVAL')
  const position = bases[whence] + offset
  if (position < 0) throw new KernelError('EINVAL')
  if (position > FILE_POSITION_MAX) throw new KernelError('EOVERFLOW')
  file.position = position
  return position
}

/** `struct atoll_stat`, see `structures` in table.ts. */
export function encodeStat(node: Node): Uint8Array {
  const attributes = node.attributes()
  const bytes = new Uint8Array(40)
  const view = new DataView(bytes.buffer)
  view.setBigUint64(0, BigInt(attributes.inode), true)
  view.setBigUint64(8, BigInt(attributes.size), true)
  view.setBigUint64(16, BigInt(attributes.modifiedNs), true)
  view.setUint32(24, kindBits[attributes.kind] | attributes.permissions, true)
  view.setUint32(28, attributes.links, true)
  view.setUint32(32, attributes.device, true)
  return bytes
}

/** Maps fresh zeroed memory at `address`, or where there is room when that is 0. Returns its address. */
export function mapAnonymous(call: Call, address: number, length: number, protection: number): number {
  if (length === 0 || length > TRANSFER_BYTES_MAX || (protection & ~PROTECTION_BITS) !== 0 || address % PAGE_BYTES !== 0) {
    throw new KernelError(length > TRANSFER_BYTES_MAX ? 'ENOMEM' : 'EINVAL')
  }
  const space = call.process.memory
  const bytes = pageCeil(length)
  const start = address === 0 ? space.findFree(bytes) : address
  space.map(start, start + bytes, protection, 'anonymous')
  return start
}

/** The page-aligned range of MUNMAP and mprotect. Throws EINVAL. */
export function pageRange(address: number, length: number): { start: number; end: number } {
  if (address % PAGE_BYTES !== 0 || length === 0 || !Number.isSafeInteger(address + length)) throw new KernelError('EINVAL')
  return { start: address, end: pageCeil(address + length) }
}

export function sleepUntil(call: Call, durationNs: number): Result {
  if (call.state.deadlineNs === 0) call.state.deadlineNs = call.kernel.nowNs + durationNs
  return call.kernel.nowNs >= call.state.deadlineNs ? 0 : new Wait(Channel.TIMER, call.state.deadlineNs)
}

/** The console behind a descriptor. Throws EBADF, ENOTTY. */
export function terminal(call: Call, fd: number): ConsoleDevice {
  const { node } = call.process.descriptors.get(fd)
  if (!(node instanceof ConsoleDevice)) throw new KernelError('ENOTTY')
  return node
}

/** Sets the console's mode and returns the number of the one before. */
export function setConsoleMode(call: Call, fd: number, mode: number): number {
  const { line } = terminal(call, fd).console
  const next = mode >= 0 && mode < modes.length ? modes[mode] : null
  if (next === null) throw new KernelError('EINVAL')
  const before = modes.indexOf(line.mode)
  line.setMode(next)
  return before
}
