import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
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
