import { readFile } from 'node:fs/promises'
import { dirname, extname, join, resolve } from 'node:path'
import { assembleImage } from './boot.ts'
import { BuildCache } from './build-cache.ts'
import { OutputCache, cacheKey } from './cache.ts'
import { compileFlags, compileSource } from './compile.ts'
import type { CompileResult } from './compile.ts'
import type { Diagnostic } from './diagnostic.ts'
import { definedEntry, guessEntry } from './entry-point.ts'
import type { Abi } from './entry-point.ts'
import { ToolchainError } from './errors.ts'
import { linkFlags, linkObjects } from './link.ts'
import { Musl } from './musl.ts'
import type { Progress } from './musl.ts'
import { AtollRuntime } from './runtime.ts'
import { languageOf, loadSource } from './source.ts'
import type { LoadedSource, Source } from './source.ts'
import { assembleWat } from './wat.ts'
import { subfolder, withWorkFolder } from './work-folder.ts'
import { findCompiler } from './zig.ts'
import type { Compiler } from './zig.ts'

export interface ToolchainOptions {
  /**
   * The folder with `user/include`, `user/lib`, `assets/boot` and `node_modules`: a checkout, or a packaged app's resources,
   * where `zig/zig` and `musl/VERSION/` may stand for the packages and the first build of musl.
   */
  installation: string
  /** A folder that the toolchain may fill: outputs by content (at most 256 MiB) and musl. */
  cacheDirectory: string
  /** A zig executable that goes before any other; else the variable ATOLL_ZIG. */
  zig?: string
  /** The folders searched for an installed clang when there is no zig; the variable PATH when left out. */
  path?: string
}

export interface BuildOptions {
  /** Folders searched for headers before `user/include`; absolute. */
  includeDirectories?: readonly string[]
  /** Added to the compiler's flags, such as `-O0` or `-DNAME=VALUE`. */
  flags?: readonly string[]
  /** Called when the build has to wait for the C library, which takes most of a minute once. */
  onProgress?: Progress
  /** Aborting stops the build; its outcome then says so. */
  signal?: AbortSignal
}

interface Outcome {
  diagnostics: Diagnostic[]
  /** The output was already there. */
  cached: boolean
  /** Wall milliseconds. */
  elapsedMs: number
  /** What a tool said that is no diagnostic, in sentences for the user. */
  message?: string
}

export type Build =
  | (Outcome & { ok: true; kind: 'elf' | 'wasm'; output: Uint8Array })
  | (Outcome & { ok: false })

/** What a build comes to before the time it took is known. */
type Result =
  | { ok: true; kind: 'elf' | 'wasm'; output: Uint8Array; diagnostics: Diagnostic[]; cached: boolean; message?: string }
  | { ok: false; diagnostics: readonly Diagnostic[]; message?: string }

/** What is right in a header and would be wrong in a program. */
const HEADER_CHECK_FLAGS: readonly string[] = ['-Wno-pragma-once-outside-header', '-Wno-unused-function', '-Wno-unused-const-variable']

interface Parts {
  compiler: Compiler
  musl: Musl
  runtime: AtollRuntime
}

/** C, assembly and WAT to programs. One for an installation; any number of builds at once. */
export class Toolchain {
  private readonly options: ToolchainOptions
  private readonly cache: BuildCache
  private found: Parts | undefined

  constructor(options: ToolchainOptions) {
    this.options = { ...options, installation: resolve(options.installation) }
    this.cache = new BuildCache(new OutputCache(join(options.cacheDirectory, 'outputs')))
  }

  /**
   * Builds a program from one source, or from several that are linked together. Never rejects: whatever goes wrong is in the
   * outcome, as diagnostics where it has a place and as a message where it has none.
   */
  async build(source: Source | readonly Source[], options: BuildOptions = {}): Promise<Build> {
    const startMs = performance.now()
    const result = await this.buildOrSayWhy([source].flat(), options)
    const elapsedMs = performance.now() - startMs
    return result.ok ? { ...result, elapsedMs } : { ...result, diagnostics: [...result.diagnostics], cached: false, elapsedMs }
  }

