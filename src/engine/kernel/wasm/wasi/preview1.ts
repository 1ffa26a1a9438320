import { Channel, Wait } from '../../process/wait.ts'
import { KernelError } from '../../syscall/errno.ts'
import type { FunctionType } from '../binary/module.ts'
import { ValueType } from '../binary/opcodes.ts'
import { WasmExit } from '../instance.ts'
import type { HostFunction, WasmValue } from '../instance.ts'
import type { WasiContext } from './context.ts'
import {
  fdClose, fdFdstatGet, fdFdstatSetFlags, fdFilestatGet, fdFilestatSetSize, fdPrestatDirName, fdPrestatGet, fdRead, fdReaddir, fdSeek,
  fdTell, fdWrite,
} from './descriptors.ts'
import { WasiErrno, wasiErrno } from './errno.ts'
import { pathCreateDirectory, pathFilestatGet, pathOpen, pathRemove } from './paths.ts'
import { GuestView } from './view.ts'

/** WASI preview 1 at first depth, on the process's own descriptors and the kernel's files, clock and random numbers. */
export const WASI_MODULE = 'wasi_snapshot_preview1'

const Clock = { REALTIME: 0, MONOTONIC: 1, PROCESS: 2, THREAD: 3 } as const
const RANDOM_BYTES_MAX = 65_536
const SUBSCRIPTIONS_MAX = 64
const SUBSCRIPTION_BYTES = 48
const EVENT_BYTES = 32
const ABSOLUTE_TIME = 1
const EXIT_STATUS_MASK = 0xff

interface Definition {
  /** Parameters: `i` for i32, `l` for i64. All but proc_exit return an error number. */
  params: string
  /** i32 come unsigned, i64 as they are. Returns an error number, nothing for success, or what it waits for. */
  call: (wasi: WasiContext, view: GuestView, ...args: never[]) => number | void | Wait
}

const define = (params: string, call: Definition['call']): Definition => ({ params, call })
/** Part of preview 1, and not available here. */
const missing = (params: string): Definition => ({ params, call: () => WasiErrno.ENOSYS })

const asNumber = (value: bigint): number => Number(BigInt.asIntN(64, value))

function texts(view: GuestView, list: readonly string[], pointers: number, buffer: number): void {
  let at = buffer
  list.forEach((text, index) => {
    const bytes = new TextEncoder().encode(`${text}\0`)
    view.setU32(pointers + 4 * index, at)
    view.set(at, bytes)
    at += bytes.length
  })
}

function sizes(view: GuestView, list: readonly string[], count: number, bytes: number): void {
  view.setU32(count, list.length)
  view.setU32(bytes, list.reduce((sum, text) => sum + new TextEncoder().encode(text).length + 1, 0))
}

function clockTime(wasi: WasiContext, clock: number): number {
  const { kernel, process } = wasi.call
  if (clock === Clock.REALTIME || clock === Clock.MONOTONIC) return kernel.nowNs
  if (clock === Clock.PROCESS || clock === Clock.THREAD) return process.cpuNs
  throw new KernelError('EINVAL')
}

/** Sleeps until the earliest of the times asked for. Descriptors count as ready: reading and writing sleep by themselves. */
function pollOneoff(
  wasi: WasiContext, view: GuestView, subscriptions: number, events: number, count: number, stored: number,
): number | void | Wait {
  if (count === 0 || count > SUBSCRIPTIONS_MAX) return WasiErrno.EINVAL
  const { kernel } = wasi.call
  const list = Array.from({ length: count }, (_, index) => {
    const at = subscriptions + index * SUBSCRIPTION_BYTES
    const tag = view.getU8(at + 8)
    if (tag !== 0) return { user: view.getU64(at), tag, dueNs: kernel.nowNs }
    const timeout = Number(view.getU64(at + 24))
    const isAbsolute = (view.getU16(at + 40) & ABSOLUTE_TIME) !== 0
    return { user: view.getU64(at), tag, dueNs: Math.min(isAbsolute ? timeout : kernel.nowNs + timeout, Number.MAX_SAFE_INTEGER) }
  })
  view.range(events, count * EVENT_BYTES)
  // A relative time counts from the first call, not from the one that ends the sleep.
  wasi.deadlineNs ??= Math.min(...list.map(({ dueNs }) => dueNs))
  if (kernel.nowNs < wasi.deadlineNs) return new Wait(Channel.TIMER, wasi.deadlineNs)
  const earliest = Math.min(...list.map(({ dueNs }) => dueNs))
  const due = list.filter(({ dueNs }) => dueNs <= Math.max(earliest, kernel.nowNs))
  due.forEach(({ user, tag }, index) => {
    const at = events + index * EVENT_BYTES
    view.set(at, new Uint8Array(EVENT_BYTES))
    view.setU64(at, user)
    view.setU8(at + 10, tag)
  })
  view.setU32(stored, due.length)
}

function yieldOnce(wasi: WasiContext): Wait | void {
  if (wasi.hasYielded) return
  wasi.hasYielded = true
  return new Wait(Channel.AGAIN, 0)
}

function randomGet(wasi: WasiContext, view: GuestView, buffer: number, length: number): number | void {
  if (length > RANDOM_BYTES_MAX) return WasiErrno.EINVAL
  view.range(buffer, length)
  wasi.call.kernel.charge(length)
  view.set(buffer, wasi.call.kernel.random.bytes(length))
}

