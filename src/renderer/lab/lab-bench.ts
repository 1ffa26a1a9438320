import type { LabChange, LabEvents, LabNode, LabService, LabTopology, LinkImpairments, NodeKind, NodePosition } from '../../protocol/lab.ts'
import type { Diagnostic, ProjectPath } from '../../protocol/service.ts'
import type { I18n } from '../i18n/i18n.ts'
import type { Layout } from '../panels/layout.ts'
import { messageOf } from '../state/documents.ts'
import { isAlive } from '../state/machine.ts'
import type { Notices } from '../state/notices.ts'
import { baseName, labFile } from '../state/paths.ts'
import type { KeyValueStorage } from '../state/storage.ts'
import type { ReadonlyStore, Store } from '../state/store.ts'
import { createStore } from '../state/store.ts'
import { freeAddress } from './address.ts'
import { LabDrafts } from './lab-drafts.ts'
import { isLabDirty, isLabUp, Lab } from './lab.ts'
import type { ProcessLook } from './processes.ts'
import type { Alignment, Fragment } from './topology.ts'
import {
  addNode,
  align,
  changeLinks,
  changeNode,
  connect,
  connectProblem,
  copy,
  findLink,
  findNode,
  freePlace,
  moveNodes,
  paste,
  peerOf,
  remove,
  renameNode,
} from './topology.ts'
import { Traffic } from './traffic.ts'

/** How long a machine shows that it was started again with a new build, in milliseconds. */
const RESTARTED_MS = 2500

/** The machines' terminals, as the bench drives them. */
export interface LabConsolesView {
  /** Resolves when the bytes are shown, which paces a machine that floods its console. */
  write(node: string, bytes: Uint8Array): Promise<void>
  /** These, and no others, with this text. */
  replaceAll(consoles: readonly { node: string; bytes: Uint8Array }[]): void
  renamed(from: string, to: string): void
  remove(node: string): void
  focus(node: string): void
  openSearch(node: string): void
  focused(): string | null
  hasFocus(): boolean
}

/** The canvas, as the bench drives it; there is none while its panel is closed. */
export interface CanvasView {
  /** The middle of what is in sight, in canvas units. */
  center(): NodePosition
  fit(): void
  /** Takes the keys. */
  focus(): void
  zoom(step: 1 | -1): void
  focusNode(id: string): void
  /** The canvas keeps the focus when `change` takes away what has it. */
  keepFocus(change: () => void): void
  /** Brings the inspector's first field under the hand. */
  focusInspector(): void
}

export interface Selection {
  nodes: ReadonlySet<string>
  links: ReadonlySet<string>
}

export type LabDialog =
  | { kind: 'lab-open' }
  | { kind: 'lab-save' }
  | { kind: 'lab-connect'; from: string }
  /** Unsaved edits would be lost by `proceed`. */
  | { kind: 'lab-discard'; proceed: () => void }

/** A lab that was not opened, and why. */
export interface UnopenedLab {
  path: ProjectPath
  message: string
  /** The first thing that is wrong in its file, when it is the file. */
  mistake?: Diagnostic
}

export interface LabBenchDependencies {
  service: LabService
  /** What is wrong in a file of the project; nothing when that cannot be said. */
  diagnose: (path: ProjectPath) => Promise<readonly Diagnostic[]>
  storage: KeyValueStorage
  /** Names the project among those that keep drafts on this computer. */
  projectKey: string
  notices: Notices
  i18n: ReadonlyStore<I18n>
  layout: Layout
  consoles: LabConsolesView
  show: (dialog: LabDialog) => void
  announce: (text: string) => void
  isConnected: () => boolean
  /** Saves every document; false, and said so, when one could not be. */
  saveDocuments: () => Promise<boolean>
  onBuilt: (program: ProjectPath, diagnostics: readonly Diagnostic[]) => void
  /** Hands a file to the person. */
  download: (name: string, bytes: Uint8Array) => void
}