  /**
   * The diagnostics of a source as it would be built, without building it; none for a file that is no source.
   * Throws ToolchainError when there is no compiler, when it did not run to its end, or when the signal stopped it.
   */
  async check(source: Source, options: Pick<BuildOptions, 'includeDirectories' | 'flags' | 'signal'> = {}): Promise<Diagnostic[]> {
    const language = languageOf(source.path)
    if (!language) return []
    const loaded = await loadSource(source)
    if (language === 'wat') return (await assembleWat(loaded.path, loaded.text)).diagnostics
    const { compiler } = this.parts()
    const { abi } = guessEntry(loaded.text, language)
    const headerFlags = extname(source.path) === '.h' ? HEADER_CHECK_FLAGS : []
    const { diagnostics, rest, failed } = await withWorkFolder(work =>
      compileSource({
        compiler, source: loaded, language, work, syntaxOnly: true, signal: options.signal,
        flags: [...this.flags(compiler, abi, language, options), ...headerFlags]
      })
    )
    if (failed && diagnostics.length === 0) throw new ToolchainError('failed', rest || `${source.path} could not be checked`)
    return diagnostics
  }

  /** Builds musl now if it has not been built yet, so that no program has to wait for it later. Throws ToolchainError. */
  async prepareMusl(onProgress?: Progress): Promise<void> {
    await this.parts().musl.prepare(onProgress)
  }

  /** The machine's boot image, an ELF file for Multiboot, from `assets/boot`. Throws ToolchainError. */
  async assembleBoot(): Promise<Uint8Array> {
    const folder = join(this.options.installation, 'assets', 'boot')
    return assembleImage(this.parts().compiler, this.cache, join(folder, 'boot.S'), join(folder, 'boot.ld'), 'assets/boot/boot.S')
  }

  private parts(): Parts {
    if (!this.found) {
      const { installation, cacheDirectory } = this.options
      const compiler = findCompiler(this.options)
      this.found = {
        compiler,
        musl: new Musl(compiler, join(cacheDirectory, 'musl'), join(installation, 'musl')),
        runtime: new AtollRuntime(compiler, this.cache, join(installation, 'user', 'lib'))
      }
    }
    return this.found
  }

  private flags(
    compiler: Compiler, abi: Abi, language: 'c' | 'assembly', options: Pick<BuildOptions, 'includeDirectories' | 'flags'>
  ): string[] {
    // Debug information must not depend on where Atoll is installed.
    const installed = `-ffile-prefix-map=${this.options.installation.replaceAll('\\', '/')}/=`
    return [...compileFlags(compiler, abi, language, this.includeDirectories(options)), installed, ...(options.flags ?? [])]
  }

  private includeDirectories(options: Pick<BuildOptions, 'includeDirectories'>): string[] {
    return [...(options.includeDirectories ?? []), join(this.options.installation, 'user', 'include')]
  }

  private async buildOrSayWhy(sources: readonly Source[], options: BuildOptions): Promise<Result> {
    try {
      for (const { path } of sources) {
        const extension = extname(path)
        if (!languageOf(path) || extension === '.h')
          return { ok: false, diagnostics: [], message: `${path} is not a program's source; expected a .c, .S, .s or .wat file` }
      }
      const loaded: LoadedSource[] = []
      for (const source of sources) {
        try {
          loaded.push(await loadSource(source))
        } catch (error) {
          return { ok: false, diagnostics: [], message: `${source.path} cannot be read: ${(error as Error).message}` }
        }
      }
      if (loaded.length === 0) return { ok: false, diagnostics: [], message: 'nothing to build' }
      const wat = loaded.find(({ path }) => languageOf(path) === 'wat')
      if (!wat) return await this.buildProgram(loaded, options)
      if (loaded.length > 1)
        return { ok: false, diagnostics: [], message: `${wat.path} is a WebAssembly module and cannot be linked with other sources` }
      return await this.buildModule(wat)
    } catch (error) {
      if (error instanceof ToolchainError) return { ok: false, diagnostics: error.diagnostics, message: error.message }
      return { ok: false, diagnostics: [], message: `the build failed: ${(error as Error).message}` }
    }
  }

  private async buildModule(source: LoadedSource): Promise<Result> {
    const { wasm, diagnostics, rest } = await assembleWat(source.path, source.text)
    if (!wasm) return failure(diagnostics, rest, [source.path])
    return { ok: true, kind: 'wasm', output: wasm, diagnostics, cached: false }
  }

