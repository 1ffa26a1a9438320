import type { ReactElement } from 'react'
import { useEffect, useState } from 'react'
import type { SessionState } from '../service/session.ts'
import { Button } from './button.tsx'
import { useI18n } from './context.tsx'
import { Icon } from './icons.tsx'

/** Tells that the service is out of reach, and when it is tried again. */
export function ConnectionBanner({ state, onRetry }: { state: SessionState; onRetry: () => void }): ReactElement | null {
  const { t } = useI18n()
  const seconds = useSecondsUntil(state.kind === 'lost' ? state.retryAt : null)
  if (state.kind === 'incompatible') {
    return (
      <div className="banner" role="alert">
        <Icon name="unplugged" />
        <p>{t('connection.incompatible')}</p>
        <Button onClick={() => window.location.reload()}>{t('connection.reload')}</Button>
      </div>
    )
  }
  if (state.kind === 'failed') {
    return (
      <div className="banner" role="alert">
        <Icon name="unplugged" />
        <p>{state.message}</p>
        <Button onClick={onRetry}>{t('connection.retry')}</Button>
      </div>
    )
  }
  if (state.kind !== 'lost') return null
  return (
    <div className="banner">
      <Icon name="unplugged" />
      <p role="alert">{t('connection.lost')}</p>
      <p className="banner-quiet">
        {seconds === null || seconds <= 0 ? t('connection.reconnecting') : t('connection.retryIn', { count: seconds })}
      </p>
      <Button onClick={onRetry} disabled={state.retryAt === null}>
        {t('connection.retry')}
      </Button>
    </div>
  )
}

function useSecondsUntil(time: number | null): number | null {
  const [now, setNow] = useState(() => Date.now())
  useEffect(() => {
    if (time === null) return
    setNow(Date.now())
    const timer = setInterval(() => setNow(Date.now()), 250)
    return () => clearInterval(timer)
  }, [time])
  return time === null ? null : Math.ceil((time - now) / 1000)
}
