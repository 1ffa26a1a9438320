import type { ReactElement } from 'react'
import { baseName } from '../state/paths.ts'
import type { Dialog as DialogState } from '../workbench.ts'
import { Button } from './button.tsx'
import { useApp, useI18n } from './context.tsx'
import { Dialog } from './dialog.tsx'

export function DeleteDialog({
  request: { path, isFolder, files },
  onClose,
}: {
  request: Extract<DialogState, { kind: 'delete' }>
  onClose: () => void
}): ReactElement {
  const { workbench } = useApp()
  const { t } = useI18n()
  const title = t('project.deleteFile.title', { name: baseName(path) })
  return (
    <Dialog label={title} className="confirm" onClose={onClose}>
      <h2>{title}</h2>
      <p>{isFolder ? t('project.deleteFolder.detail', { count: files }) : t('project.deleteFile.detail')}</p>
      <div className="dialog-actions">
        <Button onClick={onClose} autoFocus>
          {t('dialog.cancel')}
        </Button>
        <Button
          variant="danger"
          onClick={() => {
            onClose()
            void workbench.deleteFile(path)
          }}
        >
          {t('dialog.delete')}
        </Button>
      </div>
    </Dialog>
  )
}
