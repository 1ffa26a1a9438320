import type { Attachment, ProjectPath } from '../protocol/service.ts'
import type { ConnectOptions, WorkbenchConnection } from '../protocol/transport.ts'
import type { Commands } from './commands/commands.ts'
import { createCommands } from './commands/commands.ts'
import type { I18n } from './i18n/i18n.ts'
import type { LabConsolesView, LabDialog } from './lab/lab-bench.ts'
import { LabBench } from './lab/lab-bench.ts'
import type { Front, Layout } from './panels/layout.ts'
import type { Attached, SessionState } from './service/session.ts'
import { Diagnostics } from './state/diagnostics.ts'
import type { SaveOutcome } from './state/documents.ts'
import { Documents, isDirty, messageOf } from './state/documents.ts'
import { Drafts } from './state/drafts.ts'
import type { ConsoleSink } from './state/machine.ts'
import { MachineController } from './state/machine.ts'
import type { Notices } from './state/notices.ts'
import { baseName, extensionOf, isProgram, isWithin, movePath } from './state/paths.ts'
import { Project } from './state/project.ts'
import type { Settings } from './state/settings.ts'
import type { KeyValueStorage } from './state/storage.ts'
import type { ReadonlyStore, Store } from './state/store.ts'
import { createStore } from './state/store.ts'

/** The console's terminal, as the workbench drives it. */
export interface ConsoleView extends ConsoleSink {
  readonly isSearchOpen: Store<boolean>
  clear(): void
  focus(): void
  hasFocus(): boolean
}

/** The text editors, as the workbench drives them. */
export interface EditorsView {
  /** Puts the cursor there, as soon as the document's editor is up. */
  reveal(path: ProjectPath, place: { line: number; column: number; endLine?: number; endColumn?: number }): void
  focus(path: ProjectPath): void
  renamed(from: ProjectPath, to: ProjectPath): void
}

export type Dialog =
  null | { kind: 'palette' } | { kind: 'settings' } | { kind: 'delete'; path: ProjectPath; isFolder: boolean; files: number } | LabDialog

export interface WorkbenchDependencies {
  connection: WorkbenchConnection
  session: ReadonlyStore<SessionState>
  storage: KeyValueStorage
  settings: Settings
  notices: Notices
  i18n: ReadonlyStore<I18n>
  layout: Layout
  console: ConsoleView
  labConsoles: LabConsolesView
  editors: EditorsView
  /** Hands a file to the person. */
  download: (name: string, bytes: Uint8Array) => void
}

/** One project in one window: its parts, and what takes more than one of them to do. */
export class Workbench implements Attached {
  readonly session: ReadonlyStore<SessionState>
  readonly storage: KeyValueStorage
  readonly settings: Settings
  readonly notices: Notices
  readonly i18n: ReadonlyStore<I18n>
  readonly layout: Layout
  readonly console: ConsoleView
  readonly labConsoles: LabConsolesView
  readonly editors: EditorsView
  readonly project: Project
  readonly documents: Documents
  readonly diagnostics: Diagnostics
  readonly machine: MachineController
  readonly lab: LabBench
  readonly commands: Commands
  readonly events: ConnectOptions['events']
  readonly dialogs: Store<Dialog> = createStore<Dialog>(null)
  /** The document shown last, also while another panel has the focus. */
  readonly activePath: Store<ProjectPath | null> = createStore<ProjectPath | null>(null)
  /** The lab stands where documents do and was last in front there: Boot, Stop and Save are about it. */
  readonly isLabInFront: Store<boolean> = createStore(false)
  /** The folder in which the tree asks for a new file's name. */
  readonly newFileFolder: Store<ProjectPath | null> = createStore<ProjectPath | null>(null)
  /** What screen readers hear next. */
  readonly announcement: Store<string> = createStore('')
  readonly #location: string
  #lastProgram: ProjectPath | null

