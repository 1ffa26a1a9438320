import type { LabAttachment, LabChange, LabResult, LabService, LabStatus, LabTopology } from '../../protocol/lab.ts'
import type { ProjectPath } from '../../protocol/service.ts'
import { messageOf } from '../state/documents.ts'
import type { ReadonlyStore, Signal, Store } from '../state/store.ts'
import { createSignal, createStore } from '../state/store.ts'
import type { History } from './history.ts'
import { commit, redo, startHistory, undo } from './history.ts'
import type { LabDrafts } from './lab-drafts.ts'
import type { LinkRates } from './rates.ts'
import { LinkRateMeter } from './rates.ts'
import { isSameTopology } from './topology.ts'

/** Idle time after an edit until the service hears of it, in milliseconds: a drag is one change, and a slider still feels live. */
export const PUSH_IDLE_MS = 120
/** How far a draft may lag behind the hand, in milliseconds. */
export const LAB_DRAFT_DELAY_MS = 100

export type LabActivity = 'idle' | 'opening' | 'saving' | 'starting' | 'stopping'

export interface LabView {
  load: { kind: 'loading' } | { kind: 'ready' } | { kind: 'failed'; message: string }
  /** Null while no lab is open. */
  history: History<LabTopology> | null
  /** What it was when it was opened or saved last: leaving it so loses nothing. */
  saved: LabTopology | null
  path: ProjectPath | null
  status: LabStatus
  rates: LinkRates
  activity: LabActivity
}

const STOPPED: LabStatus = { phase: 'stopped', virtualNs: 0, realTimeFactor: 0, machines: [], links: [], checks: [] }

export function topologyOf({ history }: LabView): LabTopology | null {
  return history?.present ?? null
}

export function isLabDirty({ history, saved }: LabView): boolean {
  return history !== null && saved !== null && !isSameTopology(history.present, saved)
}

/** Its machines exist: running, or held. */
export function isLabUp({ status }: LabView): boolean {
  return status.phase === 'running' || status.phase === 'paused'
}

export interface LabDependencies {
  service: LabService
  drafts: LabDrafts
  /** What each machine's console printed, after an attachment; the lab may be another one than before. */
  onConsoles: (consoles: LabAttachment['consoles']) => void
  /** The service refused the topology, in its words. */
  onRefused: (message: string) => void
  /** What was open cannot be opened again. */
  onLost: (path: ProjectPath, message: string) => void
}

