import type { ReactElement } from 'react'
import type { Notices } from '../state/notices.ts'
import { useStore } from '../state/use-store.ts'
import { Button, IconButton } from './button.tsx'
import { useI18n } from './context.tsx'
import { Icon } from './icons.tsx'

/** What happened and what can be done about it, until it is dismissed. */
export function NoticeList({ notices }: { notices: Notices }): ReactElement {
  const { t } = useI18n()
  const list = useStore(notices.store)
  return (
    <section className="notices" aria-label={t('notice.region')}>
      {list.map(({ id, severity, title, detail, actions }) => (
        <div key={id} className={`notice notice-${severity}`} role={severity === 'error' ? 'alert' : 'status'}>
          <Icon name={severity === 'error' ? 'error' : 'note'} />
          <div className="notice-text">
            <p className="notice-title">{title}</p>
            {detail && <p className="notice-detail">{detail}</p>}
            {actions.length > 0 && (
              <div className="notice-actions">
                {actions.map(({ label, run }) => (
                  <Button
                    key={label}
                    onClick={() => {
                      notices.dismiss(id)
                      run()
                    }}
                  >
                    {label}
                  </Button>
                ))}
              </div>
            )}
          </div>
          <IconButton icon="close" label={t('notice.dismiss')} onClick={() => notices.dismiss(id)} />
        </div>
      ))}
    </section>
  )
}
