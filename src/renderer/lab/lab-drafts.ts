import type { LabTopology } from '../../protocol/lab.ts'
import type { ProjectPath } from '../../protocol/service.ts'
import type { KeyValueStorage } from '../state/storage.ts'
import { readJson } from '../state/storage.ts'

/** Edits that no file has yet. */
export interface LabDraft {
  topology: LabTopology
  /** What they go out from: the file's content, or a template's. */
  saved: LabTopology
}

function isTopology(value: unknown): value is LabTopology {
  const topology = value as Partial<LabTopology> | null
  return typeof topology === 'object' && topology !== null && Array.isArray(topology.nodes) && Array.isArray(topology.links)
}

/** Unsaved labs of one project, and which lab was open, kept where a reload and a crash cannot reach them. */
export class LabDrafts {
  readonly #storage: KeyValueStorage
  readonly #prefix: string
  readonly #openKey: string

  constructor(storage: KeyValueStorage, projectKey: string) {
    this.#storage = storage
    this.#prefix = `atoll:lab-draft:${projectKey}:`
    this.#openKey = `atoll:lab:${projectKey}`
  }

  get(path: ProjectPath | null): LabDraft | null {
    const value = readJson(this.#storage, this.#key(path)) as Partial<LabDraft> | null
    return value && isTopology(value.topology) && isTopology(value.saved) ? { topology: value.topology, saved: value.saved } : null
  }

  /** False when there is no room for it. */
  put(path: ProjectPath | null, draft: LabDraft): boolean {
    return this.#storage.set(this.#key(path), JSON.stringify(draft))
  }

  remove(path: ProjectPath | null): void {
    this.#storage.remove(this.#key(path))
  }

  /** The lab that was open last: its path, null for one never saved, undefined when none was. */
  lastOpen(): ProjectPath | null | undefined {
    const value = readJson(this.#storage, this.#openKey) as { path?: unknown } | null
    if (!value) return undefined
    return typeof value.path === 'string' ? value.path : value.path === null ? null : undefined
  }

  opened(path: ProjectPath | null): void {
    this.#storage.set(this.#openKey, JSON.stringify({ path }))
  }

  #key(path: ProjectPath | null): string {
    return this.#prefix + (path ?? '')
  }
}
