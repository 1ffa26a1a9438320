import type { Diagnostic, ProjectPath } from '../../protocol/service.ts'
import { problemsOf } from '../state/diagnostics.ts'
import type { Diagnostics } from '../state/diagnostics.ts'
import type { Documents } from '../state/documents.ts'
import { languageOf } from '../state/paths.ts'
import { monaco } from './monaco.ts'

const MARKER_OWNER = 'atoll'

export function uriOf(path: ProjectPath): monaco.Uri {
  return monaco.Uri.from({ scheme: 'project', path: `/${path}` })
}

export function pathOfUri(uri: monaco.Uri): ProjectPath {
  return uri.path.slice(1)
}

/** Keeps one Monaco model for each open document: typing goes to the document, replaced texts and diagnostics come to the model. */
export class Models {
  readonly #documents: Documents
  readonly #diagnostics: Diagnostics
  readonly #models = new Map<ProjectPath, { model: monaco.editor.ITextModel; replacement: number }>()
  #isReplacing = false

  constructor(documents: Documents, diagnostics: Diagnostics) {
    this.#documents = documents
    this.#diagnostics = diagnostics
    documents.store.subscribe(() => this.#followDocuments())
    diagnostics.store.subscribe(() => this.#mark())
  }

  /** The model of a document that is ready. */
  get(path: ProjectPath): monaco.editor.ITextModel | undefined {
    this.#followDocuments()
    return this.#models.get(path)?.model
  }

  #followDocuments(): void {
    const documents = this.#documents.store.get()
    for (const [path, { model }] of this.#models) {
      if (documents.has(path)) continue
      this.#models.delete(path)
      model.dispose()
    }
    for (const document of documents.values()) {
      const { path, phase, text, replacement } = document
      if (phase !== 'ready') continue
      const existing = this.#models.get(path)
      if (!existing) this.#create(path, text, replacement)
      else if (existing.replacement !== replacement) {
        existing.replacement = replacement
        this.#replace(existing.model, text)
      }
    }
  }

  #create(path: ProjectPath, text: string, replacement: number): void {
    const model = monaco.editor.createModel(text, languageOf(path), uriOf(path))
    model.onDidChangeContent(() => {
      if (!this.#isReplacing) this.#documents.edit(path, model.getValue())
    })
    this.#models.set(path, { model, replacement })
    this.#markModel(path, model)
  }

  /** Changes only the lines that differ, so that cursors and undo survive. */
  #replace(model: monaco.editor.ITextModel, text: string): void {
    const before = model.getLinesContent()
    const after = text.split(/\r\n|\n/)
    let start = 0
    while (start < before.length - 1 && start < after.length - 1 && before[start] === after[start]) start++
    let end = 0
    while (
      end < before.length - 1 - start &&
      end < after.length - 1 - start &&
      before[before.length - 1 - end] === after[after.length - 1 - end]
    )
      end++
    const lastLine = before.length - end
    this.#isReplacing = true
    model.pushStackElement()
    model.pushEditOperations(
      null,
      [
        {
          range: new monaco.Range(start + 1, 1, lastLine, model.getLineMaxColumn(lastLine)),
          text: after.slice(start, after.length - end).join('\n'),
        },
      ],
      () => null,
    )
    model.setEOL(text.includes('\r\n') ? monaco.editor.EndOfLineSequence.CRLF : monaco.editor.EndOfLineSequence.LF)
    model.pushStackElement()
    this.#isReplacing = false
  }

  #mark(): void {
    for (const [path, { model }] of this.#models) this.#markModel(path, model)
  }

  #markModel(path: ProjectPath, model: monaco.editor.ITextModel): void {
    monaco.editor.setModelMarkers(model, MARKER_OWNER, problemsOf(this.#diagnostics.store.get(), path).map(markerOf))
  }
}

function markerOf({ line, column, endLine, endColumn, severity, message, code }: Diagnostic): monaco.editor.IMarkerData {
  const { Error, Warning, Info } = monaco.MarkerSeverity
  return {
    startLineNumber: line,
    startColumn: column,
    endLineNumber: Math.max(line, endLine),
    endColumn: endLine > line ? endColumn : Math.max(column + 1, endColumn),
    severity: severity === 'error' ? Error : severity === 'warning' ? Warning : Info,
    message,
    code,
  }
}
