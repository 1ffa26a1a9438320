import { compile } from './compile.ts'
import type { CompiledModule } from './compile.ts'

/** Modules kept, and bytes of their sources. */
const MODULES_MAX = 32
const SOURCE_BYTES_MAX = 32 << 20

const FNV_PRIME = 0x01000193
const FNV_OFFSET = 0x811c9dc5

function fnv1a(bytes: Uint8Array): number {
  let hash = FNV_OFFSET
  for (const byte of bytes) hash = Math.imul(hash ^ byte, FNV_PRIME)
  return hash >>> 0
}

interface Entry {
  source: Uint8Array
  compiled: CompiledModule
}

/**
 * Compiled modules by content: a program that is started again, and machines of one worker that run the same program, compile it
 * once. What it costs on the virtual clock is the same either way.
 */
export class ModuleCache {
  /** By length and hash, the least recently used first. */
  private readonly entries = new Map<string, Entry>()
  private sourceBytes = 0

  /** Throws WasmFormatError. */
  compile(bytes: Uint8Array): CompiledModule {
    const key = `${bytes.length}-${fnv1a(bytes)}`
    const known = this.entries.get(key)
    if (known !== undefined && known.source.every((byte, index) => byte === bytes[index])) {
      this.entries.delete(key)
      this.entries.set(key, known)
      return known.compiled
    }
    const compiled = compile(bytes)
    if (known !== undefined) this.drop(key, known)
    this.entries.set(key, { source: bytes.slice(), compiled })
    this.sourceBytes += bytes.length
    for (const [oldest, entry] of this.entries) {
      if (this.entries.size <= MODULES_MAX && this.sourceBytes <= SOURCE_BYTES_MAX) break
      this.drop(oldest, entry)
    }
    return compiled
  }

  private drop(key: string, { source }: Entry): void {
    this.entries.delete(key)
    this.sourceBytes -= source.length
  }
}

/** One for all machines of a worker. */
export const moduleCache = new ModuleCache()
