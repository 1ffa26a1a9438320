import { randomBytes } from 'node:crypto'
import { cp, mkdir, readdir, realpath, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join, resolve, sep } from 'node:path'
import { appRoot } from './app-root.ts'
import { fileError } from './errors.ts'
import { Project } from './project.ts'

/** `$ATOLL_PROJECT`, else `~/Atoll`. */
export function defaultProjectFolder(): string {
  return process.env.ATOLL_PROJECT ? resolve(process.env.ATOLL_PROJECT) : join(homedir(), 'Atoll')
}

/**
 * Opens a project folder. One that does not exist or is empty is filled from the templates first, at once or not at all; one that has
 * anything in it is taken as it is.
 * @param templates the folder that is copied
 */
export async function openProject(folder: string, templates = join(appRoot(), 'user')): Promise<Project> {
  try {
    const entries = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return []
      throw error
    })
    if (entries.length === 0) await fill(folder, templates)
    return new Project(await realpath(folder))
  } catch (error) {
    throw fileError('open the project', folder, error)
  }
}

async function fill(folder: string, templates: string): Promise<void> {
  await mkdir(dirname(folder), { recursive: true })
  const fresh = join(dirname(folder), `.atoll-${randomBytes(6).toString('hex')}`)
  try {
    // What the toolchain links into programs is not the user's to change.
    await cp(templates, fresh, { recursive: true, filter: (source) => source !== join(templates, 'lib') })
    // Replaces the folder only when it is empty or missing, on every system but Windows, where it must be missing.
    if (process.platform === 'win32') await rm(folder, { recursive: true, force: true })
    await rename(fresh, folder)
  } catch (error) {
    await rm(fresh, { recursive: true, force: true })
    const { code } = error as NodeJS.ErrnoException
    // Another process filled it meanwhile.
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error
  }
}

/** The folder as its owner would write it: `~/Atoll`. */
export function displayLocation(folder: string, home = homedir()): string {
  return folder === home || folder.startsWith(home + sep) ? `~${folder.slice(home.length)}` : folder
}
