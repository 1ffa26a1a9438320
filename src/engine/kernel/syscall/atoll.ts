import {
  close, encodeStat, mapAnonymous, open, pageRange, read, readPath, resolvePath, seek, setConsoleMode, sleepUntil, write,
} from './calls.ts'
import type { Handler } from './door.ts'
import {
  changeDirectory, currentDirectory, duplicate, makeDirectory, openQueue, pipe, readDirectory, rename, unlink,
} from './file-calls.ts'
import { exec, fork, ignoreSignal, kill, setForeground, setGroup, wait } from './process-calls.ts'
import { encodeEnding } from '../process/family.ts'
import { KernelError } from './errno.ts'
import {
  accept, bind, connect, describeInterface, encodeAddress, listen, noSender, readAddress, receive, send, setOption, socket, socketAt,
} from './socket-calls.ts'
import { LOG_LENGTH_MAX } from './table.ts'
import type { SyscallName } from './table.ts'
import { USER_END } from '../arch/layout.ts'
import { wasmExec, wasmLoad, wasmUnload } from '../wasm/calls.ts'
import { wasmMain } from '../wasm/program.ts'

const WaitOption = { POLL: 1 } as const

const int32 = (value: number): Uint8Array => new Uint8Array(Int32Array.of(value).buffer)

/** The Atoll door: one handler for each call of the table. */
export const atollHandlers: Record<SyscallName, Handler> = {
  EXIT: (call, status) => {
    call.kernel.exit(call.process, status & 0xff)
    return 0
  },
  YIELD: (call) => {
    call.kernel.scheduler.preempt = true
    return 0
  },
  LOG: (call, message, length) => {
    if (length > LOG_LENGTH_MAX) throw new KernelError('EINVAL')
    const bytes = call.process.memory.copyIn(message, length)
    const { full } = call.kernel.console
    if (full !== null) return full
    const prefix = new TextEncoder().encode('[user] ')
    const line = new Uint8Array(prefix.length + bytes.length + 1)
    line.set(prefix)
    line.set(bytes, prefix.length)
    line[line.length - 1] = 0x0a
    call.kernel.console.send(line)
    return length
  },
  MMAP: mapAnonymous,
  FORK: fork,
  EXEC: exec,
  WAIT: (call, pid, status, options) => {
    if ((options & ~WaitOption.POLL) !== 0) throw new KernelError('EINVAL')
    return wait(call, pid, (options & WaitOption.POLL) !== 0, (ending) => {
      if (status !== 0) call.process.memory.copyOut(status, int32(encodeEnding(ending)))
    })
  },
  PIPE: (call, descriptors) => pipe(call, descriptors, 0),
  DUP: duplicate,
  KILL: kill,
  GETPPID: (call) => call.process.parent,
  SETGROUP: setGroup,
  FOREGROUND: setForeground,
  IGNORE: ignoreSignal,
  UNLINK: (call, path) => unlink(call, path, false),
  RMDIR: (call, path) => unlink(call, path, true),
  MKDIR: makeDirectory,
  RENAME: rename,
  READDIR: readDirectory,
  CHDIR: changeDirectory,
  GETCWD: currentDirectory,
  QUEUE: openQueue,
  READ: read,
  WRITE: write,
  OPEN: (call, path, flags, mode) => open(call, readPath(call, path), flags, mode),
  CLOSE: close,
  STAT: (call, path, stat) => {
    const node = resolvePath(call, readPath(call, path))
    call.process.memory.copyOut(stat, encodeStat(node))
    return 0
  },
  GETPID: (call) => call.process.pid,
  CLOCK: (call) => call.kernel.nowNs,
  SLEEP: (call, nanoseconds) => {
    if (nanoseconds < 0 || !Number.isSafeInteger(call.kernel.nowNs + nanoseconds)) throw new KernelError('EINVAL')
    return sleepUntil(call, nanoseconds)
  },
  MUNMAP: (call, address, length) => {
    const { start, end } = pageRange(address, length)
    if (end > USER_END) throw new KernelError('EINVAL')
    call.process.memory.unmap(start, end)
    return 0
  },
  SOCKET: socket,
  BIND: (call, fd, address) => bind(call, fd, readAddress(call, address)),
  LISTEN: listen,
  ACCEPT: accept,
  CONNECT: (call, fd, address) => connect(call, fd, readAddress(call, address)),
  SEND: (call, fd, buffer, length, flags) => send(call, fd, buffer, length, flags, null),
  RECV: (call, fd, buffer, length, flags) => receive(call, fd, buffer, length, flags, noSender),
  SENDTO: (call, fd, buffer, length, flags, address) =>
    send(call, fd, buffer, length, flags, address === 0 ? null : readAddress(call, address)),
  RECVFROM: (call, fd, buffer, length, flags, address) =>
    receive(call, fd, buffer, length, flags, (from) => {
      if (address !== 0) call.process.memory.copyOut(address, encodeAddress(from))
    }),
  SETSOCKOPT: setOption,
  SOCKNAME: (call, fd, address) => {
    call.process.memory.copyOut(address, encodeAddress(socketAt(call, fd).local))
    return 0
  },
  INTERFACE: describeInterface,
  HOSTNAME: (call, buffer, length) => {
    const name = new TextEncoder().encode(`${call.kernel.network.hostname}\0`)
    if (name.length > length) throw new KernelError('ERANGE')
    call.process.memory.copyOut(buffer, name)
    return name.length - 1
  },
  SEEK: seek,
  WASM_LOAD: (call, bytes, length, name) => wasmLoad(call.kernel.wasm, call, bytes, length, name),
  WASM_EXEC: (call, module, name, args, count, result) => wasmExec(call.kernel.wasm, call, module, name, args, count, result),
  WASM_UNLOAD: (call, module) => wasmUnload(call.kernel.wasm, call, module),
  WASM_MAIN: (call) => wasmMain(call.kernel.wasm, call),
  TTYMODE: setConsoleMode,
}
