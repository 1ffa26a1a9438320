import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { checkLayers } from './layers.mjs'

let root
beforeEach(() => { root = mkdtempSync(join(tmpdir(), 'atoll-layers-')) })
afterEach(() => rmSync(root, { recursive: true }))

function write(file, text) {
  mkdirSync(dirname(join(root, file)), { recursive: true })
  writeFileSync(join(root, file), text)
}

const from = (file, target) => {
  const up = '../'.repeat(file.split('/').length - 1)
  return `import { x } from '${up}${target}'\nexport const y = x\n`
}

describe('layers', () => {
  it.each([
    ['src/protocol/a.ts', 'src/engine/machine/b.ts'],
    ['src/engine/machine/a.ts', 'src/protocol/b.ts'],
    ['src/engine/random/a.ts', 'src/engine/machine/b.ts'],
    ['src/engine/machine/a.ts', 'src/engine/kernel/b.ts'],
    ['src/engine/kernel/a.ts', 'src/engine/network/b.ts'],
    ['src/engine/kernel/a.ts', 'src/engine/lab/b.ts'],
    ['src/engine/kernel/a.ts', 'src/engine/toolchain/b.ts'],
    ['src/engine/network/a.ts', 'src/engine/machine/b.ts'],
    ['src/engine/network/a.ts', 'src/engine/kernel/b.ts'],
    ['src/engine/lab/a.ts', 'src/engine/toolchain/b.ts'],
    ['src/engine/toolchain/a.ts', 'src/engine/machine/b.ts'],
    ['src/main/a.ts', 'src/renderer/b.ts'],
    ['src/main/a.ts', 'src/cli/b.ts'],
    ['src/preload/a.ts', 'src/main/b.ts'],
    ['src/cli/a.ts', 'src/main/index.ts'],
    ['src/cli/a.ts', 'src/renderer/b.ts'],
    ['src/renderer/a.tsx', 'src/engine/machine/b.ts'],
    ['src/renderer/a.tsx', 'src/main/b.ts']
  ])('refuses %s that imports %s', (file, target) => {
    write(file, from(file, target))
    write(target, 'export const x = 1\n')
    const layer = file.match(/src\/(engine\/)?\w+/)[0]
    expect(checkLayers(root)).toEqual([expect.stringContaining(`${file}:1: ${layer} may not import ${target}`)])
  })

  it.each([
    ['src/engine/kernel/a.ts', 'src/engine/machine/b.ts'],
    ['src/engine/network/a.ts', 'src/engine/random/b.ts'],
    ['src/engine/lab/a.ts', 'src/engine/network/b.ts'],
    ['src/main/a.ts', 'src/engine/toolchain/b.ts'],
    ['src/cli/a.ts', 'src/main/service/b.ts'],
    ['src/renderer/a.tsx', 'src/protocol/b.ts'],
    ['src/engine/machine/cpu/a.test.ts', 'src/engine/toolchain/b.ts']
  ])('lets %s import %s', (file, target) => {
    write(file, from(file, target))
    write(target, 'export const x = 1\n')
    expect(checkLayers(root)).toEqual([])
  })

  it.each([
    ['src/engine/machine/a.ts', "import 'node:fs'\n", "may not use Node's node:fs"],
    ['src/engine/kernel/a.ts', "import { join } from 'path'\nexport { join }\n", "may not use Node's path"],
    ['src/renderer/a.ts', "import 'node:fs'\n", "may not use Node's node:fs"],
    ['src/renderer/a.ts', "import 'electron'\n", 'may not use the package electron'],
    ['src/engine/machine/a.ts', "import wabt from 'wabt'\nexport { wabt }\n", 'may not use the package wabt']
  ])('refuses %s that says %s', (file, text, refusal) => {
    write(file, text)
    expect(checkLayers(root)).toEqual([expect.stringContaining(refusal)])
  })

  it('sees every way to name a file', () => {
    write('src/engine/kernel/b.ts', 'export type T = number\n')
    write('src/engine/machine/a.ts', [
      "import type { T } from '../kernel/b.ts'",
      "export * from '../kernel/b.ts'",
      "export type { T as U } from '../kernel/b.ts'",
      "export const c = await import('../kernel/b.ts')",
      "export type V = import('../kernel/b.ts').T | T",
      "export const w = new URL('../kernel/b.ts', import.meta.url)"
    ].join('\n'))
    expect(checkLayers(root).map(problem => problem.split(':')[1])).toEqual(['1', '2', '3', '4', '5', '6'])
  })

  it('refuses a file that belongs to no layer', () => {
    write('src/elsewhere/a.ts', 'export const x = 1\n')
    expect(checkLayers(root)).toEqual([expect.stringContaining('src/elsewhere/a.ts:1: belongs to no layer')])
  })
})
