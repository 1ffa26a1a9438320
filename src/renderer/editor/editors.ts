import type { ProjectPath } from '../../protocol/service.ts'
import { movePath, isWithin } from '../state/paths.ts'
import type { KeyValueStorage } from '../state/storage.ts'
import { readJson } from '../state/storage.ts'
import type { Store } from '../state/store.ts'
import { createStore } from '../state/store.ts'
import type { EditorsView } from '../workbench.ts'
import type { monaco } from './monaco.ts'

export interface CursorState {
  path: ProjectPath
  line: number
  column: number
  /** UTF-16 units. */
  selected: number
}

export interface Place {
  line: number
  column: number
  endLine?: number
  endColumn?: number
}

/** More view states than this and the oldest are forgotten. */
const VIEW_STATES_MAX = 200
const SAVE_DELAY_MS = 300

/** The Monaco editors on screen, and where the cursor was in each file, also after a reload. */
export class Editors implements EditorsView {
  readonly cursor: Store<CursorState | null> = createStore<CursorState | null>(null)
  readonly #storage: KeyValueStorage
  readonly #editors = new Map<ProjectPath, Set<monaco.editor.IStandaloneCodeEditor>>()
  /** What to do with a document's editor once it is there. */
  readonly #pending = new Map<ProjectPath, Place | 'focus'>()
  #key = ''
  #viewStates = new Map<ProjectPath, monaco.editor.ICodeEditorViewState>()
  #saveTimer: ReturnType<typeof setTimeout> | undefined

  constructor(storage: KeyValueStorage) {
    this.#storage = storage
  }

  /** Where this project's cursors are kept. */
  useKey(key: string): void {
    this.#key = key
    const saved = readJson(this.#storage, key)
    if (Array.isArray(saved)) this.#viewStates = new Map(saved as [ProjectPath, monaco.editor.ICodeEditorViewState][])
  }

  /** An editor shows the document; the result takes it off again. */
  add(path: ProjectPath, editor: monaco.editor.IStandaloneCodeEditor): () => void {
    const viewState = this.#viewStates.get(path)
    if (viewState) editor.restoreViewState(viewState)
    const editors = this.#editors.get(path) ?? new Set()
    this.#editors.set(path, editors.add(editor))
    const pending = this.#pending.get(path)
    this.#pending.delete(path)
    if (pending !== undefined) this.#go(editor, pending)

    const remember = (): void => {
      const state = editor.saveViewState()
      if (!state) return
      this.#viewStates.delete(path)
      this.#viewStates.set(path, state)
      this.#saveSoon()
    }
    const report = (): void => {
      const selection = editor.getSelection()
      const position = editor.getPosition()
      const model = editor.getModel()
      if (!selection || !position || !model) return
      this.cursor.set({ path, line: position.lineNumber, column: position.column, selected: model.getValueLengthInRange(selection) })
    }
    const listeners = [
      editor.onDidChangeCursorSelection(() => {
        remember()
        report()
      }),
      editor.onDidScrollChange(remember),
      editor.onDidFocusEditorText(report),
    ]
    report()
    return () => {
      remember()
      for (const listener of listeners) listener.dispose()
      editors.delete(editor)
      if (this.cursor.get()?.path === path) this.cursor.set(null)
    }
  }

  reveal(path: ProjectPath, place: Place): void {
    this.#when(path, place)
  }

  focus(path: ProjectPath): void {
    this.#when(path, 'focus')
  }

  renamed(from: ProjectPath, to: ProjectPath): void {
    this.#viewStates = new Map(
      [...this.#viewStates].map(([path, state]) => [isWithin(path, from) ? movePath(path, from, to) : path, state]),
    )
    this.#saveSoon()
  }

  flush(): void {
    if (this.#saveTimer === undefined) return
    clearTimeout(this.#saveTimer)
    this.#saveTimer = undefined
    this.#storage.set(this.#key, JSON.stringify([...this.#viewStates].slice(-VIEW_STATES_MAX)))
  }

  #when(path: ProjectPath, action: Place | 'focus'): void {
    const [editor] = this.#editors.get(path) ?? []
    if (editor) this.#go(editor, action)
    else this.#pending.set(path, action)
  }

  #go(editor: monaco.editor.IStandaloneCodeEditor, action: Place | 'focus'): void {
    if (action !== 'focus') {
      const { line, column, endLine = line, endColumn = column } = action
      // Selected backwards, so that the cursor is where the place begins.
      editor.setSelection({
        selectionStartLineNumber: endLine,
        selectionStartColumn: endColumn,
        positionLineNumber: line,
        positionColumn: column,
      })
      editor.revealPositionInCenterIfOutsideViewport({ lineNumber: line, column })
    }
    editor.focus()
  }

  #saveSoon(): void {
    clearTimeout(this.#saveTimer)
    this.#saveTimer = setTimeout(() => this.flush(), SAVE_DELAY_MS)
  }
}