const NOTHING: Selection = { nodes: new Set(), links: new Set() }

/** What a person does with the open lab: selects, draws, wires, runs, watches. */
export class LabBench {
  readonly lab: Lab
  readonly traffic: Traffic
  readonly selection: Store<Selection> = createStore(NOTHING)
  /** The machine that was selected last; its processes are shown while something else is selected. */
  readonly lastMachine: Store<string | null> = createStore<string | null>(null)
  readonly pace: Store<'live' | 'fast'>
  /** Machines that have just been started again with a new build. */
  readonly restarted: Store<ReadonlySet<string>> = createStore<ReadonlySet<string>>(new Set())
  /** The last lab that was to be opened, while it is not. */
  readonly unopened: Store<UnopenedLab | null> = createStore<UnopenedLab | null>(null)
  readonly events: { [K in keyof LabEvents]: (...args: Parameters<LabEvents[K]>) => void | Promise<void> }
  #canvas: CanvasView | null = null
  readonly #d: LabBenchDependencies
  #clipboard: Fragment | null = null
  #pastes = 0
  readonly #identities = new Map<string, string>()
  /** A lab was opened that no canvas has shown yet. */
  #isOpening = false

  constructor(dependencies: LabBenchDependencies) {
    this.#d = dependencies
    const { service, storage, projectKey, consoles } = dependencies
    const paceKey = `atoll:lab-pace:${projectKey}`
    this.pace = createStore<'live' | 'fast'>(storage.get(paceKey) === 'fast' ? 'fast' : 'live')
    this.pace.subscribe(() => storage.set(paceKey, this.pace.get()))
    this.traffic = new Traffic(service)
    this.lab = new Lab({
      service,
      drafts: new LabDrafts(storage, projectKey),
      onConsoles: (texts) => {
        consoles.replaceAll(texts)
        this.traffic.catchUp()
      },
      onRefused: (message) =>
        this.#d.notices.show({ severity: 'error', key: 'lab-refused', title: this.t('notice.lab.refused'), detail: message }),
      onLost: (path, message) => void this.#lost(path, message),
    })
    this.lab.onChanged.subscribe(() => this.#follow())
    this.selection.subscribe(() => {
      const machine = [...this.selection.get().nodes].findLast((id) => this.#node(id)?.kind === 'machine')
      if (machine !== undefined) this.lastMachine.set(machine)
    })
    this.events = {
      labStatus: (status) => {
        const before = this.lab.store.get().status.phase
        this.lab.reported(status)
        if (status.phase !== before) this.#d.announce(this.t('lab.announce', { phase: this.t(`lab.phase.${status.phase}`) }))
      },
      labConsole: (node, bytes) => consoles.write(node, bytes),
      labTraffic: (newest) => this.traffic.announced(newest),
      labChanged: (change) => this.#changedElsewhere(change),
      labRestarted: (nodes) => this.#restarted(nodes),
    }
  }

  get t(): I18n['t'] {
    return this.#d.i18n.get().t
  }

  get canvas(): CanvasView | null {
    return this.#canvas
  }

  /** Lends the canvas, until the result is called. */
  attachCanvas(canvas: CanvasView): () => void {
    this.#canvas = canvas
    if (this.#isOpening) this.#showOpened()
    return () => {
      if (this.#canvas === canvas) this.#canvas = null
    }
  }

  get topology(): LabTopology | null {
    return this.lab.topology
  }

  // Files

  async create(): Promise<void> {
    this.#d.layout.openTopology()
    await this.#try('notice.lab.newFailed', async () => {
      await this.lab.create()
      this.#opened()
    })
  }

  /** @param name what a template is called from now on */
  async open(path: ProjectPath, name?: string): Promise<void> {
    this.#d.layout.openTopology()
    try {
      await this.lab.open(path, name)
      this.#opened()
    } catch (reason) {
      this.unopened.set({ path, message: messageOf(reason), mistake: await this.#mistakeIn(path) })
    }
  }

  /** The project's labs, then the templates; none while they cannot be had. */
  async list(): Promise<{ path: ProjectPath; name: string; isTemplate: boolean }[]> {
    try {
      const labs = await this.#d.service.labList()
      return labs.toSorted((a, b) => Number(a.isTemplate) - Number(b.isTemplate))
    } catch {
      return []
    }
  }

  /** Runs `proceed`, after asking what is to become of unsaved edits. */
  leaving(proceed: () => void): void {
    if (isLabDirty(this.lab.store.get())) this.#d.show({ kind: 'lab-discard', proceed })
    else proceed()
  }

  /** Saves where it came from; a lab without a place asks for one. */
  async save(): Promise<boolean> {
    const { path } = this.lab.store.get()
    if (path === null) {
      this.#d.show({ kind: 'lab-save' })
      return false
    }
    return this.saveAs(path)
  }

  async saveAs(path: ProjectPath): Promise<boolean> {
    return this.#try('notice.lab.saveFailed', () => this.lab.save(path))
  }

  async exportCapture(): Promise<void> {
    await this.#try('notice.lab.captureFailed', async () => {
      const bytes = await this.#d.service.labCapture()
      this.#d.download(`${this.topology?.name || 'lab'}.pcapng`, bytes)
    })
  }

  // Drawing

  select(nodes: Iterable<string>, links: Iterable<string> = []): void {
    this.selection.set({ nodes: new Set(nodes), links: new Set(links) })
  }

  selectAll(): void {
    this.select(this.topology?.nodes.map(({ id }) => id) ?? [], this.topology?.links.map(({ id }) => id) ?? [])
  }

  /** Puts a node where the person dropped it, or in a free place in sight; one made by keyboard is wired to what was selected. */
  add(kind: NodeKind, at?: NodePosition): void {
    const { topology } = this
    if (!topology) return
    const place = at ?? freePlace(topology, this.#canvas?.center() ?? { x: 0, y: 0 })
    this.lab.edit((current) => addNode(current, kind, place, propertiesOf(kind, current)))
    const added = this.topology!.nodes.at(-1)!
    this.select([added.id])
    this.#d.announce(this.t('lab.added', { name: added.id }))
    this.#canvas?.focusNode(added.id)
  }

  /** Wires two nodes, or says why that cannot be. */
  connect(a: string, b: string): void {
    const { topology } = this
    if (!topology) return
    const problem = connectProblem(topology, a, b)
    if (problem !== null) {
      const name = problem === 'full-b' ? b : a
      const kind = problem === 'full-a' || problem === 'full-b' ? 'full' : problem
      this.#d.notices.show({
        severity: 'info',
        key: 'lab-connect',
        title: this.t(`lab.connect.${kind}`, { name, peer: name === a ? b : a }),
      })
      return
    }
    this.lab.edit((current) => connect(current, a, b))
    const link = this.topology!.links.at(-1)!
    this.select([], [link.id])
    this.#d.announce(this.t('lab.connected', { a, b }))
  }

  startConnecting(): void {
    const [from] = this.selection.get().nodes
    if (from !== undefined) this.#d.show({ kind: 'lab-connect', from })
  }

  move(places: ReadonlyMap<string, NodePosition>): void {
    this.lab.edit((topology) => moveNodes(topology, places))
  }

  change(id: string, change: Partial<Omit<LabNode, 'id' | 'kind'>>, gesture: string | null = null): void {
    this.lab.edit((topology) => changeNode(topology, id, change), gesture && `${gesture}:${id}`)
  }

  rename(from: string, to: string): void {
    this.lab.edit((topology) => renameNode(topology, from, to))
    if (!this.#node(to) || from === to) return
    this.#identities.set(to, this.identityOf(from))
    this.#d.consoles.renamed(from, to)
    this.#d.layout.renameLabConsole(from, to)
    this.select([to])
  }

  /** The name that a node had when it was first seen: what is open about it stays open when it is renamed. */
  identityOf(node: string): string {
    return this.#identities.get(node) ?? node
  }

  changeLab(change: Partial<Pick<LabTopology, 'name' | 'seed'>>): void {
    this.lab.edit((topology) => ({ ...topology, ...change }), `lab:${Object.keys(change).join()}`)
  }

  /** Changes links, also while they carry frames. */
  changeLinks(ids: ReadonlySet<string>, change: Partial<LinkImpairments>, gesture: string | null = null): void {
    this.lab.edit((topology) => changeLinks(topology, ids, change), gesture && `${gesture}:${[...ids].join()}`)
  }

  removeSelected(): void {
    const { nodes, links } = this.selection.get()
    if (nodes.size + links.size === 0) return
    this.#keepFocus(() => this.lab.edit((topology) => remove(topology, nodes, links)))
    this.#d.announce(this.t('lab.removed', { count: nodes.size + links.size }))
  }

  copySelected(): void {
    const { topology } = this
    const { nodes } = this.selection.get()
    if (!topology || nodes.size === 0) return
    this.#clipboard = copy(topology, nodes)
    this.#pastes = 0
  }

  cutSelected(): void {
    this.copySelected()
    this.removeSelected()
    // What was cut comes back in its own place.
    this.#pastes = -1
  }

  hasClipboard(): boolean {
    return this.#clipboard !== null
  }

  pasteClipboard(): void {
    if (this.#clipboard) this.#paste(this.#clipboard, ++this.#pastes)
  }

  duplicateSelected(): void {
    if (this.topology && this.selection.get().nodes.size > 0) this.#paste(copy(this.topology, this.selection.get().nodes), 1)
  }

  alignSelected(alignment: Alignment): void {
    this.lab.edit((topology) => align(topology, this.selection.get().nodes, alignment))
  }

  undo(): void {
    this.#keepFocus(() => this.lab.undo())
  }

  redo(): void {
    this.#keepFocus(() => this.lab.redo())
  }

  // Running

  /** Builds and starts all machines, or those named, and opens their consoles. */
  async start(nodes?: string[]): Promise<void> {
    const { topology } = this
    if (!topology || this.#isOffline()) return
    const machines = topology.nodes.filter(({ kind }) => kind === 'machine').map(({ id }) => id)
    const started = nodes ?? machines
    if (started.length === 0) {
      this.#d.notices.show({ severity: 'info', title: this.t('lab.nothingToStart') })
      return
    }
    if (!(await this.#d.saveDocuments())) return
    await this.#try('notice.lab.startFailed', async () => {
      const result = await this.lab.start(this.pace.get(), nodes)
      if (!result.ok) {
        this.#startFailed(result.message, result.builds?.flatMap(({ diagnostics }) => diagnostics) ?? [])
        return
      }
      this.#d.notices.dismissKey('notice.lab.startFailed')
      for (const program of this.#programs()) this.#d.onBuilt(program, [])
      this.#showRunning(started)
    })
  }

  async stop(nodes?: string[]): Promise<void> {
    if (!this.#isOffline()) await this.#try('notice.lab.stopFailed', () => this.lab.stop(nodes))
  }

  async pauseOrResume(): Promise<void> {
    if (this.#isOffline()) return
    const isPaused = this.lab.store.get().status.phase === 'paused'
    await this.#try('notice.lab.pauseFailed', () => (isPaused ? this.lab.resume() : this.lab.pause()))
  }

  /** Cuts a link, or heals it when it is cut. A lab at rest has nothing to cut. */
  async toggleCut(link: string): Promise<void> {
    const view = this.lab.store.get()
    if (!isLabUp(view)) {
      this.#d.notices.show({ severity: 'info', key: 'lab-cut', title: this.t('lab.cut.notRunning') })
      return
    }
    if (this.#isOffline()) return
    const isCut = view.status.links.find((status) => status.link === link)?.isCut ?? false
    await this.#try('notice.lab.cutFailed', () => (isCut ? this.lab.heal(link) : this.lab.cut(link)))
    this.#d.announce(this.t(isCut ? 'lab.healed' : 'lab.cutDone', { link: this.linkName(link) }))
  }

  /** The link that commands are about: the only one selected. */
  selectedLink(): string | null {
    const { links, nodes } = this.selection.get()
    return links.size === 1 && nodes.size === 0 ? [...links][0] : null
  }

  /** The machines among the selected nodes. */
  selectedMachines(): string[] {
    return [...this.selection.get().nodes].filter((id) => this.#node(id)?.kind === 'machine')
  }

  /** `alice – switch-1`. */
  linkName(id: string): string {
    const link = this.topology && findLink(this.topology, id)
    return link ? `${link.a.node} – ${peerOf(link, link.a.node)}` : id
  }

  openConsole(node: string): void {
    this.#d.layout.openLabConsole(node)
    this.#d.consoles.focus(node)
  }

  /** Types into a machine; what cannot be delivered is refused in sight. */
  type(node: string, bytes: Uint8Array): void {
    const refuse = (key: 'console.refused.offline' | 'lab.console.refused'): void =>
      this.#d.notices.show({ severity: 'info', key: 'lab-type', title: this.t(key, { node }) })
    if (!this.#d.isConnected()) refuse('console.refused.offline')
    else {
      const typed = this.lab.type(node, bytes)
      if (!typed) refuse('lab.console.refused')
      else typed.catch((reason: unknown) => this.#failed(this.t('notice.typeFailed'), reason))
    }
  }

  /** The machine's processes now; a sentence when they cannot be had. */
  async processes(node: string): Promise<ProcessLook | string> {
    try {
      const processes = await this.#d.service.labProcesses(node)
      const machine = this.lab.store.get().status.machines.find((candidate) => candidate.node === node)
      return { virtualNs: machine?.virtualNs ?? 0, processes }
    } catch (reason) {
      return messageOf(reason)
    }
  }

  isMachineAlive(node: string): boolean {
    const phase = this.lab.store.get().status.machines.find((machine) => machine.node === node)?.phase
    return phase !== 'off' && isAlive(phase)
  }

  #keepFocus(change: () => void): void {
    if (this.#canvas) this.#canvas.keepFocus(change)
    else change()
  }

  #node(id: string): LabNode | undefined {
    return this.topology ? findNode(this.topology, id) : undefined
  }

  #programs(): Set<ProjectPath> {
    return new Set(this.topology?.nodes.flatMap(({ program }) => (program === undefined ? [] : [program])))
  }

  #paste(fragment: Fragment, times: number): void {
    let pasted: ReadonlySet<string> = new Set()
    this.lab.edit((topology) => {
      const result = paste(topology, fragment, times)
      pasted = result.nodes
      return result.topology
    })
    this.select(pasted)
    this.#d.announce(this.t('lab.pasted', { count: pasted.size }))
  }

  #opened(): void {
    this.unopened.set(null)
    this.#d.notices.dismissKey('notice.lab.startFailed')
    this.select([])
    // Those of the lab before, whatever their machines were called: the new one's come when it starts, in their own order.
    for (const node of this.#d.layout.labConsoles()) this.#d.layout.closeLabConsole(node)
    this.#isOpening = true
    if (this.#canvas) this.#showOpened()
  }

  async #mistakeIn(path: ProjectPath): Promise<Diagnostic | undefined> {
    const mistakes = await this.#d.diagnose(labFile(path)).catch(() => [])
    return mistakes.find(({ severity }) => severity === 'error')
  }

  /** What was open last: worth a word when its file is there and cannot be read, and none when the person took it away. */
  async #lost(path: ProjectPath, message: string): Promise<void> {
    const mistake = await this.#mistakeIn(path)
    if (mistake) this.unopened.set({ path, message, mistake })
  }

  /** What was opened is seen whole, and the canvas has the keys, unless the person went on to something else meanwhile. */
  #showOpened(): void {
    this.#isOpening = false
    requestAnimationFrame(() => {
      this.#canvas?.fit()
      if (document.activeElement === null || document.activeElement === document.body) this.#canvas?.focus()
    })
  }

  /** The topology changed: what is gone is no longer selected, and has no console. */
  #follow(): void {
    const { topology } = this
    const nodes = new Set(topology?.nodes.map(({ id }) => id))
    const links = new Set(topology?.links.map(({ id }) => id))
    const selection = this.selection.get()
    const kept = [...selection.nodes].filter((id) => nodes.has(id))
    const keptLinks = [...selection.links].filter((id) => links.has(id))
    if (kept.length < selection.nodes.size || keptLinks.length < selection.links.size) this.select(kept, keptLinks)
    const machine = this.lastMachine.get()
    if (machine !== null && !nodes.has(machine)) this.lastMachine.set(null)
    for (const node of this.#d.layout.labConsoles()) {
      if (nodes.has(node)) continue
      this.#d.layout.closeLabConsole(node)
      this.#d.consoles.remove(node)
    }
  }

  /** Another window drew, saved, or opened another lab. */
  async #changedElsewhere(change: LabChange): Promise<void> {
    await this.lab.changedElsewhere(change)
    if (change.kind === 'opened') this.#opened()
  }

  /** What one wants to see when machines start: their consoles, what is on the wires, what runs. */
  #showRunning(nodes: readonly string[]): void {
    const { layout } = this.#d
    const isFirst = layout.labConsoles().length === 0
    layout.addLabConsoles(nodes)
    layout.add('packets')
    if (isFirst) layout.show('processes', { keepFocus: true })
  }

  #restarted(nodes: readonly string[]): void {
    this.restarted.update((current) => new Set([...current, ...nodes]))
    setTimeout(() => this.restarted.update((current) => new Set([...current].filter((node) => !nodes.includes(node)))), RESTARTED_MS)
    const title = this.t('notice.lab.restarted', { nodes: nodes.join(', ') })
    this.#d.notices.show({ severity: 'info', key: 'lab-restarted', title })
    this.#d.announce(title)
  }

  #startFailed(message: string, diagnostics: readonly Diagnostic[]): void {
    const key = 'notice.lab.startFailed'
    const title = this.t(key)
    const programs = new Set([...this.#programs(), ...diagnostics.map(({ path }) => path)])
    for (const program of programs)
      this.#d.onBuilt(
        program,
        diagnostics.filter(({ path }) => path === program),
      )
    this.#d.announce(title)
    if (diagnostics.some(({ severity }) => severity === 'error')) this.#d.layout.show('problems', { keepFocus: true })
    this.#d.notices.show({ severity: 'error', key, title, detail: message })
  }

  async #try(title: FailureKey, work: () => Promise<void>): Promise<boolean> {
    try {
      await work()
      return true
    } catch (reason) {
      this.#failed(this.t(title), reason, title)
      return false
    }
  }

  #failed(title: string, reason: unknown, key?: string): void {
    this.#d.notices.show({ severity: 'error', key, title, detail: messageOf(reason) })
  }

  #isOffline(): boolean {
    if (this.#d.isConnected()) return false
    this.#d.notices.show({ severity: 'info', title: this.t('notice.offline') })
    return true
  }
}

/** What a new node is given. */
function propertiesOf(kind: NodeKind, topology: LabTopology): Partial<LabNode> {
  const address = kind === 'machine' ? freeAddress(topology) : undefined
  return address === undefined ? {} : { address }
}

type FailureKey = `notice.lab.${'new' | 'save' | 'capture' | 'start' | 'stop' | 'pause' | 'cut'}Failed`

/** What a lab is called in short: its name, else its folder's. */
export function labTitle(topology: LabTopology, path: ProjectPath | null): string {
  return topology.name || (path === null ? '' : baseName(path))
}
