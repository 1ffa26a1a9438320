import type { DockviewApi, DockviewGroupPanel, IDockviewPanel, SerializedDockview } from 'dockview-react'
import type { ProjectPath } from '../../protocol/service.ts'
import { baseName, isWithin, movePath } from '../state/paths.ts'
import type { KeyValueStorage } from '../state/storage.ts'
import { readJson } from '../state/storage.ts'
import { createSignal } from '../state/store.ts'
import type { Signal } from '../state/store.ts'

/** The panels that always exist. The land above (files and text), the lagoon below (a machine and its console). */
export const TOOLS = ['project', 'machine', 'console', 'problems'] as const
/** Panels that come when they are called, and which of the others they then stand beside. */
const LAB_TOOLS = { packets: 'console', processes: 'machine' } as const
export type Tool = (typeof TOOLS)[number] | keyof typeof LAB_TOOLS

export interface DocumentParams {
  path: ProjectPath
}

export interface LabConsoleParams {
  /** The machine's name in the lab. */
  node: string
}

/** What stands where documents do, and was last in front there. */
export type Front = { kind: 'document'; path: ProjectPath } | { kind: 'lab' } | null

/** Written into the saved layout; another number means that the panels have changed and it is not read. */
const LAYOUT_VERSION = 1
const SAVE_DELAY_MS = 300
/** More consoles than this start as tabs; side by side they would be too narrow to read. */
const TILED_CONSOLES_MAX = 3

