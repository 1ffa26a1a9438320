import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { INSTALLATION, SHARED_CACHE, freshToolchain } from './testing/folders.ts'
import { Toolchain } from './toolchain.ts'

const USER = join(INSTALLATION, 'user')
const programs = readdirSync(USER).filter(name => /\.(?:c|S|wat)$/.test(name))

describe('the programs that come with Atoll', () => {
  const toolchain = new Toolchain({ installation: INSTALLATION, cacheDirectory: SHARED_CACHE })
  beforeAll(() => toolchain.prepareMusl(), 600_000)

  test.each(programs)('%s builds without a word, and opens with a comment', async name => {
    const build = await toolchain.build({ path: `user/${name}`, file: join(USER, name) })
    expect(build).toMatchObject({ ok: true, diagnostics: [] })
    expect(build.message).toBeUndefined()
    expect(readFileSync(join(USER, name), 'utf8')).toMatch(/^(?:\/\*|;;)/)
  })

  test.each(programs)('%s has lines that fit on a screen', name => {
    for (const line of readFileSync(join(USER, name), 'utf8').split('\n')) expect(line.length).toBeLessThanOrEqual(125)
  })
})

test('the header can be used alone and beside a C library, with every warning', async () => {
  const toolchain = freshToolchain()
  const file = join(USER, 'include', 'atoll.h')
  expect(await toolchain.check({ path: 'user/include/atoll.h', file })).toEqual([])
  const includes = ['errno.h', 'fcntl.h', 'sys/mman.h', 'sys/stat.h', 'stdio.h', 'atoll.h'].map(name => `#include <${name}>\n`)
  const text = `${includes.join('')}int main(void) { return sys_getpid(); }\n`
  const flags = ['-Wconversion', '-Wshadow', '-Wpedantic']
  expect(await toolchain.check({ path: 'a.c', file: '/nowhere/a.c', text }, { flags })).toEqual([])
})
