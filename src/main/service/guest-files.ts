import { posix } from 'node:path'
import type { ProjectPath } from '../../protocol/service.ts'
import type { Project } from './project.ts'

/** Of the files copied into a machine's RAM file system: each, and all together. Larger ones are left out, in the order of the list. */
const FILE_BYTES_MAX = 4 * 1024 * 1024
const ALL_BYTES_MAX = 16 * 1024 * 1024

/** What a machine finds in its RAM file system: the project as it is saved, each file under `/` and its path. */
export async function guestFiles(project: Project): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>()
  let left = ALL_BYTES_MAX
  for (const { path, kind, size } of await project.list()) {
    if (kind !== 'file' || size > Math.min(FILE_BYTES_MAX, left)) continue
    // A file that went away or became unreadable since it was listed is a file that is not there.
    const bytes = await project.readBytes(path, FILE_BYTES_MAX).catch(() => undefined)
    if (bytes === undefined) continue
    files.set(`/${path}`, bytes)
    left -= bytes.byteLength
  }
  return files
}

/** Where a program stands in the machine that runs it: `/bin/hello` for `lessons/hello.c`. */
export function guestProgramPath(path: ProjectPath): string {
  const { name } = posix.parse(path)
  return `/bin/${name}`
}
