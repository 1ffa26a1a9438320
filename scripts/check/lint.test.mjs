import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

const checkout = fileURLToPath(new URL('../..', import.meta.url))
const oxlint = join(checkout, 'node_modules/oxlint/bin/oxlint')

let root
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'atoll-lint-'))
  copyFileSync(join(checkout, '.oxlintrc.json'), join(root, '.oxlintrc.json'))
})
afterEach(() => rmSync(root, { recursive: true }))

/** Lints one set of files with the project's configuration and returns the rules they break, sorted. */
function lint(files) {
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, file)), { recursive: true })
    writeFileSync(join(root, file), text)
  }
  const { stdout, stderr } = spawnSync(process.execPath, [oxlint, '-f', 'json'], { cwd: root, encoding: 'utf8' })
  if (stderr !== '') throw new Error(stderr)
  return JSON.parse(stdout).diagnostics.map(diagnostic => diagnostic.code).sort()
}

describe('the engine is deterministic', () => {
  it.each([
    ['export const now = () => Date.now()', 'eslint(no-restricted-globals)'],
    ['export const born = new Date()', 'eslint(no-restricted-globals)'],
    ['export const now = () => performance.now()', 'eslint(no-restricted-globals)'],
    ['export const chance = () => Math.random()', 'eslint(no-restricted-properties)'],
    ['export const later = (f: () => void) => setTimeout(f, 1)', 'eslint(no-restricted-globals)'],
    ['export const often = (f: () => void) => setInterval(f, 1)', 'eslint(no-restricted-globals)'],
    ['export const where = () => process.cwd()', 'eslint(no-restricted-globals)'],
    ['export const bytes = () => Buffer.alloc(1)', 'eslint(no-restricted-globals)'],
    ['export const chance = () => crypto.getRandomValues(new Uint8Array(1))', 'eslint(no-restricted-globals)'],
    ["export const say = () => console.log('x')", 'eslint(no-console)']
  ])('%s is refused', (text, rule) => {
    const layers = ['machine', 'kernel', 'network', 'lab']
    expect(lint(Object.fromEntries(layers.map(layer => [`src/engine/${layer}/a.ts`, `${text}\n`])))).toEqual(layers.map(() => rule))
  })

  it('lets a local of the same name be', () => {
    const text = 'export function run(process: { id: number }): number {\n  return process.id\n}\n'
    expect(lint({ 'src/engine/kernel/a.ts': text })).toEqual([])
  })

  it('lets the toolchain and tests use the host', () => {
    const text = 'export const now = () => Date.now()\n'
    expect(lint({ 'src/engine/toolchain/a.ts': text, 'src/engine/machine/a.test.ts': text })).toEqual([])
  })
})

describe('the renderer is a page', () => {
  it.each([
    'export const where = process.cwd()',
    'export const bytes = Buffer.alloc(1)',
    "export const fs = require('node:fs')"
  ])('%s is refused', text => {
    expect(lint({ 'src/renderer/a.tsx': `${text}\n` })).toContain('eslint(no-restricted-globals)')
  })

  it('keeps the rules of hooks', () => {
    const text = [
      "import { useState } from 'react'",
      'export function Panel({ open }: { open: boolean }) {',
      '  if (!open) return null',
      '  const [n] = useState(0)',
      '  return n',
      '}'
    ].join('\n')
    expect(lint({ 'src/renderer/a.tsx': text })).toContain('react(hooks)')
  })
})

describe('imports', () => {
  it('go round in no circle', () => {
    const files = {
      'src/protocol/a.ts': "import { b } from './b.ts'\nexport const a = () => b\n",
      'src/protocol/b.ts': "import { a } from './a.ts'\nexport const b = () => a\n"
    }
    expect(lint(files)).toContain('import(no-cycle)')
  })

  it('name what they take', () => {
    expect(lint({ 'src/protocol/a.ts': 'export default 1\n' })).toContain('import(no-default-export)')
  })
})
