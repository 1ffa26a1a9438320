import type { ReactElement } from 'react'
import { useI18n } from '../ui/context.tsx'
import { Icon } from '../ui/icons.tsx'

/** The cross of a tab. For the pointer; a tab holds no second control for others, and Delete closes it from the keyboard. */
export function CloseMark({
  title,
  isUnsaved = false,
  onClose,
}: {
  title: string
  isUnsaved?: boolean
  onClose: () => void
}): ReactElement {
  const { t } = useI18n()
  return (
    <span
      aria-hidden="true"
      className={`tab-close ${isUnsaved ? 'tab-close-unsaved' : ''}`}
      title={t('panel.closeTab', { title })}
      onPointerDown={(event) => event.stopPropagation()}
      onClick={(event) => {
        event.stopPropagation()
        onClose()
      }}
    >
      <Icon name="close" size={14} />
    </span>
  )
}