  private async buildProgram(sources: readonly LoadedSource[], options: BuildOptions): Promise<Result> {
    const { compiler, runtime } = this.parts()
    const key = cacheKey(
      'program 1', compiler.identity, await runtime.identity(),
      JSON.stringify((['atoll', 'posix'] as const).flatMap(abi => [
        linkFlags(abi), this.flags(compiler, abi, 'c', options), this.flags(compiler, abi, 'assembly', options)
      ])),
      ...sources.flatMap(({ path, file, text }) => [path, file, text])
    )
    const hit = await this.cache.read<Diagnostic[]>(key)
    if (hit) return { ok: true, kind: 'elf', output: hit.bytes, diagnostics: hit.value, cached: true }

    return withWorkFolder(async work => {
      const guesses = sources.map(({ path, text }) => guessEntry(text, languageOf(path) as 'c' | 'assembly'))
      const guessed: Abi = guesses.some(guess => guess.abi === 'atoll') ? 'atoll' : 'posix'
      if (guessed === 'atoll') runtime.prepare()
      let compiled = await this.compileAll(sources, guessed, options, await subfolder(work, 'first'))
      let refusal = failureOf(compiled)
      if (refusal) return refusal
      const entries = await Promise.all(compiled.map(async ({ object }) => definedEntry(await readFile(object as string))))
      const start = entries.indexOf('atoll')
      const abi: Abi = start >= 0 ? 'atoll' : 'posix'
      if (abi === 'posix' && !entries.includes('posix')) return noEntry(compiled)
      if (abi !== guessed) {
        compiled = await this.compileAll(sources, abi, options, await subfolder(work, 'second'))
        refusal = failureOf(compiled)
        if (refusal) return refusal
      }
      const linked = await linkObjects(
        compiler, compiled.map(({ object }) => object as string),
        await this.runtimeFor(abi, guesses[start]?.called ?? false, options, work),
        compiled.map(({ names }) => names), work, options.signal
      )
      const diagnostics = [...compiled.flatMap(each => each.diagnostics), ...linked.diagnostics]
      if (!linked.elf) return { ok: false, diagnostics, message: linked.message || undefined }
      const searched = [...sources.map(({ file }) => dirname(file)), ...this.includeDirectories(options)]
      const texts = sources.map(({ text }) => text)
      await this.cache.write(key, linked.elf, diagnostics, texts, compiled.flatMap(({ headers }) => headers), searched)
      return { ok: true, kind: 'elf', output: linked.elf, diagnostics, cached: false, message: linked.message || undefined }
    })
  }

  private async runtimeFor(abi: Abi, called: boolean, options: BuildOptions, work: string) {
    const { musl, runtime } = this.parts()
    if (abi === 'posix') return { abi, musl: await musl.prepare(options.onProgress, options.signal) }
    return { abi, start: called ? await runtime.place('start', work) : undefined, memory: await runtime.place('memory', work) }
  }

  private compileAll(sources: readonly LoadedSource[], abi: Abi, options: BuildOptions, work: string): Promise<CompileResult[]> {
    const { compiler } = this.parts()
    return Promise.all(sources.map(async (source, index) => {
      const language = languageOf(source.path) as 'c' | 'assembly'
      const flags = this.flags(compiler, abi, language, options)
      return compileSource({ compiler, source, language, flags, work: await subfolder(work, String(index)), signal: options.signal })
    }))
  }
}

function failureOf(compiled: readonly CompileResult[]): Result | undefined {
  if (!compiled.some(({ failed }) => failed)) return undefined
  const diagnostics = compiled.flatMap(each => each.diagnostics)
  const said = compiled.map(({ rest }) => rest).filter(rest => rest !== '').join('\n')
  return failure(diagnostics, said, compiled.map(({ names }) => names.source.path))
}

/** There is always a reason: a diagnostic, or else a message. */
function failure(diagnostics: Diagnostic[], said: string, paths: readonly string[]): Result {
  const explained = diagnostics.some(({ severity }) => severity === 'error')
  return { ok: false, diagnostics, message: said || (explained ? undefined : `${paths.join(', ')} could not be compiled`) }
}

function noEntry(compiled: readonly CompileResult[]): Result {
  const paths = compiled.map(({ names }) => names.source.path).join(', ')
  return {
    ok: false, diagnostics: compiled.flatMap(each => each.diagnostics),
    message: `${paths} defines neither _start, where a program on Atoll's system calls begins, nor main, where a POSIX program begins`
  }
}
