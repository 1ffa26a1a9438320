import { FrameOffset } from '../../arch/trap-frame.ts'
import { OpenFlag } from '../../fs/open-file.ts'
import { encodeLinuxEnding } from '../../process/family.ts'
import { SIGNAL_MAX } from '../../process/signals.ts'
import type { Call, Result } from '../context.ts'
import { KernelError } from '../errno.ts'
import { duplicate } from '../file-calls.ts'
import { fork, ignoreSignal, wait } from '../process-calls.ts'

/** Linux's calls about processes and descriptors where they differ from ours. */

const CloneFlag = { SIGNAL: 0xff, VM: 0x100, VFORK: 0x4000 } as const
const WNOHANG = 1
const WUNTRACED = 2
const WCONTINUED = 8
const RUSAGE_BYTES = 144
const SIGACTION_BYTES = 32
const SIG_DFL = 0n
const SIG_IGN = 1n
const Fcntl = { DUPFD: 0, GETFD: 1, SETFD: 2, GETFL: 3, SETFL: 4, DUPFD_CLOEXEC: 1030 } as const
const FD_CLOEXEC = 1
const CHANGEABLE_FLAGS = OpenFlag.APPEND | OpenFlag.NONBLOCK

/**
 * clone(2) as fork and as posix_spawn use it: a child with memory of its own, on the stack given. That the parent would sleep until the
 * child has called exec (CLONE_VFORK) and share its memory until then is not needed by either. Threads are ENOSYS.
 */
export function clone(call: Call, flags: number, stack: number): number {
  const sharing = flags & ~CloneFlag.SIGNAL
  if (sharing !== 0 && sharing !== (CloneFlag.VM | CloneFlag.VFORK)) throw new KernelError('ENOSYS')
  const pid = fork(call)
  if (stack !== 0) call.kernel.scheduler.processes.get(pid)?.context.setNumber(FrameOffset.RSP, stack)
  return pid
}

export function wait4(call: Call, pid: number, status: number, options: number, usage: number): Result {
  if ((options & ~(WNOHANG | WUNTRACED | WCONTINUED)) !== 0) throw new KernelError('EINVAL')
  const { memory } = call.process
  // Groups of processes are waited for as any child.
  return wait(call, pid > 0 ? pid : -1, (options & WNOHANG) !== 0, (ending) => {
    if (status !== 0) memory.copyOut(status, new Uint8Array(Int32Array.of(encodeLinuxEnding(ending)).buffer))
    if (usage !== 0) memory.copyOut(usage, new Uint8Array(RUSAGE_BYTES))
  })
}

/** rt_sigaction: a signal is ignored or does what it does by default. A handler is refused with EINVAL. */
export function signalAction(call: Call, signal: number, action: number, old: number): number {
  if (signal < 1 || signal > SIGNAL_MAX) throw new KernelError('EINVAL')
  const { process } = call
  const wanted = action === 0 ? null : new DataView(process.memory.copyIn(action, SIGACTION_BYTES).buffer).getBigUint64(0, true)
  if (wanted !== null && wanted !== SIG_DFL && wanted !== SIG_IGN) throw new KernelError('EINVAL')
  if (old !== 0) {
    const encoded = new Uint8Array(SIGACTION_BYTES)
    new DataView(encoded.buffer).setBigUint64(0, process.ignored.has(signal) ? SIG_IGN : SIG_DFL, true)
    process.memory.copyOut(old, encoded)
  }
  return wanted === null ? 0 : ignoreSignal(call, signal, wanted === SIG_IGN ? 1 : 0)
}

export function fcntl(call: Call, fd: number, command: number, argument: number): number {
  const { descriptors } = call.process
  const file = descriptors.get(fd)
  switch (command) {
    case Fcntl.DUPFD:
    case Fcntl.DUPFD_CLOEXEC: {
      const copy = descriptors.shareFrom(argument, file)
      descriptors.setCloseOnExec(copy, command === Fcntl.DUPFD_CLOEXEC)
      return copy
    }
    case Fcntl.GETFD:
      return descriptors.isCloseOnExec(fd) ? FD_CLOEXEC : 0
    case Fcntl.SETFD:
      descriptors.setCloseOnExec(fd, (argument & FD_CLOEXEC) !== 0)
      return 0
    case Fcntl.GETFL:
      return file.flags & ~OpenFlag.CLOEXEC
    case Fcntl.SETFL:
      file.flags = (file.flags & ~CHANGEABLE_FLAGS) | (argument & CHANGEABLE_FLAGS)
      return 0
    default:
      throw new KernelError('EINVAL')
  }
}

export function dup3(call: Call, fd: number, target: number, flags: number): number {
  if (fd === target || (flags & ~OpenFlag.CLOEXEC) !== 0) throw new KernelError('EINVAL')
  duplicate(call, fd, target)
  call.process.descriptors.setCloseOnExec(target, (flags & OpenFlag.CLOEXEC) !== 0)
  return target
}
