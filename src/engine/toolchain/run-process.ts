import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'

/** Kept of each of standard output and standard error; what comes after is dropped. */
export const OUTPUT_BYTES_MAX = 8 << 20

/**
 * Memory one process may hold, where the system tells (Linux): a few lines of macros can ask a compiler for all there is.
 * Elsewhere only the time limit holds it.
 */
export const RESIDENT_BYTES_MAX = 2 ** 30
const MEMORY_LOOK_MS = 200
const PAGE_BYTES = 4096

export interface ProcessRequest {
  /** An executable file; no shell ever looks at it or at the arguments. */
  file: string
  args: readonly string[]
  cwd: string
  /** Added to the environment of this process. */
  env?: Readonly<Record<string, string>>
  timeLimitMs: number
  /** Aborting kills the process. */
  signal?: AbortSignal
}

/** How a process ended. `status` is its exit status, null when it has none because a signal ended it. */
export interface ProcessResult {
  ending: 'exited' | 'timed-out' | 'out-of-memory' | 'aborted' | 'not-started'
  status: number | null
  /** Name of the signal that ended it, such as `SIGSEGV`. */
  signal: string | null
  stdout: string
  stderr: string
  /** Why it could not be started. */
  reason?: string
}

/** Compilers that run at once; more wait their turn. One more than the cores, so that a core is never idle. */
const RUNNING_MAX = availableParallelism() + 1
let running = 0
const waiting: (() => void)[] = []

async function takeTurn(): Promise<void> {
  if (running < RUNNING_MAX) running++
  else await new Promise<void>(resolve => waiting.push(resolve))
}

function passTurn(): void {
  const next = waiting.shift()
  if (next) next()
  else running--
}

/** Runs a process to its end and collects what it printed. Never rejects: whatever happens is in the result. */
export async function runProcess(request: ProcessRequest): Promise<ProcessResult> {
  await takeTurn()
  try {
    return await runNow(request)
  } finally {
    passTurn()
  }
}

function runNow(request: ProcessRequest): Promise<ProcessResult> {
  const unstarted = (ending: 'aborted' | 'not-started', reason?: string): ProcessResult =>
    ({ ending, status: null, signal: null, stdout: '', stderr: '', reason })
  if (request.signal?.aborted) return Promise.resolve(unstarted('aborted'))
  return new Promise(resolve => {
    const child = start(request)
    if (typeof child === 'string') return resolve(unstarted('not-started', child))
    const stdout = new Collector()
    const stderr = new Collector()
    let ending: ProcessResult['ending'] = 'exited'
    const kill = (why: 'timed-out' | 'out-of-memory' | 'aborted'): void => {
      ending = why
      child.kill('SIGKILL')
      // A child of the child may hold the pipes open; what it has to say no longer matters.
      child.stdout.destroy()
      child.stderr.destroy()
    }
    const abort = (): void => kill('aborted')
    const timer = setTimeout(() => kill('timed-out'), request.timeLimitMs)
    const watch = setInterval(() => {
      if (residentBytes(child.pid) > RESIDENT_BYTES_MAX) kill('out-of-memory')
    }, MEMORY_LOOK_MS)
    const finish = (result: ProcessResult): void => {
      clearTimeout(timer)
      clearInterval(watch)
      request.signal?.removeEventListener('abort', abort)
      resolve(result)
    }
    request.signal?.addEventListener('abort', abort)
    child.stdout.on('data', (chunk: Buffer) => stdout.add(chunk))
    child.stderr.on('data', (chunk: Buffer) => stderr.add(chunk))
    child.once('error', error => {
      if (child.pid === undefined) finish(unstarted('not-started', error.message))
    })
    child.once('close', (status, signal) => finish({ ending, status, signal, stdout: stdout.text(), stderr: stderr.text() }))
  })
}

/** The child, or the reason why there is none: an argument with a NUL byte, or too many of them. */
function start(request: ProcessRequest) {
  try {
    return spawn(request.file, request.args, {
      cwd: request.cwd,
      env: { ...process.env, ...request.env },
      stdio: ['ignore', 'pipe', 'pipe'],
      windowsHide: true,
      shell: false
    })
  } catch (error) {
    return (error as Error).message
  }
}

/** What the process holds of the machine's memory; 0 where the system does not tell. */
function residentBytes(pid: number | undefined): number {
  if (process.platform !== 'linux' || pid === undefined) return 0
  try {
    return Number(readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ')[1]) * PAGE_BYTES
  } catch {
    return 0 // It has just ended.
  }
}

/** Bytes of one stream, up to OUTPUT_BYTES_MAX. */
class Collector {
  private readonly chunks: Buffer[] = []
  private bytes = 0

  add(chunk: Buffer): void {
    const kept = chunk.subarray(0, OUTPUT_BYTES_MAX - this.bytes)
    if (kept.length === 0) return
    this.chunks.push(kept)
    this.bytes += kept.length
  }

  text(): string {
    return Buffer.concat(this.chunks).toString('utf8')
  }
}
