import type { ReactElement } from 'react'
import { templateText } from '../lab/template-texts.ts'
import { useStore } from '../state/use-store.ts'
import { useApp, useI18n } from '../ui/context.tsx'
import { Icon } from '../ui/icons.tsx'

/** What the lab itself wants to see, and whether it has. */
export function Checks(): ReactElement | null {
  const { workbench } = useApp()
  const { t, duration } = useI18n()
  const checks = useStore(workbench.lab.lab.store, ({ status }) => status.checks)
  if (checks.length === 0) return null
  const passed = checks.filter(({ state }) => state === 'passed').length
  return (
    <section className="checks" aria-label={t('lab.checks')}>
      <h3>{t('lab.checks.count', { passed, total: checks.length })}</h3>
      <ul>
        {checks.map(({ name, state, atNs, message }) => (
          <li key={name} className={`check check-${state}`}>
            {state === 'waiting' ? <span className="check-dot" /> : <Icon name={state === 'passed' ? 'check' : 'error'} size={14} />}
            <span className="check-text">
              {templateText(t, name)}
              {message && <small>{message}</small>}
            </span>
            <span className="visually-hidden">{t(`lab.check.${state}`)}</span>
            {atNs !== undefined && <span className="check-time">{duration(atNs / 1e6)}</span>}
          </li>
        ))}
      </ul>
    </section>
  )
}
