import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import type { OutputCache } from './cache.ts'

/** What an output was made of beside what its key says: the headers the compiler found, and those it would have preferred. */
interface Dependencies {
  /** Path and SHA-256 of each header. */
  headers: [string, string][]
  /** Files that would have been read instead of a header had they existed. */
  absent: string[]
}

/** The compiler decides something by whether a header exists, which no list of the headers it read can tell. */
const ASKS_FOR_HEADERS = /\b__has_(?:include|include_next|embed)\b/

/** Outputs by key that are only taken as long as the headers they were made of are the same. */
export class BuildCache {
  private readonly outputs: OutputCache

  constructor(outputs: OutputCache) {
    this.outputs = outputs
  }

  /** The output and the plain data stored with it. */
  async read<Value>(key: string): Promise<{ value: Value; bytes: Uint8Array } | undefined> {
    const entry = await this.outputs.read(key)
    if (!entry) return undefined
    const { dependencies, value } = entry.meta as { dependencies: Dependencies; value: Value }
    if (dependencies.absent.some(path => existsSync(path))) return undefined
    for (const [path, digest] of dependencies.headers) if ((await digestOf(path)) !== digest) return undefined
    return { value, bytes: entry.bytes }
  }

  /**
   * @param sourceTexts what was compiled
   * @param headers every header the compiler read, absolute
   * @param searched the folders where it looked for headers
   */
  async write(
    key: string, bytes: Uint8Array, value: unknown, sourceTexts: readonly string[], headers: readonly string[], searched: readonly string[]
  ): Promise<void> {
    const unique = [...new Set(headers)]
    const digests: [string, string][] = []
    for (const path of unique) {
      const text = await readFile(path, 'utf8').catch(() => undefined)
      if (text === undefined || ASKS_FOR_HEADERS.test(text)) return
      digests.push([path, createHash('sha256').update(text).digest('hex')])
    }
    if (sourceTexts.some(text => ASKS_FOR_HEADERS.test(text))) return
    await this.outputs.write(key, { meta: { dependencies: { headers: digests, absent: preferred(unique, searched) }, value }, bytes })
  }
}

/** For a header found as folder/name: name in every other folder where an include may have looked, as long as it is not there. */
function preferred(headers: readonly string[], searched: readonly string[]): string[] {
  const folders = new Set([...searched, ...headers.map(dirname)])
  const found = new Set<string>()
  for (const header of headers)
    for (const home of folders) {
      const name = relative(home, header)
      if (name.startsWith('..')) continue
      for (const folder of folders) found.add(join(folder, name))
    }
  return [...found].filter(path => !existsSync(path)).sort()
}

async function digestOf(path: string): Promise<string | undefined> {
  const text = await readFile(path, 'utf8').catch(() => undefined)
  return text === undefined ? undefined : createHash('sha256').update(text).digest('hex')
}
