import { realpath } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import type { Lab } from '../../../engine/lab/lab.ts'
import { appRoot } from '../app-root.ts'
import { fileError } from '../errors.ts'
import { Project } from '../project.ts'
import { LAB_FILE, readLab } from './lab-folder.ts'

/** The programs that come with Atoll, as a project of their own. */
export const systemProject = (): Project => new Project(join(appRoot(), 'user'))

/** Opens the lab in a folder of the disk, or the one whose `lab.json` is named. Throws a UserError. */
export async function openLab(path: string): Promise<{ lab: Lab; folder: Project }> {
  const named = basename(path) === LAB_FILE ? dirname(path) : path
  const root = await realpath(resolve(named)).catch((error: unknown) => {
    throw fileError('open', path, error)
  })
  const folder = new Project(root)
  return { lab: await readLab(folder, ''), folder }
}