/** Where panels and documents are: opens, finds and moves them, and remembers. Does nothing until the dock is there. */
export class Layout {
  readonly #storage: KeyValueStorage
  #api: DockviewApi | null = null
  #key = ''
  #saveTimer: ReturnType<typeof setTimeout> | undefined
  #lastId = 0
  /** Panels being moved between groups leave one before they enter the other; a document that only moves is not closed. */
  #isReplacing = false
  readonly onFront: Signal<[front: Front]> = createSignal()
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
    for (const { id } of api.panels) this.#lastId = Math.max(this.#lastId, Number(/-(\d+)$/.exec(id)?.[1] ?? 0))
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
    const panel = this.#api?.getPanel(tool) ?? this.#addTool(tool)
    if (panel) this.#bringUp(panel, keepFocus)
  }

  /** Makes a tool known by its tab, behind what is in front. */
  add(tool: Tool): void {
    if (!this.#api?.getPanel(tool)) this.#addTool(tool)
  }

  /** Shows the lab's topology where documents are. */
  openTopology(): void {
    const api = this.#api
    if (!api) return
    const panel =
      api.getPanel('topology') ??
      api.addPanel({ id: 'topology', component: 'topology', tabComponent: 'topology', title: 'topology', position: this.#documentPlace() })
    this.#bringUp(panel, false)
  }

  /** Shows the console of one of the lab's machines. */
  openLabConsole(node: string): void {
    const panel = this.#labConsole(node) ?? this.#addLabConsole(node)
    if (panel) this.#bringUp(panel, false)
  }

  /** Makes consoles for machines that have none: a few of them side by side, more as tabs. The focus stays where it is. */
  addLabConsoles(nodes: readonly string[]): void {
    const missing = nodes.filter((node) => !this.#labConsole(node))
    const isFirst = this.#labConsolePanels().length === 0
    this.#keepFocus(() => {
      const panels = missing.flatMap((node) => this.#addLabConsole(node) ?? [])
      if (isFirst && panels.length > 1 && panels.length <= TILED_CONSOLES_MAX) this.tileLabConsoles()
      else panels[0]?.api.setActive()
    })
  }

  /** Machines that have a console open, in the order of their tabs. */
  labConsoles(): string[] {
    return this.#labConsolePanels().map((panel) => nodeOf(panel)!)
  }

  closeLabConsole(node: string): void {
    this.#labConsole(node)?.api.close()
  }

  renameLabConsole(from: string, to: string): void {
    const panel = this.#labConsole(from)
    panel?.api.updateParameters({ node: to })
    this.#saveSoon()
  }

  /** The lab's consoles side by side, in as many rows as make them wide enough to read. */
  tileLabConsoles(): void {
    const api = this.#api
    const panels = this.#labConsolePanels()
    const [first, ...others] = panels
    if (!api || !first) return
    this.#isReplacing = true
    const packets = this.#packetsApart(first.group)
    const columns = panels.length <= 3 ? panels.length : Math.ceil(Math.sqrt(panels.length))
    const heads: IDockviewPanel[] = [first]
    for (const [index, panel] of others.entries()) {
      const column = (index + 1) % columns
      if (index + 1 < columns) {
        // The packets already have a column: it is the last console's too, rather than a further one.
        if (packets && index + 2 === columns) panel.api.moveTo({ group: packets, position: 'center', index: 0 })
        else panel.api.moveTo({ group: heads[index].group, position: 'right' })
        heads.push(panel)
      } else panel.api.moveTo({ group: heads[column].group, position: 'bottom' })
    }
    this.#isReplacing = false
    this.#tidyGroups()
    first.api.setActive()
  }

  /** The lab's consoles as tabs of one group. */
  stackLabConsoles(): void {
    const [first, ...others] = this.#labConsolePanels()
    if (!first) return
    this.#isReplacing = true
    for (const panel of others) panel.api.moveTo({ group: first.group, position: 'center' })
    this.#isReplacing = false
    first.api.setActive()
    this.#tidyGroups()
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

  /** Closes the panel whose tab this is, unless it is one that always exists. */
  closeTab(tab: Element): void {
    const panel = this.#api?.panels.find(({ view }) => tab.contains(view.tab.element))
    if (panel && isClosable(panel)) panel.api.close()
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

  /** The default places; open documents, consoles and the lab stay open. */
  reset(): void {
    const documents = this.documents()
    const consoles = this.labConsoles()
    const active = this.#activeDocument()
    const activePath = active && pathOf(active)
    const hasTopology = this.#api?.getPanel('topology') !== undefined
    const tools = (Object.keys(LAB_TOOLS) as (keyof typeof LAB_TOOLS)[]).filter((tool) => this.#api?.getPanel(tool))
    this.#isReplacing = true
    this.#api?.clear()
    this.#isReplacing = false
    this.#buildDefault()
    this.addLabConsoles(consoles)
    for (const tool of tools) this.#addTool(tool)
    for (const path of documents) this.openDocument(path)
    if (hasTopology) this.openTopology()
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
    api.addPanel<DocumentParams>({
      id: `${component}-${++this.#lastId}`,
      component,
      tabComponent: 'document',
      title,
      params: { path },
      position: this.#documentPlace(),
    })
  }

  /** Where a document, or the lab, opens. */
  #documentPlace(): { referenceGroup: DockviewGroupPanel } | { direction: 'right' } {
    const api = this.#api!
    const group =
      this.#activeDocument()?.group ?? api.panels.find(isCentral)?.group ?? api.groups.find((candidate) => candidate.panels.length === 0)
    return group ? { referenceGroup: group } : { direction: 'right' }
  }

  /** Does something to the panels that leaves the person where they are. */
  #keepFocus(work: () => void): void {
    const focused = document.activeElement
    const active = this.#api?.activePanel
    work()
    if (active?.api.isVisible && this.#api?.activePanel !== active) active.api.setActive()
    if (focused instanceof HTMLElement && document.activeElement !== focused) focused.focus()
  }

  #bringUp(panel: IDockviewPanel, keepFocus: boolean): void {
    if (this.#api?.hasMaximizedGroup() && !panel.api.isMaximized()) this.#api.exitMaximizedGroup()
    if (keepFocus) {
      this.#keepFocus(() => {
        if (!panel.api.isVisible) panel.api.setActive()
      })
      return
    }
    panel.api.setActive()
    panel.view.content.element.querySelector<HTMLElement>('[data-autofocus]')?.focus()
  }

  /** A tool that is not there yet: beside its neighbour, without pushing it away. */
  #addTool(tool: Tool): IDockviewPanel | undefined {
    const api = this.#api
    if (!api) return undefined
    const neighbour = tool in LAB_TOOLS ? api.getPanel(LAB_TOOLS[tool as keyof typeof LAB_TOOLS]) : undefined
    const beside = neighbour ? ({ referencePanel: neighbour } as const) : ({ direction: 'below' } as const)
    const position = (tool === 'packets' && this.#besideConsoles()) || beside
    return api.addPanel({ id: tool, component: tool, title: tool, position, inactive: true })
  }

  /** Where what the lab's consoles do can be watched while one types into the first of them. */
  #besideConsoles(): { referencePanel: IDockviewPanel; direction?: 'right' } | null {
    const consoles = this.#labConsolePanels()
    const last = consoles.at(-1)
    if (!last) return null
    return last.group === consoles[0].group ? { referencePanel: last, direction: 'right' } : { referencePanel: last }
  }

  /** The group of the packets, when they have one that is not `group`, for themselves or with consoles. */
  #packetsApart(group: DockviewGroupPanel): DockviewGroupPanel | null {
    const packets = this.#api?.getPanel('packets')
    if (!packets || packets.group === group) return null
    return packets.group.panels.every((panel) => panel === packets || nodeOf(panel) !== null) ? packets.group : null
  }

  /** The lab's consoles stand in more than one group. */
  areConsolesTiled(): boolean {
    return new Set(this.#labConsolePanels().map(({ group }) => group)).size > 1
  }

  #addLabConsole(node: string): IDockviewPanel | undefined {
    const api = this.#api
    const beside = this.#labConsolePanels().at(-1) ?? api?.getPanel('console')
    return api?.addPanel<LabConsoleParams>({
      id: `lab-console-${++this.#lastId}`,
      component: 'labConsole',
      tabComponent: 'labConsole',
      title: node,
      params: { node },
      position: beside ? { referencePanel: beside } : { direction: 'below' },
    })
  }

  #labConsolePanels(): IDockviewPanel[] {
    return (this.#api?.panels ?? []).filter((panel) => nodeOf(panel) !== null)
  }

  #labConsole(node: string): IDockviewPanel | undefined {
    return this.#labConsolePanels().find((panel) => nodeOf(panel) === node)
  }

  #find(component: string, path: ProjectPath): IDockviewPanel | undefined {
    return this.#api?.panels.find((panel) => panel.view.contentComponent === component && pathOf(panel) === path)
  }

  /** The document or the lab in front: the active panel, else that of a group that shows one. */
  #activeDocument(): IDockviewPanel | undefined {
    const api = this.#api
    if (!api) return undefined
    const inFront = [api.activePanel, ...api.groups.map((group) => group.activePanel)]
    const last = inFront.find((panel) => panel?.id === this.#lastActiveId)
    if (api.activePanel && isCentral(api.activePanel)) return api.activePanel
    return last ?? inFront.find((panel) => panel && isCentral(panel))
  }
  #lastActiveId = ''

  #reportActive(): void {
    const panel = this.#activeDocument()
    this.#lastActiveId = panel?.id ?? ''
    const path = panel ? pathOf(panel) : null
    this.onFront.emit(path !== null ? { kind: 'document', path } : panel ? { kind: 'lab' } : null)
  }

  /** An empty group is the place for documents (it shows the welcome); there is one of them, and none beside documents. */
  #tidyGroups(): void {
    const api = this.#api
    if (!api || this.#isReplacing) return
    const empty = api.groups.filter((group) => group.panels.length === 0)
    const hasDocuments = api.panels.some(isCentral)
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
    for (const id of TOOLS) if (!this.#api!.getPanel(id)) this.#addTool(id)
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

function nodeOf(panel: IDockviewPanel): string | null {
  const node = (panel.params as Partial<LabConsoleParams> | undefined)?.node
  return panel.view.contentComponent === 'labConsole' && typeof node === 'string' ? node : null
}

/** Stands where documents do. */
function isCentral(panel: IDockviewPanel): boolean {
  return pathOf(panel) !== null || panel.id === 'topology'
}

/** Comes when it is called, and may go. */
export function isClosableTool(tool: Tool): boolean {
  return tool in LAB_TOOLS
}

function isClosable(panel: IDockviewPanel): boolean {
  return !(TOOLS as readonly string[]).includes(panel.id)
}
