import type { ProjectPath } from '../../protocol/service.ts'
import type { KeyValueStorage } from './storage.ts'
import { readJson } from './storage.ts'

/** Text that the service does not have yet, and the version it was typed over. */
export interface Draft {
  text: string
  baseVersion: string
}

function isDraft(value: unknown): value is Draft {
  const draft = value as Draft | null
  return typeof draft === 'object' && draft !== null && typeof draft.text === 'string' && typeof draft.baseVersion === 'string'
}

/** Unsaved text of one project, kept where a reload and a renderer crash cannot reach it. */
export class Drafts {
  readonly #storage: KeyValueStorage
  readonly #prefix: string

  constructor(storage: KeyValueStorage, projectKey: string) {
    this.#storage = storage
    this.#prefix = `atoll:draft:${projectKey}:`
  }

  get(path: ProjectPath): Draft | null {
    const value = readJson(this.#storage, this.#prefix + path)
    return isDraft(value) ? value : null
  }

  /** False when there is no room for it. */
  put(path: ProjectPath, draft: Draft): boolean {
    return this.#storage.set(this.#prefix + path, JSON.stringify(draft))
  }

  remove(path: ProjectPath): void {
    this.#storage.remove(this.#prefix + path)
  }

  paths(): ProjectPath[] {
    return this.#storage
      .keys()
      .filter((key) => key.startsWith(this.#prefix))
      .map((key) => key.slice(this.#prefix.length))
      .sort()
  }
}
