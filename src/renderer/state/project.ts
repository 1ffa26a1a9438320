import type { FileEntry, ProjectPath, WorkbenchService } from '../../protocol/service.ts'
import { baseName, folderOf, isWithin, movePath } from './paths.ts'
import type { KeyValueStorage } from './storage.ts'
import { readJson } from './storage.ts'
import type { ReadonlyStore, Store } from './store.ts'
import { createStore } from './store.ts'

export interface ProjectState {
  name: string
  location: string
  shell: 'electron' | 'browser'
  /** Null until the first listing. */
  entries: readonly FileEntry[] | null
  expanded: ReadonlySet<ProjectPath>
}

/** One visible line of the tree. */
export interface TreeRow {
  path: ProjectPath
  name: string
  kind: 'file' | 'directory'
  /** From 1, as `aria-level` counts. */
  level: number
  isExpanded: boolean
  /** Place among its siblings from 1, and how many there are. */
  position: number
  siblings: number
}

/** The files of the project and which folders are open in the tree. */
export class Project {
  readonly #service: WorkbenchService
  readonly #storage: KeyValueStorage
  readonly #store: Store<ProjectState> = createStore<ProjectState>({
    name: '',
    location: '',
    shell: 'browser',
    entries: null,
    expanded: new Set(),
  })
  #listing = 0

  constructor(service: WorkbenchService, storage: KeyValueStorage) {
    this.#service = service
    this.#storage = storage
  }

  get store(): ReadonlyStore<ProjectState> {
    return this.#store
  }

  attached({ name, location, shell }: Pick<ProjectState, 'name' | 'location' | 'shell'>): void {
    const saved = readJson(this.#storage, `atoll:expanded:${location}`)
    const expanded = Array.isArray(saved)
      ? new Set(saved.filter((path): path is string => typeof path === 'string'))
      : this.#store.get().expanded
    this.#store.update((state) => ({ ...state, name, location, shell, expanded }))
  }

  async refresh(): Promise<void> {
    const listing = ++this.#listing
    const entries = await this.#service.listFiles()
    if (listing === this.#listing) this.#store.update((state) => ({ ...state, entries }))
  }

  has(path: ProjectPath): boolean {
    return this.#store.get().entries?.some((entry) => entry.path === path) ?? false
  }

  async create(path: ProjectPath, text = ''): Promise<void> {
    await this.#service.createFile(path, text)
    this.reveal(path)
    await this.refresh()
  }

  async rename(from: ProjectPath, to: ProjectPath): Promise<void> {
    await this.#service.renameFile(from, to)
    this.#setExpanded(new Set([...this.#store.get().expanded].map((path) => movePath(path, from, to))))
    this.reveal(to)
    await this.refresh()
  }

  async delete(path: ProjectPath): Promise<void> {
    await this.#service.deleteFile(path)
    this.#setExpanded(new Set([...this.#store.get().expanded].filter((folder) => !isWithin(folder, path))))
    await this.refresh()
  }

  setExpanded(path: ProjectPath, isExpanded: boolean): void {
    const expanded = new Set(this.#store.get().expanded)
    if (isExpanded) expanded.add(path)
    else expanded.delete(path)
    this.#setExpanded(expanded)
  }

  /** Opens the folders above `path`. */
  reveal(path: ProjectPath): void {
    const expanded = new Set(this.#store.get().expanded)
    for (let folder = folderOf(path); folder !== ''; folder = folderOf(folder)) expanded.add(folder)
    if (expanded.size !== this.#store.get().expanded.size) this.#setExpanded(expanded)
  }

  #setExpanded(expanded: ReadonlySet<ProjectPath>): void {
    this.#store.update((state) => ({ ...state, expanded }))
    this.#storage.set(`atoll:expanded:${this.#store.get().location}`, JSON.stringify([...expanded]))
  }
}

/** The tree's visible lines: folders first, then by name as a person sorts (`a2` before `a10`). */
export function treeRows(entries: readonly FileEntry[], expanded: ReadonlySet<ProjectPath>): TreeRow[] {
  const children = new Map<ProjectPath, Map<ProjectPath, 'file' | 'directory'>>()
  const add = (path: ProjectPath, kind: 'file' | 'directory'): void => {
    const folder = folderOf(path)
    if (folder !== '') add(folder, 'directory')
    const siblings = children.get(folder) ?? new Map<ProjectPath, 'file' | 'directory'>()
    if (!children.has(folder)) children.set(folder, siblings)
    siblings.set(path, kind)
  }
  for (const { path, kind } of entries) add(path, kind)

  const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' })
  const rows: TreeRow[] = []
  const visit = (folder: ProjectPath, level: number): void => {
    const sorted = [...(children.get(folder) ?? [])].sort(([a, kindA], [b, kindB]) =>
      kindA === kindB ? collator.compare(baseName(a), baseName(b)) : kindA === 'directory' ? -1 : 1,
    )
    sorted.forEach(([path, kind], index) => {
      const isExpanded = kind === 'directory' && expanded.has(path)
      rows.push({ path, name: baseName(path), kind, level, isExpanded, position: index + 1, siblings: sorted.length })
      if (isExpanded) visit(path, level + 1)
    })
  }
  visit('', 1)
  return rows
}
