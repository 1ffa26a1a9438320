import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

/** Contrast of two colours `#rrggbb` as WCAG 2.2 defines it (relative luminance, 1 to 21). */
function contrast(a: string, b: string): number {
  const luminance = (color: string): number => {
    const [r, g, bl] = [1, 3, 5].map((at) => {
      const channel = Number.parseInt(color.slice(at, at + 2), 16) / 255
      return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4
    })
    return 0.2126 * r + 0.7152 * g + 0.0722 * bl
  }
  const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x)
  return (light + 0.05) / (dark + 0.05)
}

function tokens(theme: 'dark' | 'light'): Record<string, string> {
  const css = readFileSync(new URL('tokens.css', import.meta.url), 'utf8')
  const block = css.slice(css.indexOf(`data-theme='${theme}'`))
  return Object.fromEntries(
    [...block.slice(0, block.indexOf('}')).matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)].map(([, name, value]) => [name, value]),
  )
}

const SURFACES = ['surface', 'surface-raised', 'surface-sunken', 'surface-hover', 'ground']
const TEXT = ['text', 'text-muted', 'text-faint', 'accent-text', 'coral', 'sand', 'sky']

describe.each(['dark', 'light'] as const)('the %s theme meets WCAG AA', (theme) => {
  const color = tokens(theme)
  const pairs = [
    ...TEXT.flatMap((text) => SURFACES.map((surface) => [text, surface])),
    ...['text', 'text-muted'].flatMap((text) =>
      ['surface-active', 'accent-soft', 'coral-soft', 'sand-soft'].map((surface) => [text, surface]),
    ),
    ...['on-accent'].flatMap((text) => ['accent-fill', 'accent-fill-hover'].map((surface) => [text, surface])),
    ['on-coral', 'coral-fill'],
    ...['keyword', 'type', 'string', 'number', 'comment', 'directive'].map((name) => [`code-${name}`, 'surface']),
    ...['red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'].flatMap((name) => [
      [`ansi-${name}`, 'surface-sunken'],
      [`ansi-bright-${name}`, 'surface-sunken'],
    ]),
    ['ansi-bright-black', 'surface-sunken'],
  ]
  it.each(pairs)('%s on %s', (text, surface) => {
    expect(contrast(color[text], color[surface])).toBeGreaterThanOrEqual(4.5)
  })
  it.each(['surface', 'surface-raised', 'surface-sunken', 'ground'])('the focus ring on %s', (surface) => {
    expect(contrast(color['focus'], color[surface])).toBeGreaterThanOrEqual(3)
  })
})
