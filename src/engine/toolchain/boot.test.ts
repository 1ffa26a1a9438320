import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { assembleImage } from './boot.ts'
import { BuildCache } from './build-cache.ts'
import { OutputCache } from './cache.ts'
import { readSections } from './elf.ts'
import { INSTALLATION, freshToolchain, temporaryFolder } from './testing/folders.ts'
import { findCompiler } from './zig.ts'

test('the boot image is assembled once, and has a Multiboot header where loaders look for it', async () => {
  const cacheDirectory = temporaryFolder()
  const image = await freshToolchain(cacheDirectory).assembleBoot()
  const text = readSections(image).find(section => section.name === '.text')
  expect(text?.address).toBe(0xffffffff80100000n)
  const view = new DataView(image.buffer, image.byteOffset, 8192)
  const header = Array.from({ length: 2046 }, (_, index) => index * 4).find(at => view.getUint32(at, true) === 0x1badb002)
  expect(header).toBeDefined()
  expect(await freshToolchain(cacheDirectory).assembleBoot()).toEqual(image)
})

test('mistakes in the source, in the script, and neither', async () => {
  const folder = temporaryFolder()
  const compiler = findCompiler({ installation: INSTALLATION })
  const cache = new BuildCache(new OutputCache(join(folder, 'cache')))
  const [source, script] = [join(folder, 'a.S'), join(folder, 'a.ld')]
  const assemble = () => assembleImage(compiler, cache, source, script, 'boot/a.S')
  writeFileSync(script, readFileSync(join(INSTALLATION, 'assets', 'boot', 'boot.ld')))

  writeFileSync(source, '#include "part.inc"\n.globl _start\n_start: frob\n')
  await expect(assemble()).rejects.toMatchObject({ kind: 'failed', diagnostics: [{ path: 'boot/a.S', line: 1 }] })
  writeFileSync(join(folder, 'part.inc'), '.code32\n')
  await expect(assemble()).rejects.toMatchObject({ kind: 'failed', diagnostics: [{ path: 'boot/a.S', line: 3, column: 9 }] })
  writeFileSync(source, '#include "part.inc"\n.globl _start\n_start: hlt\n call nowhere\n')
  await expect(assemble()).rejects.toThrow(/boot\/a\.S could not be linked: .*undefined symbol: nowhere/)
  writeFileSync(source, '#include "part.inc"\n.globl _start\n_start: hlt\n')
  const first = await assemble()
  writeFileSync(join(folder, 'part.inc'), '.code64\nnop\n')
  expect(await assemble()).not.toEqual(first)
  writeFileSync(script, 'SECTIONS { nonsense')
  await expect(assemble()).rejects.toThrow(/could not be linked/)
})
