import type { ErrnoName } from '../../syscall/errno.ts'
import { KernelError } from '../../syscall/errno.ts'

/** Error numbers of WASI preview 1 (snapshots/preview1, type errno): alphabetical, not Linux's. */
export const WasiErrno = {
  SUCCESS: 0, E2BIG: 1, EACCES: 2, EADDRINUSE: 3, EADDRNOTAVAIL: 4, EAFNOSUPPORT: 5, EAGAIN: 6, EBADF: 8, EBUSY: 10, ECHILD: 12,
  ECONNREFUSED: 14, ECONNRESET: 15, EDESTADDRREQ: 17, EEXIST: 20, EFAULT: 21, EFBIG: 22, EHOSTUNREACH: 23, EINTR: 27, EINVAL: 28, EIO: 29,
  EISCONN: 30, EISDIR: 31, ELOOP: 32, EMFILE: 33, EMSGSIZE: 35, ENAMETOOLONG: 37, ENETUNREACH: 40, ENFILE: 41, ENODEV: 43, ENOENT: 44,
  ENOEXEC: 45, ENOMEM: 48, ENOPROTOOPT: 50, ENOSPC: 51, ENOSYS: 52, ENOTCONN: 53, ENOTDIR: 54, ENOTEMPTY: 55, ENOTSOCK: 57,
  ENOTSUP: 58, ENOTTY: 59,
  EOVERFLOW: 61, EPERM: 63, EPIPE: 64, EPROTONOSUPPORT: 66, ERANGE: 68, EROFS: 69, ESPIPE: 70, ESRCH: 71, ETIMEDOUT: 73,
} as const

const numbers: Record<ErrnoName, number> = { ...WasiErrno, EOPNOTSUPP: WasiErrno.ENOTSUP }

/** The number a module gets for what a kernel function throws. Rethrows what is no KernelError. */
export function wasiErrno(error: unknown): number {
  if (!(error instanceof KernelError)) throw error
  return numbers[error.code]
}