  constructor(dependencies: WorkbenchDependencies, attachment: Attachment) {
    const { connection, storage, notices, i18n } = dependencies
    const { service } = connection
    this.session = dependencies.session
    this.storage = storage
    this.settings = dependencies.settings
    this.notices = notices
    this.i18n = i18n
    this.layout = dependencies.layout
    this.console = dependencies.console
    this.labConsoles = dependencies.labConsoles
    this.editors = dependencies.editors
    this.#location = attachment.projectLocation
    this.#lastProgram = storage.get(this.key('program'))

    this.project = new Project(service, storage)
    this.documents = new Documents({
      service,
      drafts: new Drafts(storage, this.#location),
      onDraftsFull: () =>
        this.notices.show({ severity: 'error', title: this.t('notice.draftsFull'), detail: this.t('notice.draftsFull.detail') }),
    })
    this.diagnostics = new Diagnostics({
      service,
      textOf: (path) => {
        const document = this.documents.get(path)
        return document?.phase === 'ready' ? document.text : undefined
      },
    })
    this.documents.onTextChanged.subscribe((path) => this.diagnostics.schedule(path))
    this.documents.onSaved.subscribe((path) => {
      notices.dismissKey(unsavedKey(path))
      if (extensionOf(path) === 'h') this.diagnostics.headerSaved(this.documents.store.get().keys())
    })
    this.machine = new MachineController({
      service,
      console: this.console,
      onBuilt: (program, build) => this.diagnostics.setFromBuild(program, build.diagnostics),
    })
    this.lab = new LabBench({
      service,
      diagnose: async (path) => service.check(path, (await service.readFile(path)).text),
      storage,
      projectKey: this.#location,
      notices,
      i18n,
      layout: this.layout,
      consoles: this.labConsoles,
      show: (dialog) => this.dialogs.set(dialog),
      announce: (text) => this.announce(text),
      isConnected: () => this.isConnected(),
      saveDocuments: () => this.#saveBeforeBuild(),
      onBuilt: (program, diagnostics) => this.diagnostics.setFromBuild(program, diagnostics),
      download: dependencies.download,
    })
    this.events = {
      ...this.lab.events,
      console: (id, bytes) => this.machine.output(id, bytes),
      status: (status) => this.machine.status(status),
      filesChanged: async (paths) => {
        await Promise.all([this.refreshProject(), this.documents.followDisk(paths)])
        if (paths.some((path) => extensionOf(path) === 'h')) this.diagnostics.headerSaved(this.documents.store.get().keys())
      },
    }
    this.commands = createCommands(this)
    this.#take(attachment)
  }

  get t(): I18n['t'] {
    return this.i18n.get().t
  }

  /** A storage key of this project. */
  key(name: string): string {
    return `atoll:${name}:${this.#location}`
  }

  reattach(attachment: Attachment): boolean {
    if (attachment.projectLocation !== this.#location) return false
    this.#take(attachment)
    void this.documents.resume()
    this.notices.show({ severity: 'info', title: this.t('connection.restored') })
    return true
  }

  async refreshProject(): Promise<void> {
    try {
      await this.project.refresh()
    } catch (reason) {
      if (this.isConnected()) this.#failed(this.t('notice.listFailed'), reason)
    }
  }

  isConnected(): boolean {
    return this.session.get().kind === 'connected'
  }

  /** The program that Build and Boot are about: the active document, else the last one booted, else the project's first. */
  target(): ProjectPath | null {
    const active = this.activePath.get()
    if (active !== null && isProgram(active)) return active
    const { entries } = this.project.store.get()
    if (this.#lastProgram !== null && (entries === null || this.project.has(this.#lastProgram))) return this.#lastProgram
    const programs = (entries ?? []).filter(({ kind, path }) => kind === 'file' && isProgram(path)).map(({ path }) => path)
    return programs.find((path) => baseName(path) === 'hello.c') ?? programs[0] ?? null
  }

  openDocument(path: ProjectPath, place?: { line: number; column: number; endLine?: number; endColumn?: number }): void {
    this.layout.openDocument(path)
    if (place) this.editors.reveal(path, place)
    else this.editors.focus(path)
  }

  async save(): Promise<void> {
    const path = this.activePath.get()
    if (path !== null) this.#explainUnsaved(path, await this.documents.save(path))
  }

  async build(): Promise<void> {
    const program = this.target()
    if (program === null || this.#isOffline() || !(await this.#saveBeforeBuild())) return
    try {
      const build = await this.machine.build(program)
      if (!build) return
      const { duration } = this.i18n.get()
      if (!build.ok) this.#buildFailed(program, build.message)
      else
        this.notices.show({
          severity: 'info',
          title: this.t('notice.buildOk', { program: baseName(program), duration: duration(build.elapsedMs) }),
        })
    } catch (reason) {
      this.#failed(this.t('notice.buildFailed', { program: baseName(program) }), reason)
    }
  }

  async boot(): Promise<void> {
    const program = this.target()
    if (program === null || this.#isOffline() || !(await this.#saveBeforeBuild())) return
    this.#lastProgram = program
    this.storage.set(this.key('program'), program)
    const outcome = await this.machine.boot(program)
    if (outcome?.kind === 'booted') {
      this.layout.show('console', { keepFocus: true })
    } else if (outcome?.kind === 'build-failed') {
      this.#buildFailed(
        program,
        this.machine.store.get().lastBuild?.message ?? (this.#problemCount(program) > 0 ? undefined : outcome.message),
      )
    } else if (outcome?.kind === 'failed') {
      this.#failed(this.t('notice.bootFailed', { program: baseName(program) }), outcome.message)
    }
  }

  async stop(): Promise<void> {
    if (this.#isOffline()) return
    await this.machine.stop().catch((reason: unknown) => this.#failed(this.t('notice.stopFailed'), reason))
  }

  async reset(): Promise<void> {
    if (this.#isOffline()) return
    this.layout.show('console', { keepFocus: true })
    await this.machine.reset().catch((reason: unknown) => this.#failed(this.t('notice.resetFailed'), reason))
  }

  /** Types into the machine; what cannot be delivered is refused in sight. */
  type(bytes: Uint8Array): void {
    if (!this.isConnected()) {
      this.notices.show({ severity: 'info', title: this.t('console.refused.offline') })
      return
    }
    const typed = this.machine.type(bytes)
    if (!typed) this.notices.show({ severity: 'info', title: this.t('console.refused') })
    else typed.catch((reason: unknown) => this.#failed(this.t('notice.typeFailed'), reason))
  }

  /** What was brought to the front where documents are. */
  frontChanged(front: Front): void {
    this.activePath.set(front?.kind === 'document' ? front.path : null)
    this.isLabInFront.set(front?.kind === 'lab')
  }

  /** Between what is edited and its console: text and machine, or canvas and the machine that is selected there. */
  toggleConsole(): void {
    const path = this.activePath.get()
    const node = this.lab.lastMachine.get() ?? this.layout.labConsoles()[0]
    if (this.labConsoles.hasFocus()) this.layout.openTopology()
    else if (this.console.hasFocus() && path !== null) this.openDocument(path)
    else if (this.isLabInFront.get() && node !== undefined) this.lab.openConsole(node)
    else {
      this.layout.show('console')
      this.console.focus()
    }
  }

  openConsoleSearch(): void {
    const node = this.labConsoles.focused()
    if (node !== null) {
      this.labConsoles.openSearch(node)
      return
    }
    this.layout.show('console')
    this.console.isSearchOpen.set(true)
  }

  /** Asks for the name in the tree. */
  startNewFile(folder: ProjectPath): void {
    this.layout.show('project')
    if (folder !== '') this.project.setExpanded(folder, true)
    this.newFileFolder.set(folder)
  }

  async createFile(path: ProjectPath): Promise<void> {
    try {
      await this.project.create(path)
      this.openDocument(path)
    } catch (reason) {
      this.#failed(this.t('notice.createFailed', { name: path }), reason)
    }
  }

  async renameFile(from: ProjectPath, to: ProjectPath): Promise<void> {
    const open = [...this.documents.store.get().keys()].filter((path) => isWithin(path, from))
    await Promise.all(open.map((path) => this.documents.save(path)))
    try {
      await this.project.rename(from, to)
    } catch (reason) {
      this.#failed(this.t('notice.renameFailed', { name: from }), reason)
      return
    }
    this.editors.renamed(from, to)
    this.documents.renamed(from, to)
    this.diagnostics.renamed(from, to)
    this.layout.renamed(from, to)
    const active = this.activePath.get()
    if (active !== null) this.activePath.set(movePath(active, from, to))
    if (this.#lastProgram !== null) this.#lastProgram = movePath(this.#lastProgram, from, to)
  }

  confirmDelete(path: ProjectPath): void {
    const entries = this.project.store.get().entries ?? []
    const isFolder = !entries.some((entry) => entry.path === path && entry.kind === 'file')
    const files = entries.filter((entry) => entry.kind === 'file' && isWithin(entry.path, path)).length
    this.dialogs.set({ kind: 'delete', path, isFolder, files })
  }

  async deleteFile(path: ProjectPath): Promise<void> {
    try {
      await this.project.delete(path)
    } catch (reason) {
      this.#failed(this.t('notice.deleteFailed', { name: path }), reason)
      return
    }
    this.documents.deleted(path)
    this.diagnostics.deleted(path)
    this.layout.closeDocuments(path)
  }

  /** The person closed the document's last tab. */
  async documentClosed(path: ProjectPath): Promise<void> {
    if (!this.documents.get(path)) return
    const wasDirty = isDirty(this.documents.get(path)!)
    const outcome = await this.documents.close(path)
    this.diagnostics.closed(path)
    if (!wasDirty || outcome === 'saved') return
    this.notices.show({
      severity: 'error',
      title: this.t('notice.closedUnsaved', { name: path }),
      detail: this.t('notice.closedUnsaved.detail'),
      actions: [{ label: this.t('notice.unsaved.open', { name: baseName(path) }), run: () => this.openDocument(path) }],
    })
  }

  announce(text: string): void {
    this.announcement.set(text)
  }

  #take({ projectName, projectLocation, shell, machines }: Attachment): void {
    this.project.attached({ name: projectName, location: projectLocation, shell })
    this.machine.attached(machines)
    void this.refreshProject()
    void this.lab.lab.attached()
  }

  #problemCount(program: ProjectPath): number {
    return this.diagnostics.store.get().get(program)?.length ?? 0
  }

  async #saveBeforeBuild(): Promise<boolean> {
    const outcomes = await this.documents.saveAll()
    for (const [path, outcome] of outcomes) this.#explainUnsaved(path, outcome)
    return [...outcomes.values()].every((outcome) => outcome === 'saved')
  }

  #explainUnsaved(path: ProjectPath, outcome: SaveOutcome): void {
    if (outcome === 'saved' || !this.isConnected()) return
    this.notices.show({
      severity: 'error',
      key: unsavedKey(path),
      title: this.t('notice.unsaved', { name: path }),
      detail: outcome === 'conflict' ? this.t('notice.unsaved.conflict') : this.documents.get(path)?.saveError,
      actions: [{ label: this.t('notice.unsaved.open', { name: baseName(path) }), run: () => this.openDocument(path) }],
    })
  }

  #buildFailed(program: ProjectPath, message: string | undefined): void {
    const title = this.t('notice.buildFailed', { program: baseName(program) })
    this.announce(title)
    if (this.#problemCount(program) > 0) this.layout.show('problems', { keepFocus: true })
    if (message !== undefined || this.#problemCount(program) === 0) this.notices.show({ severity: 'error', title, detail: message })
  }

  #failed(title: string, reason: unknown): void {
    this.notices.show({ severity: 'error', title, detail: messageOf(reason) })
  }

  /** What needs the service is refused in sight while it is out of reach; the banner says the rest. */
  #isOffline(): boolean {
    if (this.isConnected()) return false
    this.notices.show({ severity: 'info', title: this.t('notice.offline') })
    return true
  }
}

/** Key of the notice that a document is not saved. */
function unsavedKey(path: ProjectPath): string {
  return `unsaved:${path}`
}
