import type { I18n } from '../i18n/i18n.ts'
import { problemsOf } from '../state/diagnostics.ts'
import type { Diagnostics } from '../state/diagnostics.ts'
import type { ReadonlyStore } from '../state/store.ts'
import { pathOfUri } from './models.ts'
import { monaco } from './monaco.ts'

/** Offers the compiler's fix hints as quick fixes at the lines they are about. */
export function registerCodeActions(diagnostics: Diagnostics, i18n: ReadonlyStore<I18n>): monaco.IDisposable {
  return monaco.languages.registerCodeActionProvider(
    ['c', 'wat'],
    {
      provideCodeActions(model, range, context) {
        const actions = problemsOf(diagnostics.store.get(), pathOfUri(model.uri)).flatMap(({ line, endLine, column, fix }) => {
          if (!fix || endLine < range.startLineNumber || line > range.endLineNumber) return []
          const target = { startLineNumber: fix.line, startColumn: fix.column, endLineNumber: fix.endLine, endColumn: fix.endColumn }
          const edit = {
            resource: model.uri,
            versionId: model.getVersionId(),
            textEdit: { range: target, text: fix.text },
          }
          const markers = context.markers.filter((marker) => marker.startLineNumber === line && marker.startColumn === column)
          return [
            {
              title: fixTitle(i18n.get(), fix.text, model.getValueInRange(target)),
              kind: 'quickfix',
              diagnostics: markers,
              isPreferred: true,
              edit: { edits: [edit] },
            },
          ]
        })
        return { actions, dispose: () => undefined }
      },
    },
    { providedCodeActionKinds: ['quickfix'] },
  )
}

/** What the fix does to the text, which says more in a menu than the problem again. */
function fixTitle({ t }: I18n, text: string, replaced: string): string {
  if (replaced === '') return t('editor.fix.insert', { text: text.trim() })
  if (text === '') return t('editor.fix.remove', { replaced })
  return t('editor.fix.replace', { replaced, text })
}
