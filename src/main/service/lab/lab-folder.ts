import type { Lab } from '../../../engine/lab/lab.ts'
import { LabFileError } from '../../../engine/lab/file/errors.ts'
import { parseLab } from '../../../engine/lab/file/parse.ts'
import type { ProjectPath } from '../../../protocol/service.ts'
import { UserError } from '../errors.ts'
import type { Project } from '../project.ts'

export const LAB_FILE = 'lab.json'

export const isLabFile = (path: ProjectPath): boolean => path === LAB_FILE || path.endsWith(`/${LAB_FILE}`)

/** The lab in a folder of a project; '' is the project itself. Throws a UserError that names the file and the place in it. */
export async function readLab(project: Project, folder: string): Promise<Lab> {
  const path = folder === '' ? LAB_FILE : `${folder}/${LAB_FILE}`
  const { text } = await project.read(path)
  try {
    return parseLab(text)
  } catch (error) {
    if (error instanceof LabFileError) throw new UserError(`${path}: ${error.message}`)
    throw error
  }
}
