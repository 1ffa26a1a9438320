import { PAGE_BYTES, USER_END } from '../../arch/layout.ts'
import { VERSION } from '../../debug/log.ts'
import { DESCRIPTORS_MAX } from '../../fs/open-file.ts'
import {
  PROTECTION_BITS, close, mapAnonymous, open, pageRange, read, readPath, resolvePath, seek, setConsoleMode, sleepUntil, terminal, write,
} from '../calls.ts'
import type { Call, Result } from '../context.ts'
import type { DoorEntry, Handler } from '../door.ts'
import { changeDirectory, duplicate, makeDirectory, pipe, rename, unlink } from '../file-calls.ts'
import { exec, fork, kill, setGroup } from '../process-calls.ts'
import { access, getDirectoryEntries } from './directory.ts'
import { clone, dup3, fcntl, signalAction, wait4 } from './process.ts'
import {
  getPeerName, getSocketName, getSocketOption, readSockaddr, readVector, receiveFrom, receiveMessage, sendMessage, sendTo, setSocketOption,
  writeVector,
} from './socket.ts'
import { accept, bind, connect, listen, socket } from '../socket-calls.ts'
import { KernelError } from '../errno.ts'
import type { ArgumentType } from '../table.ts'
import { SIGNAL_MAX, isIgnoredByDefault } from '../../process/signals.ts'
import {
  TERMIOS_BYTES, TermiosFlag, TermiosOffset, decodeTimespec, encodeLinuxStat, encodeTermios, encodeTimespec, encodeUtsname,
} from './structures.ts'

/**
 * The Linux door, `syscall`: what static musl programs need of Linux's x86-64 system calls, on the same functions as the
 * Atoll door. A call that is not here answers -ENOSYS and is logged by name.
 */
const AT_FDCWD = -100
const AT_EMPTY_PATH = 0x1000
const MREMAP_MAYMOVE = 1
const MapFlag = { FIXED: 0x10, ANONYMOUS: 0x20, FIXED_NOREPLACE: 0x100000 } as const
const Ioctl = { TCGETS: 0x5401, TCSETS: 0x5402, TCSETSW: 0x5403, TCSETSF: 0x5404, TIOCGWINSZ: 0x5413 } as const
const ArchPrctl = { SET_GS: 0x1001, SET_FS: 0x1002, GET_FS: 0x1003, GET_GS: 0x1004 } as const
const SignalHow = { BLOCK: 0, UNBLOCK: 1, SETMASK: 2 } as const
const SIGNAL_SET_BYTES = 8
const CONSOLE_ROWS = 24
const CONSOLE_COLUMNS = 80
const RANDOM_BYTES_MAX = 256
const AFFINITY_BYTES = 8
const RLIMIT_STACK = 3
const RLIMIT_NOFILE = 7
const NO_LIMIT = 0xffffffffffffffffn
const CLOCK_IDS = [0, 1, 2, 3, 4, 5, 6, 7]
const STACK_LIMIT_BYTES = 8n << 20n

function openAt(call: Call, directory: number, path: number, flags: number, mode: number): number {
  const text = readPath(call, path)
  if (directory !== AT_FDCWD && !text.startsWith('/')) throw new KernelError('EBADF')
  return open(call, text, flags, mode)
}

function statNode(call: Call, directory: number, path: number, stat: number, flags: number): number {
  const text = readPath(call, path)
  if (text === '' && (flags & AT_EMPTY_PATH) !== 0) return statDescriptor(call, directory, stat)
  if (directory !== AT_FDCWD && !text.startsWith('/')) throw new KernelError('EBADF')
  call.process.memory.copyOut(stat, encodeLinuxStat(resolvePath(call, text)))
  return 0
}

function statDescriptor(call: Call, fd: number, stat: number): number {
  call.process.memory.copyOut(stat, encodeLinuxStat(call.process.descriptors.get(fd).node))
  return 0
}

function mmap(call: Call, address: number, length: number, protection: number, flags: number): number {
  if ((flags & MapFlag.ANONYMOUS) === 0) throw new KernelError('ENODEV')
  const space = call.process.memory
  const isFixed = (flags & (MapFlag.FIXED | MapFlag.FIXED_NOREPLACE)) !== 0
  if (!isFixed) {
    // A hint: taken when it suits.
    const hint = address % PAGE_BYTES === 0 && address !== 0 && address + length <= USER_END
    if (!hint) return mapAnonymous(call, 0, length, protection)
    try {
      return mapAnonymous(call, address, length, protection)
    } catch (error) {
      if (error instanceof KernelError && error.code === 'EINVAL') return mapAnonymous(call, 0, length, protection)
      throw error
    }
  }
  if (address === 0) throw new KernelError('EINVAL')
  const { start, end } = pageRange(address, length)
  if (end > USER_END) throw new KernelError('ENOMEM')
  if ((flags & MapFlag.FIXED) !== 0) space.unmap(start, end)
  return mapAnonymous(call, address, length, protection)
}

