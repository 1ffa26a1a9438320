import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { checkEnding } from './compile.ts'
import type { Diagnostic } from './diagnostic.ts'
import type { Abi } from './entry-point.ts'
import { parseLinkDiagnostics } from './link-diagnostics.ts'
import { MUSL_FILES } from './musl.ts'
import { runProcess } from './run-process.ts'
import type { SourceNames } from './source.ts'
import type { Compiler } from './zig.ts'

const TIME_LIMIT_MS = 60_000

/** Segments start on pages of their own, in memory and in the file, so that no page is both writable and executable. */
const FLAGS: readonly string[] = [
  '-m', 'elf_x86_64', '-static', '--build-id=none', '--image-base=0x400000', '-z', 'separate-code', '-z', 'norelro', '-z', 'noexecstack',
  '-z', 'max-page-size=4096', '--error-limit=100', '--color-diagnostics=never'
]

/** What goes into a program beside the user's objects. */
export type Runtime =
  /** `start` is linked first when `_start` is a C function; `memory` only as far as it is used. */
  | { abi: 'atoll'; start?: string; memory: string }
  | { abi: 'posix'; musl: string }

/** The linker's arguments without the objects; they are part of what decides the output. */
export function linkFlags(abi: Abi): readonly string[] {
  return abi === 'atoll' ? FLAGS : [...FLAGS, '--gc-sections']
}

export interface LinkResult {
  elf?: Uint8Array
  diagnostics: Diagnostic[]
  message: string
}

/** Links objects into an executable. Throws ToolchainError when the linker did not run to its end. */
export async function linkObjects(
  compiler: Compiler, objects: readonly string[], runtime: Runtime, names: readonly SourceNames[], work: string, signal?: AbortSignal
): Promise<LinkResult> {
  const output = join(work, 'program.elf')
  const inputs = runtime.abi === 'posix' ? posixInputs(objects, runtime.musl) : atollInputs(objects, runtime.start, runtime.memory)
  const [file, ...driver] = compiler.lld
  const result = await runProcess({
    file, args: [...driver, ...linkFlags(runtime.abi), '-o', output, ...inputs], cwd: work, timeLimitMs: TIME_LIMIT_MS, signal
  })
  checkEnding(result, 'linking')
  const textOf = (path: string): string | undefined => {
    for (const each of names) {
      const text = each.text(path)
      if (text !== undefined) return text
    }
    return undefined
  }
  // The debug information already has the user's names, below the compilation folder `.`.
  const rename = (path: string): string | undefined => {
    const shown = path.replace(/^\.[/\\]/, '')
    return textOf(shown) === undefined ? undefined : shown
  }
  const report = parseLinkDiagnostics(result.stderr, rename, textOf)
  if (result.status === 0) return { ...report, elf: new Uint8Array(await readFile(output)) }
  const explained = report.message !== '' || report.diagnostics.length > 0
  return explained ? report : { ...report, message: `the linker failed: ${result.stderr.trim()}` }
}

function atollInputs(objects: readonly string[], start: string | undefined, memory: string): string[] {
  const entry = start === undefined ? ['--entry', '_start', ...objects] : ['--entry', 'atoll_start', start, ...objects]
  return [...entry, '--start-lib', memory, '--end-lib']
}

function posixInputs(objects: readonly string[], musl: string): string[] {
  const [start, ...libraries] = MUSL_FILES.map(name => join(musl, name))
  return [start, ...objects, '--start-group', ...libraries, '--end-group']
}
