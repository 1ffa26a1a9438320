import { cp, lstat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Lab, Node } from '../../../engine/lab/lab.ts'
import { formatLab } from '../../../engine/lab/file/format.ts'
import type { LabService } from '../../../protocol/lab.ts'
import type { ProjectPath } from '../../../protocol/service.ts'
import { appRoot } from '../app-root.ts'
import { fileError, UserError } from '../errors.ts'
import { locate } from '../project-path.ts'
import { Project } from '../project.ts'
import { isLabFile, LAB_FILE, readLab } from './lab-folder.ts'

/** What the paths of the labs that come with Atoll begin with. */
const TEMPLATES = 'templates'

export interface OpenedLab {
  lab: Lab
  /** Where it is saved; null for one that was never saved, and for what comes with Atoll. */
  path: ProjectPath | null
  /** Where its programs are looked for first, and what its machines find in their file systems. */
  folder?: Project
}

type Listed = Awaited<ReturnType<LabService['labList']>>

const fileOf = (folder: ProjectPath): ProjectPath => (folder === '' ? LAB_FILE : `${folder}/${LAB_FILE}`)

/** The labs of a project, and those that come with Atoll. */
export class LabLibrary {
  readonly #project: Project
  readonly #templates: Project

  constructor(project: Project, templates = new Project(join(appRoot(), 'assets', 'labs'))) {
    this.#project = project
    this.#templates = templates
  }

  async list(): Promise<Listed> {
    const [own, templates] = await Promise.all([labFolders(this.#project), labFolders(this.#templates).catch(() => [])])
    const listed = (project: Project, isTemplate: boolean) => async (folder: ProjectPath) => ({
      path: isTemplate ? `${TEMPLATES}/${folder}` : folder,
      // A lab that cannot be read is listed by its folder; opening it says what is wrong.
      name: await readLab(project, folder).then(
        ({ name }) => name,
        () => folder || project.name,
      ),
      isTemplate,
    })
    return Promise.all([...own.map(listed(this.#project, false)), ...templates.map(listed(this.#templates, true))])
  }

  /**
   * Throws a UserError.
   * @param called what a template is called instead of by its own name
   */
  async open(path: ProjectPath, called?: string): Promise<OpenedLab> {
    const isOwn = await this.#has(fileOf(path))
    if (!isOwn && path.startsWith(`${TEMPLATES}/`)) {
      const name = path.slice(TEMPLATES.length + 1)
      const lab = await readLab(this.#templates, name)
      return { lab: { ...lab, name: called ?? lab.name }, path: null, folder: new Project(await locate(this.#templates.root, name)) }
    }
    const lab = await readLab(this.#project, path)
    const nodes = await Promise.all(lab.nodes.map((node) => this.#inProject(node, path)))
    return { lab: { ...lab, nodes }, path, folder: await this.#folder(path) }
  }

  /**
   * Writes a lab into a folder of the project, with the files of the folder that it comes from, as far as they are not there. Returns how
   * it is opened from now on. Throws a UserError.
   */
  async save(path: ProjectPath, lab: Lab, from: Project | undefined): Promise<OpenedLab> {
    const inFolder = (node: Node): Node => {
      const isInside = path !== '' && node.program?.startsWith(`${path}/`)
      return isInside ? { ...node, program: node.program?.slice(path.length + 1) } : node
    }
    const file = fileOf(path)
    const result = await this.#project.write(file, formatLab({ ...lab, nodes: lab.nodes.map(inFolder) }))
    if (!result.ok) throw new UserError(result.reason === 'error' ? result.message : `cannot save ${file}: it was changed meanwhile`)
    const folder = await this.#folder(path)
    if (from !== undefined && from.root !== folder.root && from.root !== this.#project.root) await copyFiles(from, folder)
    return { lab, path, folder }
  }

  async #folder(path: ProjectPath): Promise<Project> {
    return path === '' ? this.#project : new Project(await locate(this.#project.root, path))
  }

  /** A program that lies in the lab's folder, as a path of the project. */
  async #inProject(node: Node, folder: ProjectPath): Promise<Node> {
    if (node.program === undefined || folder === '') return node
    const path = `${folder}/${node.program}`
    return (await this.#has(path)) ? { ...node, program: path } : node
  }

  async #has(path: ProjectPath): Promise<boolean> {
    const info = await lstat(await locate(this.#project.root, path)).catch((error: unknown) => {
      if (error instanceof UserError) throw error
      return undefined
    })
    return info?.isFile() === true
  }
}

async function labFolders(project: Project): Promise<ProjectPath[]> {
  const files = (await project.list()).filter(({ path, kind }) => kind === 'file' && isLabFile(path))
  return files.map(({ path }) => path.slice(0, Math.max(0, path.length - LAB_FILE.length - 1)))
}

async function copyFiles(from: Project, to: Project): Promise<void> {
  for (const { path, kind } of await from.list()) {
    if (kind !== 'file' || path === LAB_FILE) continue
    const target = await locate(to.root, path)
    try {
      await cp(await locate(from.root, path), target, { force: false })
    } catch (error) {
      throw fileError('copy', path, error)
    }
  }
}
