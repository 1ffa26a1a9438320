import { createStore } from '../state/store.ts'
import type { ReadonlyStore } from '../state/store.ts'
import type { SettingsState } from '../state/settings.ts'
import { en } from './en.ts'
import { es } from './es.ts'

export type MessageKey = keyof typeof en
export type Plural = { readonly one: string; readonly other: string }
/** What a language must provide: a missing key, or a plural where English has none, is a type error. */
export type Catalogue = { readonly [K in MessageKey]: (typeof en)[K] extends string ? string : Plural }

type PlaceholdersIn<S> = S extends `${string}{${infer Name}}${infer Rest}` ? Name | PlaceholdersIn<Rest> : never
type PlaceholdersOf<K extends MessageKey> = (typeof en)[K] extends Plural
  ? PlaceholdersIn<(typeof en)[K]['one']> | PlaceholdersIn<(typeof en)[K]['other']>
  : PlaceholdersIn<(typeof en)[K]>
type Value<Name> = Name extends 'count' ? number : string | number
type Arguments<K extends MessageKey> = [PlaceholdersOf<K>] extends [never] ? [] : [{ [Name in PlaceholdersOf<K>]: Value<Name> }]

/** Keys of messages without placeholders. */
export type PlainMessageKey = { [K in MessageKey]: Arguments<K> extends [] ? K : never }[MessageKey]

export type Translate = <K extends MessageKey>(key: K, ...args: Arguments<K>) => string

export type Locale = 'en' | 'es'

export const CATALOGUES: Record<Locale, Catalogue> = { en, es }

export interface I18n {
  readonly locale: Locale
  readonly t: Translate
  number(value: number, options?: Intl.NumberFormatOptions): string
  /** A length of time in its natural unit: `83 ms`, `1.24 s`, `3 min 5 s`. */
  duration(ms: number): string
}

export function createI18nFor(locale: Locale): I18n {
  const catalogue = CATALOGUES[locale]
  const rules = new Intl.PluralRules(locale)
  const formats = new Map<string, Intl.NumberFormat>()
  const number = (value: number, options: Intl.NumberFormatOptions = {}): string => {
    const key = JSON.stringify(options)
    const format = formats.get(key) ?? new Intl.NumberFormat(locale, { useGrouping: 'always', ...options } as Intl.NumberFormatOptions)
    formats.set(key, format)
    return format.format(value)
  }
  const t = (key: MessageKey, params: Record<string, string | number> = {}): string => {
    const message = catalogue[key]
    const text = typeof message === 'string' ? message : rules.select(Number(params['count'])) === 'one' ? message.one : message.other
    return text.replace(/\{(\w+)\}/g, (_, name: string) => {
      const value = params[name]
      return typeof value === 'number' ? number(value) : value
    })
  }
  // The symbols of the SI are the same in every language.
  const unit = (value: number, symbol: string, fractionDigits = 0): string =>
    `${number(value, { minimumFractionDigits: fractionDigits, maximumFractionDigits: fractionDigits })}\u00a0${symbol}`
  return {
    locale,
    t: t as Translate,
    number,
    duration(ms) {
      if (ms < 1) return unit(ms * 1000, 'µs')
      if (ms < 10) return unit(ms, 'ms', 1)
      if (ms < 1000) return unit(ms, 'ms')
      if (ms < 60_000) return unit(Math.floor(ms / 10) / 100, 's', 2)
      const minutes = Math.floor(ms / 60_000)
      if (minutes < 60) return `${unit(minutes, 'min')} ${unit(Math.floor((ms % 60_000) / 1000), 's')}`
      return `${unit(Math.floor(minutes / 60), 'h')} ${unit(minutes % 60, 'min')}`
    },
  }
}

/** The first of the system's languages that we speak; English when there is none. */
export function systemLocale(languages: readonly string[]): Locale {
  for (const language of languages) {
    const base = language.toLowerCase().split('-')[0]
    if (base === 'en' || base === 'es') return base
  }
  return 'en'
}

/** Follows the language setting. */
export function createI18n(settings: ReadonlyStore<SettingsState>, languages: readonly string[]): ReadonlyStore<I18n> {
  const locale = (): Locale => {
    const { language } = settings.get()
    return language === 'system' ? systemLocale(languages) : language
  }
  const store = createStore(createI18nFor(locale()))
  settings.subscribe(() => {
    if (store.get().locale !== locale()) store.set(createI18nFor(locale()))
  })
  return store
}
