import { realpath } from 'node:fs/promises'
import { dirname, join, relative, sep } from 'node:path'
import type { ProjectPath } from '../../protocol/service.ts'
import { UserError } from './errors.ts'

/** Longest path inside a project, in UTF-16 code units; the file system has its own limit in bytes. */
export const PATH_LENGTH_MAX = 1024

// Control characters, the separators of other systems and what Windows reserves: a project moves between machines.
// oxlint-disable-next-line no-control-regex
const FORBIDDEN = /[\u0000-\u001f\u007f\\:*?"<>|]/

/** Names that Windows gives to devices, with any extension. */
const DEVICE = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i

/** Why `path` is no path inside a project, or undefined when it may be one. Says nothing about links on the disk. */
export function refusePath(path: string): string | undefined {
  if (path === '') return 'the path is empty'
  if (path.length > PATH_LENGTH_MAX) return `the path is longer than ${PATH_LENGTH_MAX} characters`
  if (FORBIDDEN.test(path)) return 'the path has a character that not every system allows'
  for (const segment of path.split('/')) {
    if (segment === '') return path.startsWith('/') ? 'the path is absolute' : 'the path has an empty part'
    if (segment === '.' || segment === '..') return `the path has a part '${segment}'`
    if (segment.startsWith('.')) return 'names that start with a dot are not part of a project'
    if (/[ .]$/.test(segment) || DEVICE.test(segment)) return `'${segment}' is a name that not every system allows`
  }
  return undefined
}

/**
 * Where `path` is on the disk. Throws a UserError when it leaves the project: by its text, or because a link on the way does.
 * @param root the project's folder, with links resolved
 */
export async function locate(root: string, path: ProjectPath): Promise<string> {
  const refusal = refusePath(path)
  if (refusal !== undefined) throw new UserError(`${JSON.stringify(path.slice(0, 80))} is not a path in this project: ${refusal}`)
  const file = join(root, ...path.split('/'))
  const real = await realpathOfDeepest(file)
  const inside = relative(root, real)
  if (inside === '..' || inside.startsWith(`..${sep}`) || join(root, inside) !== real) {
    throw new UserError(`${JSON.stringify(path)} is not a path in this project: a symbolic link leads out of it`)
  }
  return file
}

/**
 * The file with links resolved, or its deepest ancestor that exists. A link that leads nowhere counts as not existing: nothing is
 * opened through it.
 */
async function realpathOfDeepest(file: string): Promise<string> {
  try {
    return await realpath(file)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ENOENT' && code !== 'ENOTDIR') throw error
    return realpathOfDeepest(dirname(file))
  }
}
