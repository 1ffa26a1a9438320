import type { FileContent, ProjectPath, WorkbenchService } from '../../protocol/service.ts'
import type { Drafts } from './drafts.ts'
import { isWithin, movePath } from './paths.ts'
import type { ReadonlyStore, Signal, Store } from './store.ts'
import { createSignal, createStore } from './store.ts'

/** Idle time after the last edit until the text is saved, in milliseconds. */
export const AUTOSAVE_IDLE_MS = 1000
/** How far a draft may lag behind the keyboard, in milliseconds: what a crash can cost. */
export const DRAFT_DELAY_MS = 100

/** Why the text cannot simply be saved: somebody else changed the file, or removed it. */
export type Conflict = { kind: 'changed'; theirs: FileContent } | { kind: 'deleted' }

export interface DocumentState {
  path: ProjectPath
  phase: 'loading' | 'ready' | 'failed'
  /** One sentence when `phase` is `failed`. */
  error?: string
  /** As the editor shows it. */
  text: string
  /** As the service last had it. */
  savedText: string
  version: string
  isSaving: boolean
  conflict?: Conflict
  /** One sentence when the last attempt to save failed; cleared by the next. */
  saveError?: string
  /** Grows whenever `text` was replaced by anything but typing, so that an editor knows to follow. */
  replacement: number
}

export type DocumentsState = ReadonlyMap<ProjectPath, DocumentState>

export function isDirty(document: DocumentState): boolean {
  return document.phase === 'ready' && (document.text !== document.savedText || document.conflict?.kind === 'deleted')
}

export type SaveOutcome = 'saved' | 'conflict' | 'failed'

export interface DocumentsDependencies {
  service: WorkbenchService
  drafts: Drafts
  /** A draft found no room; called once until one does. */
  onDraftsFull: () => void
}

/** The texts being edited: loading, autosave, drafts, conflicts with what others write. Knows no editor. */
export class Documents {
  readonly #service: WorkbenchService
  readonly #drafts: Drafts
  readonly #onDraftsFull: () => void
  readonly #store: Store<DocumentsState> = createStore<DocumentsState>(new Map())
  readonly #saveTimers = new Map<ProjectPath, ReturnType<typeof setTimeout>>()
  readonly #draftTimers = new Map<ProjectPath, ReturnType<typeof setTimeout>>()
  readonly #saves = new Map<ProjectPath, Promise<SaveOutcome>>()
  #areDraftsFull = false
  /** A document's text changed, by typing or otherwise. */
  readonly onTextChanged: Signal<[path: ProjectPath]> = createSignal()
  readonly onSaved: Signal<[path: ProjectPath]> = createSignal()

  constructor({ service, drafts, onDraftsFull }: DocumentsDependencies) {
    this.#service = service
    this.#drafts = drafts
    this.#onDraftsFull = onDraftsFull
  }

  get store(): ReadonlyStore<DocumentsState> {
    return this.#store
  }

  get(path: ProjectPath): DocumentState | undefined {
    return this.#store.get().get(path)
  }