const functions: Record<string, Definition> = {
  args_get: define('ii', (wasi, view, pointers, buffer) => texts(view, wasi.args, pointers, buffer)),
  args_sizes_get: define('ii', (wasi, view, count, bytes) => sizes(view, wasi.args, count, bytes)),
  environ_get: define('ii', (wasi, view, pointers, buffer) => texts(view, wasi.environment, pointers, buffer)),
  environ_sizes_get: define('ii', (wasi, view, count, bytes) => sizes(view, wasi.environment, count, bytes)),
  clock_res_get: define('ii', (wasi, view, clock, resolution) => {
    clockTime(wasi, clock)
    view.setU64(resolution, 1n)
  }),
  clock_time_get: define('ili', (wasi, view, clock, _precision, time) => view.setU64(time, BigInt(clockTime(wasi, clock)))),
  fd_advise: define('illi', (wasi, _view, fd) => void wasi.call.process.descriptors.get(fd)),
  fd_allocate: missing('ill'),
  fd_close: define('i', (wasi, _view, fd) => fdClose(wasi, fd)),
  fd_datasync: define('i', (wasi, _view, fd) => void wasi.call.process.descriptors.get(fd)),
  fd_fdstat_get: define('ii', fdFdstatGet),
  fd_fdstat_set_flags: define('ii', (wasi, _view, fd, flags) => fdFdstatSetFlags(wasi, fd, flags)),
  fd_fdstat_set_rights: missing('ill'),
  fd_filestat_get: define('ii', fdFilestatGet),
  fd_filestat_set_size: define('il', (wasi, _view, fd, size) => fdFilestatSetSize(wasi, fd, asNumber(size))),
  fd_filestat_set_times: missing('illi'),
  fd_pread: missing('iiili'),
  fd_prestat_get: define('ii', fdPrestatGet),
  fd_prestat_dir_name: define('iii', fdPrestatDirName),
  fd_pwrite: missing('iiili'),
  fd_read: define('iiii', fdRead),
  fd_readdir: define('iiili', (wasi, view, fd, buffer, length, cookie, used) =>
    fdReaddir(wasi, view, fd, buffer, length, asNumber(cookie), used)),
  fd_renumber: missing('ii'),
  fd_seek: define('ilii', (wasi, view, fd, offset, whence, position) => fdSeek(wasi, view, fd, asNumber(offset), whence, position)),
  fd_sync: define('i', (wasi, _view, fd) => void wasi.call.process.descriptors.get(fd)),
  fd_tell: define('ii', fdTell),
  fd_write: define('iiii', fdWrite),
  path_create_directory: define('iii', pathCreateDirectory),
  path_filestat_get: define('iiiii', pathFilestatGet),
  path_filestat_set_times: missing('iiiilli'),
  path_link: missing('iiiiiii'),
  path_open: define('iiiiillii', pathOpen),
  path_readlink: missing('iiiiii'),
  path_remove_directory: define('iii', (wasi, view, fd, path, length) => pathRemove(wasi, view, fd, path, length, true)),
  path_rename: missing('iiiiii'),
  path_symlink: missing('iiiii'),
  path_unlink_file: define('iii', (wasi, view, fd, path, length) => pathRemove(wasi, view, fd, path, length, false)),
  poll_oneoff: define('iiii', pollOneoff),
  proc_raise: missing('i'),
  random_get: define('ii', randomGet),
  sched_yield: define('', (wasi) => yieldOnce(wasi)),
  sock_accept: missing('iii'),
  sock_recv: missing('iiiiii'),
  sock_send: missing('iiiii'),
  sock_shutdown: missing('ii'),
}

const types: Record<string, number> = { i: ValueType.I32, l: ValueType.I64 }

/** The type that a module must import the function with; undefined for one that there is not. */
export function wasiType(name: string): FunctionType | undefined {
  if (name === 'proc_exit') return { params: [ValueType.I32], results: [] }
  const definition = Object.hasOwn(functions, name) ? functions[name] : undefined
  return definition && { params: [...definition.params].map((letter) => types[letter]), results: [ValueType.I32] }
}

/** The function by that name, for one module. */
export function wasiFunction(wasi: WasiContext, name: string): HostFunction {
  if (name === 'proc_exit')
    return (_instance, status) => {
      throw new WasmExit(Number(status) & EXIT_STATUS_MASK)
    }
  const { call } = functions[name]
  return (instance, ...args) => {
    try {
      const values = args.map((value): WasmValue => (typeof value === 'number' ? value >>> 0 : value))
      const result = call(wasi, new GuestView(instance), ...(values as never[]))
      if (result instanceof Wait) return result
      wasi.deadlineNs = null
      wasi.hasYielded = false
      if (result === WasiErrno.ENOSYS) report(wasi, name)
      return result ?? WasiErrno.SUCCESS
    } catch (error) {
      if (error instanceof WasmExit) throw error
      return wasiErrno(error)
    }
  }
}

/** One log line for each function that is not available and each module. */
function report(wasi: WasiContext, name: string): void {
  if (wasi.reported.has(name)) return
  wasi.reported.add(name)
  const { kernel, process } = wasi.call
  kernel.log('wasm', `${process.name} (pid ${process.pid}) called ${name}, which is not available`)
}