/** The one open lab: its topology with what can be undone, its file, and how it runs. */
export class Lab {
  readonly #service: LabService
  readonly #drafts: LabDrafts
  readonly #onConsoles: LabDependencies['onConsoles']
  readonly #onRefused: LabDependencies['onRefused']
  readonly #onLost: LabDependencies['onLost']
  readonly #meter = new LinkRateMeter()
  readonly #store: Store<LabView> = createStore<LabView>({
    load: { kind: 'loading' },
    history: null,
    saved: null,
    path: null,
    status: STOPPED,
    rates: new Map(),
    activity: 'idle',
  })
  #pushTimer: ReturnType<typeof setTimeout> | undefined
  #draftTimer: ReturnType<typeof setTimeout> | undefined
  /** What the service last heard. */
  #pushed: LabTopology | null = null
  #isPushing = false
  #push: Promise<LabResult> = Promise.resolve({ ok: true })
  /** The topology has changed, by an edit, an undo, or because another lab was opened. */
  readonly onChanged: Signal<[]> = createSignal()

  constructor({ service, drafts, onConsoles, onRefused, onLost }: LabDependencies) {
    this.#service = service
    this.#drafts = drafts
    this.#onConsoles = onConsoles
    this.#onRefused = onRefused
    this.#onLost = onLost
  }

  get store(): ReadonlyStore<LabView> {
    return this.#store
  }

  get topology(): LabTopology | null {
    return topologyOf(this.#store.get())
  }

  /** Takes over what the service knows, after each connection, and brings back what it does not. */
  async attached(): Promise<void> {
    try {
      let attachment = await this.#service.labAttach()
      const { history, path: openPath, saved } = this.#store.get()
      const lastPath = history ? openPath : this.#drafts.lastOpen()
      if (!attachment.topology && lastPath !== undefined) attachment = await this.#reopen(lastPath, attachment)
      if (attachment.topology === null) {
        this.#forget(attachment.status)
        return
      }
      const isSameLab = attachment.path === lastPath
      const draft = this.#drafts.get(attachment.path)
      const mine = isSameLab && history ? history.present : draft?.topology
      const opened = isSameLab && history ? saved : draft?.saved
      this.#take(attachment, mine ?? attachment.topology, opened ?? attachment.topology, isSameLab ? history : null)
    } catch (reason) {
      this.#store.update((view) => ({ ...view, load: { kind: 'failed', message: messageOf(reason) } }))
    }
  }

  /** Opens a lab of the project or a template; edits that a crash left behind come back over it. */
  async open(path: ProjectPath, name?: string): Promise<void> {
    await this.#during('opening', async () => {
      const attachment = await this.#service.labOpen(path, name)
      if (!attachment.topology) return
      // Without a path it is a template: what was drawn on another one is not this one's.
      const draft = attachment.path === null ? null : this.#drafts.get(attachment.path)
      this.#take(attachment, draft?.topology ?? attachment.topology, attachment.topology, null)
    })
  }

  async create(): Promise<void> {
    await this.#during('opening', async () => {
      const attachment = await this.#service.labNew()
      this.#drafts.remove(null)
      if (attachment.topology) this.#take(attachment, attachment.topology, attachment.topology, null)
    })
  }

  /** Forgets edits that are not saved: the person said so. */
  discard(): void {
    clearTimeout(this.#draftTimer)
    this.#drafts.remove(this.#store.get().path)
  }

  async save(path: ProjectPath): Promise<void> {
    await this.#during('saving', async () => {
      const { topology } = this
      if (!topology) return
      await this.flush()
      await this.#service.labSave(path, topology)
      const before = this.#store.get().path
      this.#store.update((view) => ({ ...view, path, saved: topology }))
      if (before !== path) this.#drafts.remove(before)
      this.#drafts.opened(path)
      this.flushDraft()
    })
  }

  /** Changes the topology; steps of one `gesture` are undone together. */
  edit(change: (topology: LabTopology) => LabTopology, gesture: string | null = null): void {
    const { history } = this.#store.get()
    if (history) this.#move(commit(history, change(history.present), gesture))
  }

  undo(): void {
    const { history } = this.#store.get()
    if (history) this.#move(undo(history))
  }

  redo(): void {
    const { history } = this.#store.get()
    if (history) this.#move(redo(history))
  }

  /** Builds and starts all machines, or those named. The service hears of the last edits first. */
  async start(pace: 'live' | 'fast', nodes?: string[]): Promise<LabResult> {
    let result: LabResult | null = null
    await this.#during('starting', async () => {
      const pushed = await this.flush()
      result = pushed.ok ? await this.#service.labStart({ pace, ...(nodes && { nodes }) }) : pushed
    })
    return result ?? { ok: true }
  }

  async stop(nodes?: string[]): Promise<void> {
    await this.#during('stopping', () => this.#service.labStop(nodes))
  }

  pause(): Promise<void> {
    return this.#service.labPause()
  }

  resume(): Promise<void> {
    return this.#service.labResume()
  }

  cut(link: string): Promise<void> {
    return this.#service.labCut(link)
  }

  heal(link: string): Promise<void> {
    return this.#service.labHeal(link)
  }

  /** Types into a machine; null when it is not there to read it. */
  type(node: string, bytes: Uint8Array): Promise<void> | null {
    const machine = this.#store.get().status.machines.find((candidate) => candidate.node === node)
    const isAlive = machine && ['booting', 'running', 'halted'].includes(machine.phase)
    return isAlive ? this.#service.labType(node, bytes) : null
  }

  /** The service reports. */
  reported(status: LabStatus): void {
    this.#store.update((view) => ({ ...view, status, rates: this.#meter.measure(status) }))
  }

  /**
   * Another window has changed the lab, and the service knows. What is drawn here and has not been told yet is newer, and will be told; so
   * both windows end with the same.
   */
  async changedElsewhere(change: LabChange): Promise<void> {
    const { history } = this.#store.get()
    if (change.kind === 'opened' || history === null) {
      clearTimeout(this.#pushTimer)
      this.#pushTimer = undefined
      const attachment = await this.#service.labAttach()
      if (attachment.topology) this.#take(attachment, attachment.topology, attachment.topology, null)
      return
    }
    if (this.#pushTimer !== undefined || this.#isPushing) return
    const { kind, topology, path } = change
    const isSame = isSameTopology(history.present, topology)
    const present = isSame ? history.present : topology
    this.#pushed = present
    this.#store.update((view) => ({ ...view, path, history: commit(history, present), saved: kind === 'saved' ? topology : view.saved }))
    this.#drafts.opened(path)
    if (!isSame) this.onChanged.emit()
  }

  /** Tells the service the topology as it is now. */
  flush(): Promise<LabResult> {
    clearTimeout(this.#pushTimer)
    this.#pushTimer = undefined
    this.#push = this.#push.then(() => this.#pushNow())
    return this.#push
  }

  /** Writes a waiting draft now: the page is about to go. */
  flushDraft(): void {
    clearTimeout(this.#draftTimer)
    const view = this.#store.get()
    if (!view.history) return
    if (view.saved && isLabDirty(view)) this.#drafts.put(view.path, { topology: view.history.present, saved: view.saved })
    else this.#drafts.remove(view.path)
  }

  /** The service was started anew: opens there what was open here. */
  async #reopen(path: ProjectPath | null, attachment: LabAttachment): Promise<LabAttachment> {
    const hasWork = this.topology !== null || this.#drafts.get(path) !== null
    try {
      if (path !== null) return await this.#service.labOpen(path)
      return hasWork ? await this.#service.labNew() : attachment
    } catch (reason) {
      if (path !== null) this.#onLost(path, messageOf(reason))
      // The folder is gone; what was drawn is not.
      if (path === null || !hasWork) return attachment
      this.#onRefused(messageOf(reason))
      const draft = this.topology ?? this.#drafts.get(path)!.topology
      const fresh = await this.#service.labNew()
      if (fresh.topology) this.#drafts.put(null, { topology: draft, saved: fresh.topology })
      return fresh
    }
  }

  #take(attachment: LabAttachment, present: LabTopology, saved: LabTopology, history: History<LabTopology> | null): void {
    this.#pushed = attachment.topology
    this.#drafts.opened(attachment.path)
    this.#store.update((view) => ({
      ...view,
      load: { kind: 'ready' },
      history: history ? { ...history, present } : startHistory(present),
      saved,
      path: attachment.path,
      status: attachment.status,
      rates: this.#meter.measure(attachment.status),
    }))
    this.#onConsoles(attachment.consoles)
    this.onChanged.emit()
    if (this.#pushed && !isSameTopology(this.#pushed, present)) void this.flush()
  }

  #forget(status: LabStatus): void {
    this.#pushed = null
    this.#store.update((view) => ({ ...view, load: { kind: 'ready' }, history: null, saved: null, path: null, status }))
    this.#onConsoles([])
    this.onChanged.emit()
  }

  #move(history: History<LabTopology>): void {
    if (history === this.#store.get().history) return
    const isChanged = history.present !== this.#store.get().history?.present
    this.#store.update((view) => ({ ...view, history }))
    if (!isChanged) return
    clearTimeout(this.#draftTimer)
    this.#draftTimer = setTimeout(() => this.flushDraft(), LAB_DRAFT_DELAY_MS)
    clearTimeout(this.#pushTimer)
    this.#pushTimer = setTimeout(() => void this.flush(), PUSH_IDLE_MS)
    this.onChanged.emit()
  }

  async #pushNow(): Promise<LabResult> {
    const { topology } = this
    if (!topology || topology === this.#pushed) return { ok: true }
    this.#isPushing = true
    try {
      const result = await this.#service.labUpdate(topology)
      if (result.ok) this.#pushed = topology
      else this.#onRefused(result.message)
      return result
    } catch (reason) {
      // A lost connection: the next attachment brings both sides together.
      return { ok: false, message: messageOf(reason) }
    } finally {
      this.#isPushing = false
    }
  }

  async #during(activity: LabActivity, work: () => Promise<void>): Promise<void> {
    this.#store.update((view) => ({ ...view, activity }))
    try {
      await work()
    } finally {
      this.#store.update((view) => (view.activity === activity ? { ...view, activity: 'idle' } : view))
    }
  }
}