function mremap(call: Call, address: number, oldLength: number, newLength: number, flags: number): number {
  const space = call.process.memory
  const old = pageRange(address, oldLength)
  const bytes = pageRange(address, newLength).end - address
  if ((flags & ~MREMAP_MAYMOVE) !== 0) throw new KernelError('EINVAL')
  const area = space.find(address)
  if (area === null || old.end > area.end) throw new KernelError('EFAULT')
  if (address + bytes <= old.end) {
    space.unmap(address + bytes, old.end)
    return address
  }
  // A stack's pages have no frames set aside, and it is as long as it may get.
  if (!area.promised) throw new KernelError('ENOMEM')
  if (space.isFree(old.end, address + bytes)) {
    space.map(old.end, address + bytes, area.protection, area.kind)
    return address
  }
  if ((flags & MREMAP_MAYMOVE) === 0) throw new KernelError('ENOMEM')
  const target = space.findFree(bytes)
  space.map(target, target + bytes, area.protection, area.kind)
  try {
    space.move(address, target, old.end - address)
  } catch (error) {
    space.unmap(target, target + bytes)
    throw error
  }
  return target
}

/** One processor: bit 0 of the mask. Returns the bytes of the mask that the kernel uses, as Linux does. */
function getAffinity(call: Call, pid: number, size: number, mask: number): number {
  if (pid !== 0 && pid !== call.process.pid) throw new KernelError('ESRCH')
  if (size < AFFINITY_BYTES) throw new KernelError('EINVAL')
  call.process.memory.copyOut(mask, Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0))
  return AFFINITY_BYTES
}

function mprotect(call: Call, address: number, length: number, protection: number): number {
  if (length === 0) return 0
  if ((protection & ~PROTECTION_BITS) !== 0) throw new KernelError('EINVAL')
  const { start, end } = pageRange(address, length)
  call.process.memory.protect(start, end, protection)
  return 0
}

function ioctl(call: Call, fd: number, request: number, argument: number): number {
  const { line } = terminal(call, fd).console
  const { memory } = call.process
  switch (request) {
    case Ioctl.TCGETS:
      memory.copyOut(argument, encodeTermios(line.mode === 'canonical'))
      return 0
    case Ioctl.TCSETS:
    case Ioctl.TCSETSW:
    case Ioctl.TCSETSF: {
      const termios = memory.copyIn(argument, TERMIOS_BYTES)
      const flags = new DataView(termios.buffer).getUint32(TermiosOffset.LFLAG, true)
      setConsoleMode(call, fd, (flags & TermiosFlag.ICANON) !== 0 ? 0 : 1)
      return 0
    }
    case Ioctl.TIOCGWINSZ: {
      const size = new Uint8Array(8)
      size[0] = CONSOLE_ROWS
      size[2] = CONSOLE_COLUMNS
      memory.copyOut(argument, size)
      return 0
    }
    default:
      throw new KernelError('ENOTTY')
  }
}

function archPrctl(call: Call, code: number, address: number): number {
  const { process, kernel } = call
  if (code === ArchPrctl.SET_FS || code === ArchPrctl.SET_GS) {
    if (address >= USER_END) throw new KernelError('EPERM')
    kernel.setSegmentBase(code === ArchPrctl.SET_FS ? 'fs' : 'gs', BigInt(address))
    return 0
  }
  if (code !== ArchPrctl.GET_FS && code !== ArchPrctl.GET_GS) throw new KernelError('EINVAL')
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, code === ArchPrctl.GET_FS ? process.fsBase : process.gsBase, true)
  process.memory.copyOut(address, bytes)
  return 0
}