  /** Loads the file and, over it, the draft that an earlier session left. Safe to repeat. */
  async open(path: ProjectPath): Promise<void> {
    const existing = this.get(path)
    if (existing && existing.phase !== 'failed') return
    this.#put({ path, phase: 'loading', text: '', savedText: '', version: '', isSaving: false, replacement: 0 })
    let content: FileContent | undefined
    let error = ''
    try {
      content = await this.#service.readFile(path)
    } catch (reason) {
      error = messageOf(reason)
    }
    const document = this.get(path)
    if (document?.phase !== 'loading') return
    const draft = this.#drafts.get(path)
    if (!content) {
      if (!draft) this.#put({ ...document, phase: 'failed', error })
      else
        this.#put({
          ...document,
          phase: 'ready',
          text: draft.text,
          version: draft.baseVersion,
          conflict: { kind: 'deleted' },
          replacement: 1,
        })
      return
    }
    const loaded: DocumentState = {
      ...document,
      phase: 'ready',
      text: content.text,
      savedText: content.text,
      version: content.version,
      replacement: 1,
    }
    if (!draft || draft.text === content.text) {
      this.#drafts.remove(path)
      this.#put(loaded)
    } else if (draft.baseVersion === content.version) {
      this.#put({ ...loaded, text: draft.text })
      this.#scheduleSave(path)
    } else {
      this.#put({ ...loaded, text: draft.text, version: draft.baseVersion, conflict: { kind: 'changed', theirs: content } })
    }
    this.onTextChanged.emit(path)
  }

  /** The person typed. */
  edit(path: ProjectPath, text: string): void {
    const document = this.get(path)
    if (document?.phase !== 'ready' || document.text === text) return
    this.#put({ ...document, text, saveError: undefined })
    this.#scheduleDraft(path)
    if (!document.conflict) this.#scheduleSave(path)
    this.onTextChanged.emit(path)
  }

  /** Saves now; `saved` also when there was nothing to save. */
  save(path: ProjectPath): Promise<SaveOutcome> {
    const running = this.#saves.get(path)
    if (running) return running.then((outcome) => (outcome === 'saved' ? this.save(path) : outcome))
    this.#clearTimer(this.#saveTimers, path)
    const document = this.get(path)
    if (document?.conflict) return Promise.resolve('conflict')
    if (!document || !isDirty(document)) return Promise.resolve('saved')
    const save = this.#write(document, document.version).finally(() => this.#saves.delete(path))
    this.#saves.set(path, save)
    return save
  }

  async saveAll(): Promise<Map<ProjectPath, SaveOutcome>> {
    const outcomes = new Map<ProjectPath, SaveOutcome>()
    await Promise.all([...this.#store.get().keys()].map(async (path) => outcomes.set(path, await this.save(path))))
    return outcomes
  }

  /** Resolves a conflict with this text: what others wrote is overwritten, a deleted file comes back. */
  async keepMine(path: ProjectPath): Promise<SaveOutcome> {
    const document = this.get(path)
    if (!document?.conflict) return 'saved'
    if (document.conflict.kind === 'changed') return this.#write(document, document.conflict.theirs.version)
    try {
      await this.#service.createFile(path, document.text)
    } catch (reason) {
      this.#put({ ...document, saveError: messageOf(reason) })
      return 'failed'
    }
    const { version, text } = await this.#service.readFile(path)
    this.#change(path, (current) => ({ ...current, savedText: text, version, conflict: undefined }))
    this.#afterSave(path)
    return 'saved'
  }

  /** Resolves a conflict with the text of the others. */
  takeTheirs(path: ProjectPath): void {
    const document = this.get(path)
    if (document?.conflict?.kind !== 'changed') return
    this.#replace(document, document.conflict.theirs)
  }

  /** Others changed `paths`: an unedited document follows, an edited one is in conflict. */
  async followDisk(paths: Iterable<ProjectPath>): Promise<void> {
    await Promise.all([...paths].map((path) => this.#followOne(path)))
  }

  /** After a reconnection: saves what is waiting and reads what may have changed meanwhile. */
  async resume(): Promise<void> {
    const documents = [...this.#store.get().values()]
    await Promise.all(
      documents.map(async ({ path, phase }) => {
        if (phase === 'failed') await this.open(path)
        else await this.#followOne(path)
        const now = this.get(path)
        if (now && isDirty(now) && !now.conflict) this.#scheduleSave(path)
      }),
    )
  }

  /** The file or folder `from` is now `to`: documents, drafts and timers move along. */
  renamed(from: ProjectPath, to: ProjectPath): void {
    for (const path of [...this.#store.get().keys()].filter((candidate) => isWithin(candidate, from))) {
      const document = this.get(path)!
      const target = movePath(path, from, to)
      this.#forget(path)
      this.#put({ ...document, path: target })
      if (isDirty(document)) {
        this.#writeDraft(target)
        if (!document.conflict) this.#scheduleSave(target)
      }
    }
  }

  /** Forgets documents under `path` with their drafts: the person deleted the file or folder. */
  deleted(path: ProjectPath): void {
    for (const candidate of [...this.#store.get().keys()].filter((open) => isWithin(open, path))) this.#forget(candidate)
    for (const candidate of this.#drafts.paths().filter((draft) => isWithin(draft, path))) this.#drafts.remove(candidate)
  }

  /** Saves and forgets. When saving fails the text stays as a draft and the outcome says so. */
  async close(path: ProjectPath): Promise<SaveOutcome> {
    this.#flushDraft(path)
    const outcome = await this.save(path)
    const document = this.get(path)
    if (!document) return outcome
    const draft = isDirty(document) ? { text: document.text, baseVersion: document.version } : null
    this.#forget(path)
    if (draft) this.#drafts.put(path, draft)
    return outcome
  }

  /** Writes waiting drafts now: the page is about to go. */
  flushDrafts(): void {
    for (const path of [...this.#draftTimers.keys()]) this.#flushDraft(path)
  }

  /** Paths with text that an earlier session left unsaved. */
  draftPaths(): ProjectPath[] {
    return this.#drafts.paths()
  }

  async #write(document: DocumentState, baseVersion: string): Promise<SaveOutcome> {
    const { path, text } = document
    this.#change(path, (current) => ({ ...current, isSaving: true, saveError: undefined }))
    const result = await this.#service
      .writeFile(path, text, baseVersion)
      .catch((reason: unknown) => ({ ok: false, reason: 'error', message: messageOf(reason) }) as const)
    if (result.ok) {
      this.#change(path, (current) => ({ ...current, isSaving: false, savedText: text, version: result.version, conflict: undefined }))
      this.#afterSave(path)
      return 'saved'
    }
    if (result.reason === 'error') {
      this.#change(path, (current) => ({ ...current, isSaving: false, saveError: result.message }))
      return 'failed'
    }
    if (result.current.text === text) {
      this.#change(path, (current) => ({
        ...current,
        isSaving: false,
        savedText: text,
        version: result.current.version,
        conflict: undefined,
      }))
      this.#afterSave(path)
      return 'saved'
    }
    this.#change(path, (current) => ({ ...current, isSaving: false, conflict: { kind: 'changed', theirs: result.current } }))
    return 'conflict'
  }

  #afterSave(path: ProjectPath): void {
    const document = this.get(path)
    if (!document) return
    if (isDirty(document)) {
      this.#scheduleDraft(path)
      this.#scheduleSave(path)
    } else {
      this.#clearTimer(this.#draftTimers, path)
      this.#drafts.remove(path)
    }
    this.onSaved.emit(path)
  }

  async #followOne(path: ProjectPath): Promise<void> {
    await this.#saves.get(path)
    if (this.get(path)?.phase !== 'ready') return
    let content: FileContent | undefined
    try {
      content = await this.#service.readFile(path)
    } catch {
      // Gone, or the connection is: the listing tells which.
      const entries = await this.#service.listFiles().catch(() => null)
      if (!entries || entries.some((entry) => entry.path === path)) return
    }
    await this.#saves.get(path)
    const document = this.get(path)
    if (document?.phase !== 'ready') return
    if (!content) this.#markDeleted(document)
    else if (content.version === document.version)
      this.#change(path, (current) => (current.conflict ? { ...current, conflict: undefined } : current))
    else if (document.text === document.savedText || content.text === document.text) this.#replace(document, content)
    else this.#put({ ...document, conflict: { kind: 'changed', theirs: content } })
  }

  #markDeleted(document: DocumentState): void {
    this.#clearTimer(this.#saveTimers, document.path)
    this.#put({ ...document, conflict: { kind: 'deleted' } })
    this.#writeDraft(document.path)
  }

  #replace(document: DocumentState, content: FileContent): void {
    const { path } = document
    this.#clearTimer(this.#saveTimers, path)
    this.#clearTimer(this.#draftTimers, path)
    this.#drafts.remove(path)
    const changed = content.text !== document.text
    this.#put({
      ...document,
      text: content.text,
      savedText: content.text,
      version: content.version,
      conflict: undefined,
      saveError: undefined,
      replacement: document.replacement + (changed ? 1 : 0),
    })
    if (changed) this.onTextChanged.emit(path)
  }

  #put(document: DocumentState): void {
    this.#store.update((documents) => new Map(documents).set(document.path, document))
  }

  #change(path: ProjectPath, change: (document: DocumentState) => DocumentState): void {
    const document = this.get(path)
    if (document) this.#put(change(document))
  }

  #forget(path: ProjectPath): void {
    this.#clearTimer(this.#saveTimers, path)
    this.#clearTimer(this.#draftTimers, path)
    this.#drafts.remove(path)
    this.#store.update((documents) => {
      const next = new Map(documents)
      next.delete(path)
      return next
    })
  }

  #scheduleSave(path: ProjectPath): void {
    this.#clearTimer(this.#saveTimers, path)
    this.#saveTimers.set(
      path,
      setTimeout(() => void this.save(path), AUTOSAVE_IDLE_MS),
    )
  }

  #scheduleDraft(path: ProjectPath): void {
    if (this.#draftTimers.has(path)) return
    this.#draftTimers.set(
      path,
      setTimeout(() => this.#flushDraft(path), DRAFT_DELAY_MS),
    )
  }

  #flushDraft(path: ProjectPath): void {
    if (!this.#draftTimers.has(path)) return
    this.#clearTimer(this.#draftTimers, path)
    this.#writeDraft(path)
  }

  #writeDraft(path: ProjectPath): void {
    const document = this.get(path)
    if (!document) return
    if (!isDirty(document)) {
      this.#drafts.remove(path)
      return
    }
    const kept = this.#drafts.put(path, { text: document.text, baseVersion: document.version })
    if (!kept && !this.#areDraftsFull) this.#onDraftsFull()
    this.#areDraftsFull = !kept
  }

  #clearTimer(timers: Map<ProjectPath, ReturnType<typeof setTimeout>>, path: ProjectPath): void {
    clearTimeout(timers.get(path))
    timers.delete(path)
  }
}

export function messageOf(reason: unknown): string {
  return reason instanceof Error ? reason.message : String(reason)
}
