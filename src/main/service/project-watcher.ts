import { watch } from 'node:fs'
import type { FSWatcher } from 'node:fs'
import { lstat } from 'node:fs/promises'
import { join } from 'node:path'
import type { ProjectPath } from '../../protocol/service.ts'
import type { Project } from './project.ts'

/** Notices come in bursts: an editor's save is a write, a rename and a change of attributes. */
const DEBOUNCE_MS = 100

/** Between looks at a project whose file system sends no notices. */
const POLL_MS = 2000

/** Size and time of change of everything in a project, by path. */
type Snapshot = Map<ProjectPath, string>

async function takeSnapshot(project: Project): Promise<Snapshot> {
  const snapshot: Snapshot = new Map()
  for (const { path, kind, size } of await project.list()) {
    const info = kind === 'file' ? await lstat(join(project.root, path)).catch(() => undefined) : undefined
    snapshot.set(path, kind === 'directory' ? 'directory' : `${size} ${info?.mtimeMs} ${info?.ino}`)
  }
  return snapshot
}

/**
 * Says which paths of a project were added, removed or changed. The operating system's notices only say *when* to look; what
 * changed comes from comparing, because notices differ between systems, come late, twice, or for files that are gone.
 */
export class ProjectWatcher {
  readonly #project: Project
  readonly #onChange: (paths: ProjectPath[]) => void
  /** One for each folder: Node 20's recursive watching loses sight of a file on Linux once it was replaced by a rename. */
  #watchers: Map<ProjectPath, FSWatcher> | undefined
  #timer: ReturnType<typeof setTimeout> | undefined
  #snapshot: Snapshot | undefined
  #looking: Promise<void> = Promise.resolve()
  #isClosed = false

  constructor(project: Project, onChange: (paths: ProjectPath[]) => void) {
    this.#project = project
    this.#onChange = onChange
  }

  /** Resolves when the project was looked at for the first time; changes from then on are reported. */
  async start(): Promise<void> {
    this.#snapshot = await takeSnapshot(this.#project).catch(() => new Map())
    if (this.#isClosed) return
    this.#watchers = new Map()
    this.#watchFolders()
  }

  /** Takes the project as it is now for known: what this process has just written is nobody else's change. */
  async settle(): Promise<void> {
    await this.#look(false)
  }

  close(): void {
    this.#isClosed = true
    this.#stopWatching()
    clearTimeout(this.#timer)
  }

  /** Watches the folders there are now, and no others. */
  #watchFolders(): void {
    const watchers = this.#watchers
    if (!watchers) return
    const folders = new Set(['', ...[...(this.#snapshot ?? [])].filter(([, state]) => state === 'directory').map(([path]) => path)])
    for (const [folder, watcher] of watchers) {
      if (folders.has(folder)) continue
      watcher.close()
      watchers.delete(folder)
    }
    try {
      for (const folder of folders) {
        if (watchers.has(folder)) continue
        const watcher = watch(join(this.#project.root, folder), { persistent: false }, () => this.#schedule(DEBOUNCE_MS))
        watcher.on('error', () => this.#poll())
        watchers.set(folder, watcher)
        // Something may have entered the folder between the look that found it and now.
        if (folder !== '') this.#schedule(DEBOUNCE_MS)
      }
    } catch {
      this.#poll()
    }
  }

  #stopWatching(): void {
    for (const watcher of this.#watchers?.values() ?? []) watcher.close()
    this.#watchers = undefined
  }

  #poll(): void {
    this.#stopWatching()
    this.#schedule(POLL_MS)
  }

  #schedule(delayMs: number): void {
    if (this.#timer !== undefined || this.#isClosed) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      void this.#look(true).then(() => this.#watchers === undefined && this.#schedule(POLL_MS))
    }, delayMs)
    this.#timer.unref()
  }

  #look(isReported: boolean): Promise<void> {
    this.#looking = this.#looking.then(async () => {
      const before = this.#snapshot
      const after = await takeSnapshot(this.#project).catch(() => undefined)
      if (before === undefined || after === undefined || this.#isClosed) return
      this.#snapshot = after
      this.#watchFolders()
      const paths = [...after].filter(([path, state]) => before.get(path) !== state).map(([path]) => path)
      paths.push(...[...before.keys()].filter((path) => !after.has(path)))
      if (isReported && paths.length > 0) this.#onChange(paths.sort())
    })
    return this.#looking
  }
}