function signalMask(call: Call, how: number, set: number, old: number, bytes: number): number {
  if (bytes !== SIGNAL_SET_BYTES) throw new KernelError('EINVAL')
  const { process } = call
  const before = process.signalMask
  if (set !== 0) {
    const wanted = new DataView(process.memory.copyIn(set, SIGNAL_SET_BYTES).buffer).getBigUint64(0, true)
    if (how === SignalHow.BLOCK) process.signalMask = before | wanted
    else if (how === SignalHow.UNBLOCK) process.signalMask = before & ~wanted
    else if (how === SignalHow.SETMASK) process.signalMask = wanted
    else throw new KernelError('EINVAL')
  }
  if (old !== 0) {
    const encoded = new Uint8Array(SIGNAL_SET_BYTES)
    new DataView(encoded.buffer).setBigUint64(0, before, true)
    process.memory.copyOut(old, encoded)
  }
  return 0
}

/** kill, tkill, tgkill. What a process does to itself, as abort() does, is told on the console. */
function sendSignal(call: Call, target: number, signal: number): number {
  const isOwnEnd = target === call.process.pid && signal > 0 && signal <= SIGNAL_MAX && !isIgnoredByDefault(signal)
  if (!isOwnEnd || call.process.ignored.has(signal)) return kill(call, target, signal)
  call.kernel.kill(call.process, signal, [])
  return 0
}

function getLimit(call: Call, pid: number, resource: number, update: number, old: number): number {
  if (pid !== 0 && pid !== call.process.pid) throw new KernelError('ESRCH')
  if (update !== 0) throw new KernelError('EPERM')
  if (old !== 0) {
    const limits: Record<number, bigint> = { [RLIMIT_STACK]: STACK_LIMIT_BYTES, [RLIMIT_NOFILE]: BigInt(DESCRIPTORS_MAX) }
    const bytes = new Uint8Array(16)
    const view = new DataView(bytes.buffer)
    for (const offset of [0, 8]) view.setBigUint64(offset, limits[resource] ?? NO_LIMIT, true)
    call.process.memory.copyOut(old, bytes)
  }
  return 0
}

function nanosleep(call: Call, duration: number): Result {
  const ns = decodeTimespec(call.process.memory.copyIn(duration, 16))
  if (Number.isNaN(ns)) throw new KernelError('EINVAL')
  return sleepUntil(call, ns)
}

const exit: Handler = (call, status) => {
  call.kernel.exit(call.process, status & 0xff)
  return 0
}

const entry = (types: readonly ArgumentType[], handler: Handler): DoorEntry => ({ arguments: types, handler })
const INT = 'int'
const SIZE = 'size_t'
const ADDRESS = 'void *'

