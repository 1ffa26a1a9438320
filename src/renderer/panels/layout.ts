import type { DockviewApi, DockviewGroupPanel, IDockviewPanel, SerializedDockview } from 'dockview-react'
import type { ProjectPath } from '../../protocol/service.ts'
import { baseName, isWithin, movePath } from '../state/paths.ts'
import type { KeyValueStorage } from '../state/storage.ts'
import { readJson } from '../state/storage.ts'
import { createSignal } from '../state/store.ts'
import type { Signal } from '../state/store.ts'

/** The panels that always exist. The land above (files and text), the lagoon below (a machine and its console). */
export const TOOLS = ['project', 'machine', 'console', 'problems'] as const
export type Tool = (typeof TOOLS)[number]

export interface DocumentParams {
  path: ProjectPath
}

/** Written into the saved layout; another number means that the panels have changed and it is not read. */
const LAYOUT_VERSION = 1
const SAVE_DELAY_MS = 300

/** Where panels and documents are: opens, finds and moves them, and remembers. Does nothing until the dock is there. */
export class Layout {
  readonly #storage: KeyValueStorage
  #api: DockviewApi | null = null
  #key = ''
  #saveTimer: ReturnType<typeof setTimeout> | undefined
  #lastId = 0
  /** Panels being moved between groups leave one before they enter the other; a document that only moves is not closed. */
  #isReplacing = false
  readonly onActiveDocument: Signal<[path: ProjectPath | null]> = createSignal()
  readonly onDocumentClosed: Signal<[path: ProjectPath]> = createSignal()

  constructor(storage: KeyValueStorage) {
    this.#storage = storage
  }

