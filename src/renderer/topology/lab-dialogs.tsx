import type { ReactElement } from 'react'
import { useId, useState } from 'react'
import { nameProblem } from '../state/paths.ts'
import { useStore } from '../state/use-store.ts'
import { Button, IconButton } from '../ui/button.tsx'
import { useApp, useI18n } from '../ui/context.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { Icon } from '../ui/icons.tsx'
import type { ListedLab } from './use-labs.ts'
import { useLabs } from './use-labs.ts'

/** Chooses a lab of the project or a template. */
export function OpenLabDialog({ onClose }: { onClose: () => void }): ReactElement {
  const { workbench } = useApp()
  const { t } = useI18n()
  const bench = workbench.lab
  const labs = useLabs()
  const own = labs.filter(({ isTemplate }) => !isTemplate)
  const templates = labs.filter(({ isTemplate }) => isTemplate)
  const open = ({ path, name, isTemplate }: ListedLab): void => {
    onClose()
    bench.leaving(() => void bench.open(path, isTemplate ? name : undefined))
  }
  return (
    <Dialog label={t('command.lab.open')} className="lab-dialog" onClose={onClose}>
      <div className="dialog-head">
        <h2>{t('lab.open.title')}</h2>
        <IconButton icon="close" label={t('settings.close')} onClick={onClose} />
      </div>
      <LabList title={t('lab.open.project')} labs={own} empty={t('lab.open.project.none')} onOpen={open} />
      {templates.length > 0 && <LabList title={t('lab.open.templates')} labs={templates} empty="" onOpen={open} />}
      <div className="dialog-actions">
        <Button
          icon="plus"
          onClick={() => {
            onClose()
            bench.leaving(() => void bench.create())
          }}
        >
          {t('command.lab.new')}
        </Button>
      </div>
    </Dialog>
  )
}

function LabList({
  title,
  labs,
  empty,
  onOpen,
}: {
  title: string
  labs: readonly ListedLab[]
  empty: string
  onOpen: (lab: ListedLab) => void
}): ReactElement {
  return (
    <section className="lab-list">
      <h3>{title}</h3>
      {labs.length === 0 && <p className="field-hint">{empty}</p>}
      <ul>
        {labs.map((lab) => (
          <li key={lab.path}>
            <button type="button" className="inspector-row" onClick={() => onOpen(lab)}>
              <Icon name="network" size={14} />
              <span>{lab.name || lab.path}</span>
              {!lab.isTemplate && lab.path !== lab.name && <span className="inspector-row-end">{lab.path}</span>}
            </button>
          </li>
        ))}
      </ul>
    </section>
  )
}

/** Asks for the folder that the lab is to be kept in. */
export function SaveLabDialog({ onClose }: { onClose: () => void }): ReactElement {
  const { workbench } = useApp()
  const { t } = useI18n()
  const bench = workbench.lab
  const { path, history } = useStore(bench.lab.store)
  const suggestion = (history?.present.name ?? '')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '-')
    .replace(/^-|-$/g, '')
  const [folder, setFolder] = useState(path ?? `labs/${suggestion || 'my-lab'}`)
  const noteId = useId()
  const problem = nameProblem('', folder, (candidate) => candidate !== path && workbench.project.has(`${candidate}/lab.json`))
  const save = (): void => {
    if (problem !== null) return
    onClose()
    void bench.saveAs(folder)
  }
  return (
    <Dialog label={t('command.lab.saveAs')} className="confirm" onClose={onClose}>
      <h2>{t('lab.save.title')}</h2>
      <p>{t('lab.save.detail')}</p>
      <input
        className="input"
        aria-label={t('lab.save.folder')}
        aria-invalid={problem !== null}
        aria-describedby={noteId}
        value={folder}
        autoFocus
        spellCheck={false}
        onFocus={(event) => event.target.select()}
        onChange={(event) => setFolder(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter') save()
        }}
      />
      <p id={noteId} className="field-problem">
        {problem && t(problem === 'taken' ? 'lab.save.taken' : `project.problem.${problem}`)}
      </p>
      <div className="dialog-actions">
        <Button onClick={onClose}>{t('dialog.cancel')}</Button>
        <Button variant="primary" disabled={problem !== null} onClick={save}>
          {t('command.save')}
        </Button>
      </div>
    </Dialog>
  )
}

/** Unsaved edits, and something that would lose them. */
export function DiscardLabDialog({ proceed, onClose }: { proceed: () => void; onClose: () => void }): ReactElement {
  const { workbench } = useApp()
  const { t } = useI18n()
  const bench = workbench.lab
  const path = useStore(bench.lab.store, (view) => view.path)
  return (
    <Dialog label={t('lab.discard.title')} className="confirm" onClose={onClose}>
      <h2>{t('lab.discard.title')}</h2>
      <p>{t('lab.discard.detail')}</p>
      <div className="dialog-actions">
        <Button onClick={onClose}>{t('dialog.cancel')}</Button>
        <Button
          variant="danger"
          onClick={() => {
            onClose()
            bench.lab.discard()
            proceed()
          }}
        >
          {t('lab.discard.discard')}
        </Button>
        <Button
          variant="primary"
          autoFocus
          onClick={() => {
            onClose()
            void bench.save().then((isSaved) => {
              if (isSaved) proceed()
            })
          }}
        >
          {t(path === null ? 'command.lab.saveAs' : 'command.save')}
        </Button>
      </div>
    </Dialog>
  )
}
