import type { Diagnostic, ProjectPath, WorkbenchService } from '../../protocol/service.ts'
import { extensionOf, isCheckable, isWithin, movePath } from './paths.ts'
import type { ReadonlyStore, Store } from './store.ts'
import { createStore } from './store.ts'

/** Idle time after the last edit until the compiler is asked, in milliseconds. */
export const CHECK_IDLE_MS = 300

/** By the file that was compiled; a header's errors stand under every program that includes it. */
export type DiagnosticsState = ReadonlyMap<ProjectPath, readonly Diagnostic[]>

export interface DiagnosticsDependencies {
  service: WorkbenchService
  /** The text to check, undefined when the document is not open any more. */
  textOf: (path: ProjectPath) => string | undefined
}

/** What the compiler thinks of the open documents: asked as one types, one question at a time for each, stale answers dropped. */
export class Diagnostics {
  readonly #service: WorkbenchService
  readonly #textOf: (path: ProjectPath) => string | undefined
  readonly #store: Store<DiagnosticsState> = createStore<DiagnosticsState>(new Map())
  readonly #timers = new Map<ProjectPath, ReturnType<typeof setTimeout>>()
  readonly #running = new Set<ProjectPath>()

  constructor({ service, textOf }: DiagnosticsDependencies) {
    this.#service = service
    this.#textOf = textOf
  }

  get store(): ReadonlyStore<DiagnosticsState> {
    return this.#store
  }

  /** Checks the document once it has been left alone for a moment. */
  schedule(path: ProjectPath): void {
    if (!isCheckable(path)) return
    clearTimeout(this.#timers.get(path))
    this.#timers.set(
      path,
      setTimeout(() => {
        this.#timers.delete(path)
        void this.#check(path)
      }, CHECK_IDLE_MS),
    )
  }

  /** A header was saved: the open programs may mean something else now. */
  headerSaved(open: Iterable<ProjectPath>): void {
    for (const path of open) if (extensionOf(path) === 'c') this.schedule(path)
  }

  /** What a build found replaces what the last check did. */
  setFromBuild(program: ProjectPath, diagnostics: readonly Diagnostic[]): void {
    clearTimeout(this.#timers.get(program))
    this.#timers.delete(program)
    this.#set(program, diagnostics)
  }

  closed(path: ProjectPath): void {
    clearTimeout(this.#timers.get(path))
    this.#timers.delete(path)
    this.#set(path, [])
  }

  deleted(path: ProjectPath): void {
    for (const candidate of this.#store.get().keys()) if (isWithin(candidate, path)) this.closed(candidate)
  }

  renamed(from: ProjectPath, to: ProjectPath): void {
    for (const path of [...this.#store.get().keys()].filter((candidate) => isWithin(candidate, from))) {
      const diagnostics = this.#store.get().get(path)!
      this.closed(path)
      this.#set(
        movePath(path, from, to),
        diagnostics.map((diagnostic) => ({ ...diagnostic, path: movePath(diagnostic.path, from, to) })),
      )
    }
  }

  async #check(path: ProjectPath): Promise<void> {
    const text = this.#textOf(path)
    if (text === undefined) return
    if (this.#running.has(path)) return
    this.#running.add(path)
    let answer: Diagnostic[] | null = null
    try {
      answer = await this.#service.check(path, text)
    } catch {
      // A lost connection or a compiler that is not there; a build says which. What was known stays.
    } finally {
      this.#running.delete(path)
    }
    const now = this.#textOf(path)
    if (now === undefined) return
    if (now !== text) {
      if (!this.#timers.has(path)) await this.#check(path)
    } else if (answer) this.#set(path, answer)
  }

  #set(path: ProjectPath, diagnostics: readonly Diagnostic[]): void {
    const current = this.#store.get()
    if (diagnostics.length === 0 && !current.has(path)) return
    const next = new Map(current)
    if (diagnostics.length === 0) next.delete(path)
    else next.set(path, diagnostics)
    this.#store.set(next)
  }
}

/** Each problem once, by file and place, errors before warnings at one place. */
export function allProblems(state: DiagnosticsState): Diagnostic[] {
  const unique = new Map<string, Diagnostic>()
  for (const diagnostics of state.values()) {
    for (const diagnostic of diagnostics) {
      const { path, line, column, severity, message } = diagnostic
      unique.set([path, line, column, severity, message].join('\u0000'), diagnostic)
    }
  }
  const rank = { error: 0, warning: 1, note: 2 }
  return [...unique.values()].sort(
    (a, b) => compare(a.path, b.path) || a.line - b.line || a.column - b.column || rank[a.severity] - rank[b.severity],
  )
}

export function problemsOf(state: DiagnosticsState, path: ProjectPath): Diagnostic[] {
  return allProblems(state).filter((diagnostic) => diagnostic.path === path)
}

export function countProblems(problems: readonly Diagnostic[]): { errors: number; warnings: number } {
  return {
    errors: problems.filter(({ severity }) => severity === 'error').length,
    warnings: problems.filter(({ severity }) => severity === 'warning').length,
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
