import type { Call } from '../../syscall/context.ts'
import { KernelError } from '../../syscall/errno.ts'

/** What WASI needs to know of a module and the process it belongs to. Plain data but for `call`. */
export class WasiContext {
  readonly args: readonly string[]
  readonly environment: readonly string[]
  /** Descriptor of the root directory that the module is given, or null. */
  preopen: number | null = null
  /** Absolute paths of directories the module has opened. */
  readonly directories = new Map<number, string>()
  /** When the call under way is to end, for calls that wait for a time; null while none does. */
  deadlineNs: number | null = null
  /** The call under way has let others go first. */
  hasYielded = false
  /** Functions that are not available and were logged already. */
  readonly reported = new Set<string>()
  private current: Call | null = null

  constructor(args: readonly string[], environment: readonly string[]) {
    this.args = args
    this.environment = environment
  }

  /** The system call that the module runs in. */
  get call(): Call {
    if (this.current === null) throw new Error('a host function was called outside a system call')
    return this.current
  }
  enter(call: Call): void {
    this.current = call
  }

  /** Absolute path of a name relative to an open directory. Throws EBADF for what is not one. */
  path(directory: number, name: string): string {
    const base = directory === this.preopen ? '/' : this.directories.get(directory)
    if (base === undefined) {
      const { node } = this.call.process.descriptors.get(directory)
      throw new KernelError(node.kind === 'directory' ? 'EBADF' : 'ENOTDIR')
    }
    return `${base === '/' ? '' : base}/${name}`
  }
}
