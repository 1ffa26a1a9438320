import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { BuildCache } from './build-cache.ts'
import { cacheKey } from './cache.ts'
import { compileFlags, compileSource } from './compile.ts'
import { ToolchainError } from './errors.ts'
import { loadSource } from './source.ts'
import { withWorkFolder } from './work-folder.ts'
import type { Compiler } from './zig.ts'

/** The files of `user/lib` that freestanding programs are linked with, and what they are written in. */
const FILES = { start: ['start.S', 'assembly'], memory: ['memory.c', 'c'] } as const

/** Compiles the runtime of freestanding programs, each file once. */
export class AtollRuntime {
  private readonly compiler: Compiler
  private readonly cache: BuildCache
  private readonly folder: string
  private readonly objects = new Map<string, Promise<Uint8Array>>()

  /** @param folder of `start.S` and `memory.c` */
  constructor(compiler: Compiler, cache: BuildCache, folder: string) {
    this.compiler = compiler
    this.cache = cache
    this.folder = folder
  }

  /** Changes when the runtime does. */
  async identity(): Promise<string> {
    const texts = await Promise.all(Object.values(FILES).map(([name]) => readFile(join(this.folder, name), 'utf8')))
    return cacheKey(...texts)
  }

  /** Compiles everything ahead of time; what goes wrong is said by whoever needs it. */
  prepare(): void {
    for (const part of ['start', 'memory'] as const) this.object(part).catch(() => {})
  }

  /** Writes the object file into a folder and returns its path. Throws ToolchainError. */
  async place(part: keyof typeof FILES, work: string): Promise<string> {
    const path = join(work, `${part}.o`)
    await writeFile(path, await this.object(part))
    return path
  }

  private async object(part: keyof typeof FILES): Promise<Uint8Array> {
    const [name, language] = FILES[part]
    const source = await loadSource({ path: `user/lib/${name}`, file: join(this.folder, name) })
    const flags = compileFlags(this.compiler, 'atoll', language, [])
    const key = cacheKey('runtime 1', this.compiler.identity, JSON.stringify([flags, source.file]), source.text)
    let object = this.objects.get(key)
    if (!object) {
      object = this.compile(source, language, flags, key)
      this.objects.set(key, object)
      object.catch(() => this.objects.delete(key)) // The next build tries again; this one is told by its own await.
    }
    return object
  }

  private async compile(source: Awaited<ReturnType<typeof loadSource>>, language: 'c' | 'assembly', flags: string[], key: string) {
    const hit = await this.cache.read(key)
    if (hit) return hit.bytes
    return withWorkFolder(async work => {
      const { object, diagnostics, rest } = await compileSource({ compiler: this.compiler, source, language, flags, work })
      if (!object) throw new ToolchainError('failed', rest || `${source.path} has errors`, diagnostics)
      const bytes = new Uint8Array(await readFile(object))
      await this.cache.write(key, bytes, null, [source.text], [], [])
      return bytes
    })
  }
}
