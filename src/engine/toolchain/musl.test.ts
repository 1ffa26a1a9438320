import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { MUSL_FILES, Musl } from './musl.ts'
import { temporaryFolder } from './testing/folders.ts'
import type { Compiler } from './zig.ts'

/** A zig that says how often it built musl, and builds nothing that works. */
function fakeZig(folder: string, build = ''): Compiler {
  const path = join(folder, 'zig')
  writeFileSync(path, `#!/bin/sh
if [ "$1" = version ]; then echo 9.9.9-test; exit 0; fi
echo built >> '${join(folder, 'log')}'
${build}
line=ld.lld
n=0
for name in ${MUSL_FILES.join(' ')}; do
  n=$((n + 1))
  mkdir -p global/o/00ab$n
  echo "$name" > global/o/00ab$n/$name
  line="$line global/o/00ab$n/$name"
done
echo "$line" >&2
`)
  chmodSync(path, 0o755)
  return { kind: 'zig', clang: [path, 'clang'], lld: [path, 'ld.lld'], libraryDirectory: folder, identity: path }
}

const builds = (folder: string): number => readFileSync(join(folder, 'log'), 'utf8').split('\n').length - 1

describe.skipIf(process.platform === 'win32')('preparing musl', () => {
  test('happens once, with progress, and leaves only what is needed', async () => {
    const folder = temporaryFolder()
    const cache = join(folder, 'cache')
    const progress: number[] = []
    const ready = await new Musl(fakeZig(folder), cache, '/no').prepare((_, fraction) => progress.push(fraction))
    expect(readdirSync(ready).sort()).toEqual([...MUSL_FILES].sort())
    expect(readFileSync(join(ready, 'libc.a'), 'utf8')).toBe('libc.a\n')
    expect(progress[0]).toBe(0)
    expect(progress.at(-1)).toBe(1)
    expect(await new Musl(fakeZig(folder), cache, '/no').prepare()).toBe(ready)
    expect(builds(folder)).toBe(1)
    expect(readdirSync(cache)).toEqual(['9.9.9-test'])
  })

  test('happens once for many who ask at the same time, here and in other processes', async () => {
    const folder = temporaryFolder()
    const zig = fakeZig(folder, 'sleep 0.5')
    const askers = Array.from({ length: 3 }, () => new Musl(zig, join(folder, 'cache'), '/no'))
    const heard = new Set<string>()
    await Promise.all(askers.flatMap(asker => [asker.prepare(message => heard.add(message)), asker.prepare(message => heard.add(message))]))
    expect(builds(folder)).toBe(1)
    expect([...heard].some(message => message.includes('another process'))).toBe(true)
  })

  test('takes over from an owner that died', async () => {
    const folder = temporaryFolder()
    const lock = join(folder, 'cache', '9.9.9-test.lock')
    mkdirSync(lock, { recursive: true })
    utimesSync(lock, 1000, 1000)
    await new Musl(fakeZig(folder), join(folder, 'cache'), '/no').prepare()
    expect(existsSync(lock)).toBe(false)
    expect(readdirSync(join(folder, 'cache'))).toEqual(['9.9.9-test'])
  })

  test('takes what the app was shipped with', async () => {
    const folder = temporaryFolder()
    const shipped = join(folder, 'shipped', '9.9.9-test')
    mkdirSync(shipped, { recursive: true })
    for (const name of MUSL_FILES) writeFileSync(join(shipped, name), 'x')
    expect(await new Musl(fakeZig(folder), join(folder, 'cache'), join(folder, 'shipped')).prepare()).toBe(shipped)
    expect(existsSync(join(folder, 'log'))).toBe(false)
  })

  test.each([
    ['fails', 'echo "error: out of disk" >&2; exit 1', /zig could not build the C library: error: out of disk/],
    ['links something else', 'echo ld.lld crt1.o >&2; exit 0', /zig linked a musl program without crt1\.o/]
  ])('says why when zig %s, and can be tried again', async (_, build, message) => {
    const folder = temporaryFolder()
    const cache = join(folder, 'cache')
    const musl = new Musl(fakeZig(folder, build), cache, '/no')
    await expect(musl.prepare()).rejects.toThrow(message)
    expect(readdirSync(cache)).toEqual([])
    fakeZig(folder)
    expect(existsSync(join(await musl.prepare(), 'libc.a'))).toBe(true)
  })

  test('an incomplete folder is not taken for a complete one', async () => {
    const folder = temporaryFolder()
    const cache = join(folder, 'cache')
    const ready = await new Musl(fakeZig(folder), cache, '/no').prepare()
    writeFileSync(join(ready, 'libc.a'), '')
    await new Musl(fakeZig(folder), cache, '/no').prepare()
    expect(readFileSync(join(ready, 'libc.a'), 'utf8')).toBe('libc.a\n')
  })

  test('a cache that cannot be written says so', async () => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'file'), '')
    const musl = new Musl(fakeZig(folder), join(folder, 'file', 'cache'), '/no')
    await expect(musl.prepare()).rejects.toMatchObject({ name: 'ToolchainError', message: expect.stringContaining('could not be') })
  })

  test('whoever no longer waits does not stop it for the others', async () => {
    const folder = temporaryFolder()
    const musl = new Musl(fakeZig(folder, 'sleep 0.5'), join(folder, 'cache'), '/no')
    const controller = new AbortController()
    const [first, second] = [musl.prepare(undefined, controller.signal), musl.prepare()]
    controller.abort()
    await expect(first).rejects.toMatchObject({ kind: 'aborted' })
    expect(readdirSync(await second).length).toBe(MUSL_FILES.length)
  })
})
