import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CLANG_DIAGNOSTIC_FLAGS, parseClangDiagnostics } from './clang-diagnostics.ts'
import type { Diagnostic } from './diagnostic.ts'
import type { Abi } from './entry-point.ts'
import { ToolchainError } from './errors.ts'
import { muslIncludeFlags } from './musl.ts'
import { RESIDENT_BYTES_MAX, runProcess } from './run-process.ts'
import type { ProcessResult } from './run-process.ts'
import { SourceNames } from './source.ts'
import type { LoadedSource } from './source.ts'
import type { Compiler } from './zig.ts'

const TIME_LIMIT_MS = 30_000
const CRASH_LINES_SHOWN = 12

/**
 * How programs are compiled. Frame pointers stay, so that a backtrace needs no unwind tables. A null pointer is an address
 * like any other: what a program does with it happens, and faults, instead of being optimised away.
 */
const C_FLAGS: readonly string[] = [
  '-O2', '-g', '-gdwarf-5', '-march=x86-64', '-fno-pic', '-fno-omit-frame-pointer', '-fno-stack-protector',
  '-fno-asynchronous-unwind-tables', '-fno-delete-null-pointer-checks', '-Wall', '-Wextra', '-Wno-unused-parameter',
  '-Wno-unused-command-line-argument'
]
const ASSEMBLY_FLAGS: readonly string[] = ['-g', '-gdwarf-5', '-march=x86-64', '-Wno-unused-command-line-argument']

/** The flags that give an ABI its target and its headers. */
export function abiFlags(compiler: Compiler, abi: Abi): string[] {
  const library = compiler.libraryDirectory
  if (abi === 'posix') return ['-target', 'x86_64-unknown-linux-musl', ...(library ? muslIncludeFlags(library) : [])]
  const headers = library ? ['-nostdinc', '-isystem', join(library, 'include')] : ['-nostdlibinc']
  return ['-target', 'x86_64-unknown-none-elf', '-ffreestanding', ...headers]
}

/** Everything that decides an object file beside the source and its headers. */
export function compileFlags(compiler: Compiler, abi: Abi, language: 'c' | 'assembly', includeDirectories: readonly string[]): string[] {
  return [
    ...abiFlags(compiler, abi), ...(language === 'c' ? C_FLAGS : ASSEMBLY_FLAGS), ...includeDirectories.flatMap(folder => ['-I', folder])
  ]
}

export interface CompileRequest {
  compiler: Compiler
  source: LoadedSource
  language: 'c' | 'assembly'
  flags: readonly string[]
  /** An existing empty folder for the snapshot, the object and the list of headers. */
  work: string
  /** Only look for mistakes; no object comes out. */
  syntaxOnly?: boolean
  signal?: AbortSignal
}

export interface CompileResult {
  /** The compiler found errors. */
  failed: boolean
  /** The object file's path, undefined when there were errors or none was wanted. */
  object?: string
  diagnostics: Diagnostic[]
  /** What the compiler said about no place in particular. */
  rest: string
  /** Headers it read, absolute, without the compiler's own. */
  headers: string[]
  names: SourceNames
}

/** Compiles or assembles one source. Throws ToolchainError when the compiler did not run to its end. */
export async function compileSource(request: CompileRequest): Promise<CompileResult> {
  const { compiler, source, language, work } = request
  const extension = source.path.endsWith('.s') ? '.s' : language === 'c' ? '.c' : '.S'
  const names = new SourceNames(source, join(work, `source${extension}`))
  const object = join(work, 'object.o')
  const headerList = join(work, 'headers.d')
  await writeFile(names.snapshot, source.text)
  // The assembler looks at its input only on the way to an object.
  const mode = request.syntaxOnly && language === 'c' ? ['-fsyntax-only'] : ['-c', '-o', object]
  const [file, ...driver] = compiler.clang
  const result = await runProcess({
    file, cwd: work, timeLimitMs: TIME_LIMIT_MS, signal: request.signal,
    // A date in a program would make every build another program.
    env: { SOURCE_DATE_EPOCH: '0' },
    args: [
      ...driver, ...request.flags, ...CLANG_DIAGNOSTIC_FLAGS, ...names.prefixMapFlags(), '-iquote', names.directory,
      '-MMD', '-MV', '-MT', 'object', '-MF', headerList, ...mode,
      '-x', extension === '.s' ? 'assembler' : language === 'c' ? 'c' : 'assembler-with-cpp', names.snapshot
    ]
  })
  const { diagnostics, rest } = parseClangDiagnostics(result.stderr, path => names.shown(path), shown => names.text(shown))
  checkEnding(result, `compiling ${source.path}`, diagnostics)
  const failed = result.status !== 0
  if (failed || request.syntaxOnly) return { failed, diagnostics, rest, headers: [], names }
  const headers = readHeaderList(await readFile(headerList, 'utf8')).filter(path => !names.isSnapshot(path))
  return { failed, object, diagnostics, rest, headers, names }
}

/** Turns an ending that says nothing about the source into an error that says what happened. */
export function checkEnding(result: ProcessResult, doing: string, diagnostics: readonly Diagnostic[] = []): void {
  switch (result.ending) {
    case 'exited':
      break
    case 'aborted':
      throw new ToolchainError('aborted', `stopped while ${doing}`)
    case 'timed-out':
      throw new ToolchainError('over-limit', `${doing} took longer than ${TIME_LIMIT_MS / 1000} s and was stopped`, diagnostics)
    case 'out-of-memory':
      throw new ToolchainError('over-limit', `${doing} took more than ${RESIDENT_BYTES_MAX >> 20} MiB and was stopped`, diagnostics)
    case 'not-started':
      throw new ToolchainError('broken-tool', `the compiler could not be started: ${result.reason}`)
  }
  // Clang's driver reports a crash of its own with a status above 128 or a signal.
  if (result.status !== null && result.status < 128) return
  const trace = result.stderr.trim().split('\n').slice(-CRASH_LINES_SHOWN).join('\n')
  const how = result.signal ?? `status ${result.status}`
  throw new ToolchainError('broken-tool', `the compiler crashed (${how}) while ${doing}${trace === '' ? '' : `\n${trace}`}`, diagnostics)
}

/** Reads Clang's list of headers in NMake's form (-MV): `object: first second \`, names with odd characters in quotes. */
export function readHeaderList(text: string): string[] {
  const body = text.replace(/^object:/, '')
  return [...body.matchAll(/"([^"\n]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain).filter(name => name !== '\\')
}
