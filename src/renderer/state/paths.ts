import type { ProjectPath } from '../../protocol/service.ts'

/** The last segment: `lib/list.c` → `list.c`. */
export function baseName(path: ProjectPath): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

/** The folder, `''` at the top: `lib/list.c` → `lib`. */
export function folderOf(path: ProjectPath): ProjectPath {
  const slash = path.lastIndexOf('/')
  return slash < 0 ? '' : path.slice(0, slash)
}

/** Lower case, without the dot; `''` when there is none. */
export function extensionOf(path: ProjectPath): string {
  const name = baseName(path)
  const dot = name.lastIndexOf('.')
  return dot <= 0 ? '' : name.slice(dot + 1).toLowerCase()
}

export function joinPath(folder: ProjectPath, name: string): ProjectPath {
  return folder === '' ? name : `${folder}/${name}`
}

/** True for `folder` itself and all that is in it. */
export function isWithin(path: ProjectPath, folder: ProjectPath): boolean {
  return path === folder || path.startsWith(`${folder}/`)
}

/** `path` after `from` became `to`, whether `from` is the path or a folder above it. */
export function movePath(path: ProjectPath, from: ProjectPath, to: ProjectPath): ProjectPath {
  return isWithin(path, from) ? to + path.slice(from.length) : path
}

export type LanguageId = 'c' | 'wat' | 'markdown' | 'plaintext'

export function languageOf(path: ProjectPath): LanguageId {
  switch (extensionOf(path)) {
    case 'c':
    case 'h':
      return 'c'
    case 'wat':
    case 'wast':
      return 'wat'
    case 'md':
      return 'markdown'
    default:
      return 'plaintext'
  }
}

/** Can be built and booted as a machine's first program. */
export function isProgram(path: ProjectPath): boolean {
  return ['c', 'wat', 'wasm', 'elf'].includes(extensionOf(path))
}

const LAB_FILE = 'lab.json'

/** The file of the lab in `folder`. */
export function labFile(folder: ProjectPath): ProjectPath {
  return joinPath(folder, LAB_FILE)
}

/** Has a compiler, or a reader, that can say something about it as one types. */
export function isCheckable(path: ProjectPath): boolean {
  return ['c', 'wat'].includes(languageOf(path)) || baseName(path) === LAB_FILE
}

/** Holds bytes, not text: opened, it is a placeholder. */
export function isBinary(path: ProjectPath): boolean {
  return ['wasm', 'elf', 'o', 'a', 'png', 'jpg', 'gz', 'zip'].includes(extensionOf(path))
}

export type NameProblem = 'empty' | 'segment' | 'character' | 'taken'

/** Why `name`, typed by a person for an entry of `folder`, cannot be a new path; null when it can. */
export function nameProblem(folder: ProjectPath, name: string, taken: (path: ProjectPath) => boolean): NameProblem | null {
  if (name === '') return 'empty'
  if (/[\\:*?"<>|\u0000-\u001f]/.test(name)) return 'character'
  if (name.split('/').some((segment) => segment === '' || segment === '.' || segment === '..' || segment !== segment.trim()))
    return 'segment'
  return taken(joinPath(folder, name)) ? 'taken' : null
}
