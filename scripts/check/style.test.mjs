import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { checkStyle } from './style.mjs'

let root
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'atoll-style-'))
  write('electron.vite.config.ts', "export default { main: 'src/main/index.ts', page: 'renderer/index.html' }\n")
  write('src/main/index.ts', '')
})
afterEach(() => rmSync(root, { recursive: true }))

function write(file, text) {
  mkdirSync(dirname(join(root, file)), { recursive: true })
  writeFileSync(join(root, file), text === '' ? 'export {}\n' : text)
}

describe('lines', () => {
  it.each([
    [`export const a = '${'x'.repeat(140)}'\n`, 'src/main/index.ts:1: line of 159 characters; 140 is the most'],
    ['if (a)\n\tb()\n', 'src/main/index.ts:2: tab; two spaces indent here'],
    ['a() \n', 'src/main/index.ts:1: blank at the end of the line'],
    [`// ${'TO'}DO: later\n`, 'src/main/index.ts:1: note to do it later; do it, or file it'],
    ['a()', 'src/main/index.ts: does not end with a newline']
  ])('%j is refused', (text, problem) => {
    write('src/main/index.ts', text)
    expect(checkStyle(root)).toEqual([problem])
  })
})

describe('dead files', () => {
  it('are those that nothing reaches', () => {
    write('src/main/index.ts', "import './alive.ts'\nnew Worker(new URL('./worker.ts', import.meta.url))\n")
    write('src/main/alive.ts', '')
    write('src/main/worker.ts', '')
    write('src/main/dead.ts', '')
    write('src/renderer/index.html', '<script type="module" src="./main.tsx"></script>\n')
    write('src/renderer/main.tsx', '')
    expect(checkStyle(root)).toEqual(['src/main/dead.ts: nothing imports it'])
  })

  it('are those that only their own test reaches', () => {
    write('src/main/a.ts', '')
    write('src/main/a.test.ts', "import './a.ts'\nimport './testing/driver.ts'\n")
    write('src/main/testing/driver.ts', '')
    expect(checkStyle(root)).toEqual(['src/main/a.ts: only tests import it; move it to a testing folder, or let it go'])
  })
})
