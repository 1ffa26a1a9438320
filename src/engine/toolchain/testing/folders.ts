import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import { Toolchain } from '../toolchain.ts'
import type { BuildOptions, Build } from '../toolchain.ts'

/** The checkout. */
export const INSTALLATION = fileURLToPath(new URL('../../../..', import.meta.url)).replace(/[/\\]$/, '')

/** What the tests of every run share, because musl takes most of a minute to build. */
export const SHARED_CACHE = join(INSTALLATION, '.cache', 'toolchain')

/** A folder that is gone when the test ends. */
export function temporaryFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'atoll-test-')))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** A toolchain that remembers nothing from before. */
export function freshToolchain(cacheDirectory = temporaryFolder()): Toolchain {
  return new Toolchain({ installation: INSTALLATION, cacheDirectory })
}

/** Builds a text as if it were saved as `name` in a project that is not there. */
export function buildText(toolchain: Toolchain, name: string, text: string, options?: BuildOptions): Promise<Build> {
  return toolchain.build({ path: name, file: join('/nowhere', name), text }, options)
}
