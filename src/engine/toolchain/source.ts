import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, extname, isAbsolute, join, posix } from 'node:path'

/** A program's source as a user knows it. */
export interface Source {
  /** The name in diagnostics and in debug information, such as `user/hello.c`. */
  path: string
  /** Where it is, or would be if it were saved: absolute. Headers in quotes are looked for beside it. */
  file: string
  /** What to compile. Read from `file` when left out. */
  text?: string
}

export type Language = 'c' | 'assembly' | 'wat'

/** What the toolchain makes of a file by its extension; undefined for one it cannot build. */
export function languageOf(path: string): Language | undefined {
  switch (extname(path)) {
    case '.c':
    case '.h':
      return 'c'
    case '.S':
    case '.s':
      return 'assembly'
    case '.wat':
      return 'wat'
    default:
      return undefined
  }
}

/** A source with its text, without the byte order mark that editors hide. */
export interface LoadedSource {
  path: string
  file: string
  text: string
}

/** Throws the file system's own error when there is nothing to read. */
export async function loadSource({ path, file, text }: Source): Promise<LoadedSource> {
  return { path, file, text: (text ?? (await readFile(file, 'utf8'))).replace(/^\uFEFF/, '') }
}

/**
 * The names of one compilation. The compiler reads a snapshot of the source in a temporary folder, so what it calls a
 * file is turned into what the user calls it; headers of the user's project get names like the source's own.
 */
export class SourceNames {
  readonly source: LoadedSource
  /** What the compiler calls the source. */
  readonly snapshot: string
  /** The project's folder with a slash at its end as far as `path` and `file` agree on it, and what the user calls it. */
  readonly root: string
  readonly shownRoot: string

  constructor(source: LoadedSource, snapshot: string) {
    this.source = source
    this.snapshot = snapshot
    let root = slashed(source.file)
    let shown = slashed(source.path)
    do {
      root = posix.dirname(root)
      shown = posix.dirname(shown)
    } while (shown !== '.' && posix.basename(shown) === posix.basename(root) && posix.basename(root) !== '')
    this.root = root.endsWith('/') ? root : `${root}/`
    this.shownRoot = shown === '.' ? '' : shown.endsWith('/') ? shown : `${shown}/`
  }

  /** From what the compiler prints to what the user reads. */
  shown(path: string): string {
    if (this.isSnapshot(path)) return this.source.path
    const plain = slashed(path)
    return plain.startsWith(this.root) ? this.shownRoot + plain.slice(this.root.length) : path
  }

  isSnapshot(path: string): boolean {
    return slashed(path) === slashed(this.snapshot)
  }

  /** Text of a file by its shown name; undefined when it cannot be read. */
  text(shown: string): string | undefined {
    if (shown === this.source.path) return this.source.text
    try {
      return readFileSync(isAbsolute(shown) ? shown : join(this.root, shown.slice(this.shownRoot.length)), 'utf8')
    } catch {
      return undefined // Gone since it was compiled: columns are then the compiler's own.
    }
  }

  /** Makes `__FILE__` and the debug information say what the user reads. The last map that fits is the one that counts. */
  prefixMapFlags(): string[] {
    const project = this.root === '/' ? [] : [`-ffile-prefix-map=${this.root}=${this.shownRoot}`]
    return [...project, `-ffile-prefix-map=${this.snapshot}=${this.source.path}`, '-fdebug-compilation-dir=.']
  }

  get directory(): string {
    return dirname(this.source.file)
  }
}

function slashed(path: string): string {
  return path.replaceAll('\\', '/')
}