  /** The dock is there: brings back the saved layout, or the default one. */
  attach(api: DockviewApi, key: string): void {
    this.#api = api
    this.#key = key
    if (!this.#restore()) this.#buildDefault()
    this.#ensureTools()
    for (const { id } of api.panels) this.#lastId = Math.max(this.#lastId, Number(/^document-(\d+)$/.exec(id)?.[1] ?? 0))
    api.onDidLayoutChange(() => this.#saveSoon())
    api.onDidRemovePanel((panel) => {
      const path = pathOf(panel)
      if (path !== null && isEditor(panel) && !this.#isReplacing) this.onDocumentClosed.emit(path)
      queueMicrotask(() => this.#tidyGroups())
    })
    api.onDidAddPanel(() => this.#updateHeaders())
    api.onDidMovePanel(() => this.#tidyGroups())
    api.onDidActivePanelChange(() => this.#reportActive())
    this.#tidyGroups()
    this.#reportActive()
  }

  /** Documents with a tab. */
  documents(): ProjectPath[] {
    return (this.#api?.panels ?? []).filter(isEditor).map((panel) => pathOf(panel)!)
  }

  show(tool: Tool, { keepFocus = false } = {}): void {
    const panel = this.#api?.getPanel(tool)
    if (!panel) return
    if (this.#api?.hasMaximizedGroup() && !panel.api.isMaximized()) this.#api.exitMaximizedGroup()
    const focused = document.activeElement
    if (!panel.api.isVisible || !keepFocus) panel.api.setActive()
    if (keepFocus) {
      if (focused instanceof HTMLElement && document.activeElement !== focused) focused.focus()
    } else panel.view.content.element.querySelector<HTMLElement>('[data-autofocus]')?.focus()
  }

  openDocument(path: ProjectPath): void {
    this.#open('document', path, { title: baseName(path) })
  }

  openComparison(path: ProjectPath): void {
    this.#open('comparison', path, { title: baseName(path) })
  }

  closeComparison(path: ProjectPath): void {
    this.#find('comparison', path)?.api.close()
  }

  closeActiveDocument(): void {
    const panel = this.#activeDocument()
    panel?.api.close()
  }

  /** Closes the document or comparison whose tab this is. */
  closeTab(tab: Element): void {
    const panel = this.#api?.panels.find(({ view }) => tab.contains(view.tab.element))
    if (panel && pathOf(panel) !== null) panel.api.close()
  }

  /** Closes the tabs of everything under `path`, which is gone. */
  closeDocuments(path: ProjectPath): void {
    for (const panel of [...(this.#api?.panels ?? [])]) {
      const document = pathOf(panel)
      if (document !== null && isWithin(document, path)) panel.api.close()
    }
  }

  renamed(from: ProjectPath, to: ProjectPath): void {
    for (const panel of this.#api?.panels ?? []) {
      const path = pathOf(panel)
      if (path === null || !isWithin(path, from)) continue
      const target = movePath(path, from, to)
      panel.api.updateParameters({ path: target })
      panel.api.setTitle(baseName(target))
    }
    this.#saveSoon()
  }

  /** The default places; open documents stay open. */
  reset(): void {
    const documents = this.documents()
    const active = this.#activeDocument()
    const activePath = active && pathOf(active)
    this.#isReplacing = true
    this.#api?.clear()
    this.#isReplacing = false
    this.#buildDefault()
    for (const path of documents) this.openDocument(path)
    if (activePath) this.openDocument(activePath)
    this.#tidyGroups()
  }

  /** Writes what waits to be written: the page is about to go. */
  flush(): void {
    if (this.#saveTimer === undefined) return
    clearTimeout(this.#saveTimer)
    this.#saveTimer = undefined
    this.#save()
  }

  /** Puts the focus into the next group of panels, or the previous one. */
  focusGroup(step: 1 | -1): void {
    const api = this.#api
    if (!api) return
    const place = ({ element }: DockviewGroupPanel): DOMRect => element.getBoundingClientRect()
    const groups = api.groups
      .filter((group) => group.api.isVisible)
      .sort((a, b) => place(a).top - place(b).top || place(a).left - place(b).left)
    const current = groups.findIndex((group) => group.element.contains(document.activeElement))
    const next = groups.at((current + step) % groups.length)
    next?.activePanel?.api.setActive()
    const content = next?.activePanel?.view.content.element ?? next?.element
    content?.querySelector<HTMLElement>('[data-autofocus], textarea, [role="textbox"], button')?.focus()
  }

  /** Moves the panel in front, tab and all, to a place beside its neighbours: what dragging does, for the keyboard. */
  movePanel(direction: 'left' | 'right' | 'above' | 'below'): void {
    const api = this.#api
    const panel = api?.activePanel
    if (!api || !panel) return
    const position = ({ left: 'left', right: 'right', above: 'top', below: 'bottom' } as const)[direction]
    const adjacent = api.adjacentGroupInDirection(
      panel.group,
      ({ left: 'left', right: 'right', above: 'up', below: 'down' } as const)[direction],
    )
    if (adjacent) panel.api.moveTo({ group: adjacent as DockviewGroupPanel, position: 'center' })
    else if (panel.group.panels.length > 1) panel.api.moveTo({ group: panel.group, position })
    panel.api.setActive()
  }

  #open(component: 'document' | 'comparison', path: ProjectPath, { title }: { title: string }): void {
    const api = this.#api
    if (!api) return
    if (api.hasMaximizedGroup()) api.exitMaximizedGroup()
    const existing = this.#find(component, path)
    if (existing) {
      existing.api.setActive()
      return
    }
    const group =
      this.#activeDocument()?.group ??
      api.panels.find((panel) => pathOf(panel) !== null)?.group ??
      api.groups.find((g) => g.panels.length === 0)
    api.addPanel<DocumentParams>({
      id: `${component}-${++this.#lastId}`,
      component,
      tabComponent: 'document',
      title,
      params: { path },
      position: group ? { referenceGroup: group } : { direction: 'right' },
    })
  }

  #find(component: string, path: ProjectPath): IDockviewPanel | undefined {
    return this.#api?.panels.find((panel) => panel.view.contentComponent === component && pathOf(panel) === path)
  }

  /** The document in front: the active panel's, else that of a group that shows one. */
  #activeDocument(): IDockviewPanel | undefined {
    const api = this.#api
    if (!api) return undefined
    const inFront = [api.activePanel, ...api.groups.map((group) => group.activePanel)]
    const last = inFront.find((panel) => panel?.id === this.#lastActiveId)
    if (api.activePanel && pathOf(api.activePanel) !== null) return api.activePanel
    return last ?? inFront.find((panel) => panel && pathOf(panel) !== null)
  }
  #lastActiveId = ''

  #reportActive(): void {
    const panel = this.#activeDocument()
    this.#lastActiveId = panel?.id ?? ''
    this.onActiveDocument.emit(panel ? pathOf(panel) : null)
  }

  /** An empty group is the place for documents (it shows the welcome); there is one of them, and none beside documents. */
  #tidyGroups(): void {
    const api = this.#api
    if (!api || this.#isReplacing) return
    const empty = api.groups.filter((group) => group.panels.length === 0)
    const hasDocuments = api.panels.some((panel) => pathOf(panel) !== null)
    for (const group of hasDocuments ? empty : empty.slice(1)) api.removeGroup(group)
    if (!hasDocuments && empty.length === 0) {
      const project = api.getPanel('project')
      api.addGroup(project ? { referencePanel: project, direction: 'right' } : { direction: 'above' })
    }
    this.#updateHeaders()
    this.#reportActive()
  }

  /** A group without panels has no tabs to show. */
  #updateHeaders(): void {
    for (const { header, panels } of this.#api?.groups ?? []) {
      const isEmpty = panels.length === 0
      if (header.hidden !== isEmpty) header.hidden = isEmpty
    }
  }

  #buildDefault(): void {
    const api = this.#api!
    const sideWidth = Math.round(Math.min(272, Math.max(208, api.width * 0.18)))
    const consoleHeight = Math.round(api.height * 0.42)
    const editors = api.addGroup()
    const lagoon = api.addPanel({
      id: 'console',
      component: 'console',
      title: 'console',
      position: { referenceGroup: editors, direction: 'below' },
    })
    api.addPanel({ id: 'problems', component: 'problems', title: 'problems', position: { referencePanel: lagoon }, inactive: true })
    const project = api.addPanel({
      id: 'project',
      component: 'project',
      title: 'project',
      position: { referenceGroup: editors, direction: 'left' },
    })
    const machine = api.addPanel({
      id: 'machine',
      component: 'machine',
      title: 'machine',
      position: { referencePanel: lagoon, direction: 'left' },
    })
    lagoon.group.api.setSize({ height: consoleHeight })
    project.group.api.setSize({ width: sideWidth })
    machine.group.api.setSize({ width: sideWidth })
  }

  /** A layout saved by an earlier version may lack a tool. */
  #ensureTools(): void {
    for (const id of TOOLS)
      if (!this.#api!.getPanel(id)) this.#api!.addPanel({ id, component: id, title: id, position: { direction: 'below' } })
  }

  #restore(): boolean {
    const saved = readJson(this.#storage, this.#key) as { version?: unknown; dock?: unknown } | null
    if (saved?.version !== LAYOUT_VERSION) return false
    try {
      this.#api!.fromJSON(saved.dock as SerializedDockview)
      return true
    } catch {
      this.#api!.clear()
      return false
    }
  }

  #saveSoon(): void {
    clearTimeout(this.#saveTimer)
    this.#saveTimer = setTimeout(() => this.flush(), SAVE_DELAY_MS)
  }

  #save(): void {
    if (this.#api && !this.#isReplacing) this.#storage.set(this.#key, JSON.stringify({ version: LAYOUT_VERSION, dock: this.#api.toJSON() }))
  }
}

function pathOf(panel: IDockviewPanel): ProjectPath | null {
  const path = (panel.params as Partial<DocumentParams> | undefined)?.path
  return typeof path === 'string' ? path : null
}

function isEditor(panel: IDockviewPanel): boolean {
  return panel.view.contentComponent === 'document'
}
