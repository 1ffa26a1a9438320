import { access, constants, rename, rm, writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { fileError } from '../main/service/errors.ts'
import { openToolchain } from '../main/service/toolchain-builder.ts'
import { ExitStatus } from './exit-status.ts'
import { printDiagnostics, say } from './report.ts'

/** Prints what the compiler says; undefined when there is nothing to run. */
export async function buildSource(files: readonly string[]): Promise<{ kind: 'elf' | 'wasm'; output: Uint8Array } | undefined> {
  const interrupt = new AbortController()
  const abort = (): void => interrupt.abort()
  process.once('SIGINT', abort)
  try {
    for (const path of files)
      await access(resolve(path), constants.R_OK).catch((error: unknown) => {
        throw fileError('read', path, error)
      })
    const sources = files.map((path) => ({ path, file: resolve(path) }))
    const built = await openToolchain().build(sources, { onProgress: progressLine(), signal: interrupt.signal })
    if (interrupt.signal.aborted) process.exit(ExitStatus.INTERRUPTED)
    printDiagnostics(built.diagnostics)
    if (!built.ok) {
      if (built.message !== undefined && !built.diagnostics.some(({ severity }) => severity === 'error')) say(built.message)
      return undefined
    }
    if (built.message !== undefined) say(built.message)
    return built
  } finally {
    process.removeListener('SIGINT', abort)
  }
}

/** One line that counts, at a terminal; elsewhere one line when it begins. */
function progressLine(): (message: string, fraction: number) => void {
  let last = ''
  return (message, fraction) => {
    const text = process.stderr.isTTY
      ? `\ratoll: ${message}: ${Math.floor(fraction * 100)} %${fraction >= 1 ? '\n' : ''}`
      : `atoll: ${message}\n`
    if (text === last) return
    last = text
    process.stderr.write(text)
  }
}

/** `atoll build`: returns the exit status. */
export async function build(files: string[], output: string): Promise<number> {
  const built = await buildSource(files)
  if (built === undefined) return ExitStatus.USAGE_OR_BUILD
  const fresh = `${output}.atoll-${process.pid}`
  try {
    await writeFile(fresh, built.output, { mode: built.kind === 'elf' ? 0o777 : 0o666 })
    await rename(fresh, output)
  } catch (error) {
    await rm(fresh, { force: true })
    throw fileError('write', output, error)
  }
  return ExitStatus.OK
}
