import type { ReactElement } from 'react'
import { LANGUAGE_CHOICES, THEME_CHOICES } from '../state/settings.ts'
import { useStore } from '../state/use-store.ts'
import { Button, IconButton } from './button.tsx'
import { useApp, useI18n } from './context.tsx'
import { Dialog } from './dialog.tsx'

export function SettingsDialog({ onClose }: { onClose: () => void }): ReactElement {
  const { workbench } = useApp()
  const { settings, layout } = workbench
  const { t, locale } = useI18n()
  const { theme, language, screenReader } = useStore(settings.store)
  const needsReload = document.documentElement.dataset['editorLanguage'] !== locale
  return (
    <Dialog label={t('settings.title')} className="settings" onClose={onClose}>
      <div className="dialog-head">
        <h2>{t('settings.title')}</h2>
        <IconButton icon="close" label={t('settings.close')} onClick={onClose} />
      </div>
      <Choice
        name="theme"
        label={t('settings.theme')}
        value={theme}
        choices={THEME_CHOICES.map((choice) => [choice, t(`settings.theme.${choice}`)])}
        onChange={(choice) => settings.change({ theme: choice })}
      />
      <Choice
        name="language"
        label={t('settings.language')}
        value={language}
        choices={LANGUAGE_CHOICES.map((choice) => [choice, t(`settings.language.${choice}`)])}
        onChange={(choice) => settings.change({ language: choice })}
      />
      {needsReload && (
        <p className="settings-note">
          {t('settings.language.note')} <Button onClick={() => window.location.reload()}>{t('settings.language.reload')}</Button>
        </p>
      )}
      <label className="settings-row">
        <span>
          {t('settings.screenReader')}
          <small>{t('settings.screenReader.detail')}</small>
        </span>
        <input
          type="checkbox"
          className="switch"
          checked={screenReader}
          onChange={(event) => settings.change({ screenReader: event.target.checked })}
        />
      </label>
      <div className="settings-row">
        <span>{t('settings.layout')}</span>
        <Button onClick={() => layout.reset()}>{t('settings.layout.reset')}</Button>
      </div>
    </Dialog>
  )
}

function Choice<T extends string>({
  name,
  label,
  value,
  choices,
  onChange,
}: {
  name: string
  label: string
  value: T
  choices: readonly (readonly [T, string])[]
  onChange: (value: T) => void
}): ReactElement {
  return (
    <div className="settings-row">
      <span aria-hidden="true">{label}</span>
      <div className="segmented" role="radiogroup" aria-label={label}>
        {choices.map(([choice, text]) => (
          <label key={choice}>
            <input type="radio" name={name} value={choice} checked={choice === value} onChange={() => onChange(choice)} />
            <span>{text}</span>
          </label>
        ))}
      </div>
    </div>
  )
}
