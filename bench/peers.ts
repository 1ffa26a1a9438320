import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Longer than any peer takes for anything asked of it here. */
const TIME_LIMIT_MS = 60_000

/** The full path of a program on the PATH, or undefined. */
export function findProgram(name: string): string | undefined {
  return (process.env.PATH ?? '').split(delimiter).map(folder => join(folder, name)).find(path => existsSync(path))
}

/** Throws the Error that puts QEMU on the list of what is missing. */
export function findQemu(): string {
  const path = findProgram('qemu-system-x86_64')
  if (path === undefined) throw new Error('qemu-system-x86_64 is not installed (Debian: apt-get install qemu-system-x86)')
  return path
}

/** QEMU without acceleration and without devices but a serial port: TCG is what an emulator can be compared with. */
export function startQemu(qemu: string, image: string): ChildProcess {
  return spawn(qemu, [
    '-accel', 'tcg', '-cpu', 'max', '-m', '64', '-nodefaults', '-display', 'none', '-monitor', 'none', '-serial', 'stdio', '-no-reboot',
    '-kernel', image
  ], { stdio: ['ignore', 'pipe', 'pipe'] })
}

/** Throws the Error that puts QEMU's user mode on the list of what is missing. */
export function findQemuUser(): string {
  const path = findProgram('qemu-x86_64')
  if (path === undefined) throw new Error('qemu-x86_64 is not installed (Debian: apt-get install qemu-user)')
  return path
}

/** QEMU's translator without a machine around it: no MMU to look through, no interrupts. */
export function startQemuUser(qemu: string, path: string): ChildProcess {
  return spawn(qemu, [path], { stdio: ['ignore', 'pipe', 'pipe'] })
}

export function startHosted(path: string): ChildProcess {
  return spawn(path, { stdio: ['ignore', 'pipe', 'pipe'] })
}

/**
 * Feeds what a process prints to `onBytes`, with the time it was read, until that returns true; then ends the process.
 * Rejects when the process ends before, or takes longer than a minute.
 */
export async function watch(child: ChildProcess, onBytes: (bytes: Uint8Array, nowMs: number) => boolean): Promise<void> {
  let complaint = ''
  let timer: NodeJS.Timeout | undefined
  const closed = new Promise<void>(resolve => child.once('close', () => resolve()).once('error', () => resolve()))
  const failure = await new Promise<Error | undefined>(settle => {
    timer = setTimeout(() => settle(new Error(`${child.spawnfile} kept silent for ${TIME_LIMIT_MS / 1000} s`)), TIME_LIMIT_MS)
    child.stderr?.on('data', (bytes: Buffer) => { complaint += bytes.toString() })
    child.stdout?.on('data', (bytes: Buffer) => {
      if (onBytes(bytes, performance.now())) settle(undefined)
    })
    child.once('error', settle)
    child.once('close', status => settle(new Error(`${child.spawnfile} ended early with status ${status}: ${complaint.trim()}`)))
  })
  clearTimeout(timer)
  child.kill('SIGKILL')
  await closed
  if (failure !== undefined) throw failure
}

/** When a process has printed something, in milliseconds; it goes on running. Rejects when it ends, or is silent for a minute. */
export function firstByte(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    const silent = (): void => reject(new Error(`${child.spawnfile} kept silent for ${TIME_LIMIT_MS / 1000} s`))
    const timer = setTimeout(silent, TIME_LIMIT_MS)
    child.stdout?.once('data', () => resolve(performance.now()))
    child.once('error', reject)
    child.once('close', status => reject(new Error(`${child.spawnfile} ended early with status ${status}`)))
    const settled = (): void => clearTimeout(timer)
    child.stdout?.once('data', settled)
    child.once('close', settled)
  })
}

/**
 * What a process has in memory, with its share of what it shares with others (PSS), in bytes; where the system does not tell, NaN for
 * another process and all that is resident for this one.
 */
export function residentBytes(pid: number | undefined): number {
  try {
    const [, kibibytes] = /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')) ?? []
    if (kibibytes !== undefined) return Number(kibibytes) * 1024
  } catch {
    // Not on Linux.
  }
  return pid === process.pid ? process.memoryUsage().rss : NaN
}
