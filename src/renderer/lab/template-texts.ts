import { enTemplates } from '../i18n/en-templates.ts'
import type { Translate } from '../i18n/i18n.ts'

type TemplateKey = keyof typeof enTemplates

/** `{node} misses hugo` → /^(?<node>[\w-]+) misses hugo$/ */
const PATTERNS = Object.entries(enTemplates).map(([key, text]) => {
  const literal = text.replace(/[.*+?^$()[\]|\\]/g, '\\$&')
  return { key: key as TemplateKey, pattern: new RegExp(`^${literal.replace(/\{(\w+)\}/g, '(?<$1>[\\w-]+)')}$`) }
})

/**
 * A text that comes with a template, in the language of the workbench: a lab's file is in one language. What is the person's own is
 * returned as it is.
 */
export function templateText(t: Translate, text: string): string {
  for (const { key, pattern } of PATTERNS) {
    const match = pattern.exec(text)
    if (match) return (t as (key: TemplateKey, values: Record<string, string>) => string)(key, match.groups ?? {})
  }
  return text
}
