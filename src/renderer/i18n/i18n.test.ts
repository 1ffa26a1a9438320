import { describe, expect, it } from 'vitest'
import { createSettings } from '../state/settings.ts'
import { memoryStorage } from '../state/storage.ts'
import type { MessageKey } from './i18n.ts'
import { CATALOGUES, createI18n, createI18nFor, systemLocale } from './i18n.ts'

const texts = (key: MessageKey, locale: 'en' | 'es'): string[] => {
  const message = CATALOGUES[locale][key]
  return typeof message === 'string' ? [message] : [message.one, message.other]
}
const placeholders = (text: string): string[] => (text.match(/\{\w+\}/g) ?? []).sort()

describe('the catalogues', () => {
  const keys = Object.keys(CATALOGUES.en) as MessageKey[]

  it('have the same keys', () => {
    expect(Object.keys(CATALOGUES.es).sort()).toEqual([...keys].sort())
  })

  it.each(keys)('%s has the same placeholders in each language, and a text', (key) => {
    const english = placeholders(texts(key, 'en')[0])
    for (const text of [...texts(key, 'en'), ...texts(key, 'es')]) {
      expect(placeholders(text)).toEqual(english)
      expect(text.trim()).not.toBe('')
    }
  })
})

it('fills placeholders, chooses plurals and writes numbers as the language does', () => {
  const english = createI18nFor('en')
  const spanish = createI18nFor('es')
  expect(english.t('welcome.open', { name: 'hello.c' })).toBe('Open hello.c')
  expect(english.t('problems.errors', { count: 1 })).toBe('1 error')
  expect(spanish.t('problems.errors', { count: 0 })).toBe('0 errores')
  expect(spanish.t('problems.warnings', { count: 12345 })).toBe('12.345 avisos')
  expect(spanish.number(1.5)).toBe('1,5')
})

it('does not read a placeholder inside a value', () => {
  expect(createI18nFor('en').t('panel.tab.unsaved', { title: '{title}$&' })).toBe('{title}$&, unsaved')
})

it('gives a length of time its natural unit', () => {
  const { duration } = createI18nFor('en')
  expect([0.25, 4.26, 83.4, 1239, 59_999, 61_500, 7_260_000].map((ms) => duration(ms).replaceAll('\u00a0', ' '))).toEqual([
    '250 µs',
    '4.3 ms',
    '83 ms',
    '1.23 s',
    '59.99 s',
    '1 min 1 s',
    '2 h 1 min',
  ])
})

it('speaks the first of the system languages it knows', () => {
  expect(systemLocale(['fr-FR', 'es-MX', 'en-US'])).toBe('es')
  expect(systemLocale(['de'])).toBe('en')
})

it('follows the setting', () => {
  const settings = createSettings(memoryStorage())
  const i18n = createI18n(settings.store, ['es-ES'])
  expect(i18n.get().locale).toBe('es')
  settings.change({ language: 'en' })
  expect(i18n.get().t('dialog.cancel')).toBe('Cancel')
})