export const linuxDoor: ReadonlyMap<number, DoorEntry> = new Map<number, DoorEntry>([
  [0, entry([INT, ADDRESS, SIZE], read)],
  [1, entry([INT, ADDRESS, SIZE], write)],
  [2, entry([ADDRESS, INT, INT], (call, path, flags, mode) => open(call, readPath(call, path), flags, mode))],
  [3, entry([INT], close)],
  [4, entry([ADDRESS, ADDRESS], (call, path, stat) => statNode(call, AT_FDCWD, path, stat, 0))],
  [5, entry([INT, ADDRESS], statDescriptor)],
  [6, entry([ADDRESS, ADDRESS], (call, path, stat) => statNode(call, AT_FDCWD, path, stat, 0))],
  [8, entry([INT, 'int64_t', INT], seek)],
  [9, entry([ADDRESS, SIZE, INT, INT], mmap)],
  [10, entry([ADDRESS, SIZE, INT], mprotect)],
  [11, entry([ADDRESS, SIZE], (call, address, length) => {
    const { start, end } = pageRange(address, length)
    if (end > USER_END) throw new KernelError('EINVAL')
    call.process.memory.unmap(start, end)
    return 0
  })],
  [12, entry([ADDRESS], (call, end) => call.process.memory.setHeapEnd(end))],
  [13, entry([INT, ADDRESS, ADDRESS], signalAction)],
  [14, entry([INT, ADDRESS, ADDRESS, SIZE], signalMask)],
  [16, entry([INT, 'uint32_t', ADDRESS], ioctl)],
  [19, entry([INT, ADDRESS, INT], readVector)],
  [20, entry([INT, ADDRESS, INT], writeVector)],
  [21, entry([ADDRESS, INT], access)],
  [22, entry([ADDRESS], (call, descriptors) => pipe(call, descriptors, 0))],
  [24, entry([], (call) => {
    call.kernel.scheduler.preempt = true
    return 0
  })],
  [25, entry([ADDRESS, SIZE, SIZE, INT], mremap)],
  [32, entry([INT], (call, fd) => duplicate(call, fd, -1))],
  [33, entry([INT, INT], (call, fd, target) => duplicate(call, fd, target === -1 ? -2 : target))],
  [35, entry([ADDRESS], nanosleep)],
  [39, entry([], (call) => call.process.pid)],
  [41, entry([INT, INT, INT], socket)],
  [42, entry([INT, ADDRESS, INT], (call, fd, address, length) => connect(call, fd, readSockaddr(call, address, length)))],
  [43, entry([INT, ADDRESS, ADDRESS], accept)],
  [44, entry([INT, ADDRESS, SIZE, INT, ADDRESS, INT], sendTo)],
  [45, entry([INT, ADDRESS, SIZE, INT, ADDRESS, ADDRESS], receiveFrom)],
  [46, entry([INT, ADDRESS, INT], sendMessage)],
  [47, entry([INT, ADDRESS, INT], receiveMessage)],
  [49, entry([INT, ADDRESS, INT], (call, fd, address, length) => bind(call, fd, readSockaddr(call, address, length)))],
  [50, entry([INT, INT], listen)],
  [51, entry([INT, ADDRESS, ADDRESS], getSocketName)],
  [52, entry([INT, ADDRESS, ADDRESS], getPeerName)],
  [54, entry([INT, INT, INT, ADDRESS, INT], setSocketOption)],
  [55, entry([INT, INT, INT, ADDRESS, ADDRESS], getSocketOption)],
  [56, entry([SIZE, ADDRESS], clone)],
  [57, entry([], fork)],
  [58, entry([], fork)],
  [59, entry([ADDRESS, ADDRESS, ADDRESS], exec)],
  [60, entry([INT], exit)],
  [61, entry([INT, ADDRESS, INT, ADDRESS], wait4)],
  [62, entry([INT, INT], sendSignal)],
  [63, entry([ADDRESS], (call, buffer) => {
    call.process.memory.copyOut(buffer, encodeUtsname(['Atoll', call.kernel.network.hostname, VERSION, `Atoll ${VERSION}`, 'x86_64', '']))
    return 0
  })],
  [72, entry([INT, INT, INT], fcntl)],
  [79, entry([ADDRESS, SIZE], (call, buffer, size) => {
    const path = new TextEncoder().encode(`${call.process.workingDirectory}\0`)
    if (path.length > size) throw new KernelError('ERANGE')
    call.process.memory.copyOut(buffer, path)
    return path.length
  })],
  [80, entry([ADDRESS], changeDirectory)],
  [82, entry([ADDRESS, ADDRESS], rename)],
  [83, entry([ADDRESS, INT], makeDirectory)],
  [84, entry([ADDRESS], (call, path) => unlink(call, path, true))],
  [87, entry([ADDRESS], (call, path) => unlink(call, path, false))],
  [102, entry([], () => 0)],
  [104, entry([], () => 0)],
  [107, entry([], () => 0)],
  [108, entry([], () => 0)],
  [109, entry([INT, INT], setGroup)],
  [110, entry([], (call) => call.process.parent)],
  [158, entry([INT, ADDRESS], archPrctl)],
  [186, entry([], (call) => call.process.pid)],
  [200, entry([INT, INT], sendSignal)],
  [204, entry([INT, SIZE, ADDRESS], getAffinity)],
  [217, entry([INT, ADDRESS, SIZE], getDirectoryEntries)],
  [218, entry([ADDRESS], (call) => call.process.pid)],
  [228, entry([INT, ADDRESS], (call, clock, time) => {
    if (!CLOCK_IDS.includes(clock)) throw new KernelError('EINVAL')
    call.process.memory.copyOut(time, encodeTimespec(call.kernel.nowNs))
    return 0
  })],
  [231, entry([INT], exit)],
  [234, entry([INT, INT, INT], (call, _group, thread, signal) => sendSignal(call, thread, signal))],
  [257, entry([INT, ADDRESS, INT, INT], openAt)],
  [262, entry([INT, ADDRESS, ADDRESS, INT], statNode)],
  [288, entry([INT, ADDRESS, ADDRESS, INT], accept)],
  [292, entry([INT, INT, INT], dup3)],
  [293, entry([ADDRESS, INT], pipe)],
  [302, entry([INT, INT, ADDRESS, ADDRESS], getLimit)],
  [318, entry([ADDRESS, SIZE], (call, buffer, size) => {
    const bytes = call.kernel.random.bytes(Math.min(size, RANDOM_BYTES_MAX))
    call.process.memory.copyOut(buffer, bytes)
    return bytes.length
  })],
])
