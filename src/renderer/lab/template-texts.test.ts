import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { createI18nFor } from '../i18n/i18n.ts'
import { templateText } from './template-texts.ts'

const LABS = join(import.meta.dirname, '..', '..', '..', 'assets', 'labs')
const english = createI18nFor('en').t
const spanish = createI18nFor('es').t

it.each(readdirSync(LABS))('%s is told in each language, with all that it checks', (folder) => {
  const lab = JSON.parse(readFileSync(join(LABS, folder, 'lab.json'), 'utf8')) as { name: string; checks: { name: string }[] }
  for (const text of [lab.name, ...lab.checks.map(({ name }) => name)]) {
    expect(templateText(english, text)).toBe(text)
    expect(templateText(spanish, text), text).not.toBe(text)
  }
})

it('leaves what people wrote as it is', () => {
  expect(templateText(spanish, 'carol misses hugo')).toBe('carol echa en falta a hugo')
  expect(templateText(spanish, 'Eight beacons and a half')).toBe('Eight beacons and a half')
  expect(templateText(spanish, '')).toBe('')
})
