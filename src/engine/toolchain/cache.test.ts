import { readFileSync, readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { OutputCache, cacheKey } from './cache.ts'
import { temporaryFolder } from './testing/folders.ts'

const entry = (length: number) => ({ meta: { note: 'ñ', length }, bytes: new Uint8Array(length).fill(7) })

test('what goes in comes out', async () => {
  const cache = new OutputCache(join(temporaryFolder(), 'made', 'when', 'needed'))
  const key = cacheKey('a')
  expect(await cache.read(key)).toBeUndefined()
  await cache.write(key, entry(100))
  expect(await cache.read(key)).toEqual(entry(100))
})

test('any damage is noticed, and the entry removed', async () => {
  const folder = temporaryFolder()
  const cache = new OutputCache(folder)
  const key = cacheKey('a')
  await cache.write(key, entry(64))
  const path = join(folder, `${key}.bin`)
  const whole = readFileSync(path)
  const damaged = [
    ...Array.from({ length: whole.length }, (_, at) => Buffer.from(whole.map((byte, index) => index === at ? byte ^ 1 : byte))),
    whole.subarray(0, whole.length - 1), whole.subarray(0, 20), Buffer.alloc(0), Buffer.concat([whole, Buffer.from('x')])
  ]
  for (const bytes of damaged) {
    writeFileSync(path, bytes)
    expect(await cache.read(key)).toBeUndefined()
    expect(readdirSync(folder)).toEqual([])
  }
})

test('the entries used longest ago go first, and the limit holds', async () => {
  const folder = temporaryFolder()
  const cache = new OutputCache(folder, 10_000)
  const keys = Array.from({ length: 9 }, (_, index) => cacheKey(String(index)))
  for (const [index, key] of keys.entries()) {
    await cache.write(key, entry(1000))
    utimesSync(join(folder, `${key}.bin`), 1000 + index, 1000 + index)
  }
  await cache.read(keys[0]) // used now
  await cache.write(cacheKey('one more'), entry(1500))
  const left = await Promise.all(keys.map(async key => (await cache.read(key)) !== undefined))
  expect(left[0]).toBe(true)
  expect(left[1]).toBe(false)
  expect(left[8]).toBe(true)
  const bytes = readdirSync(folder).reduce((sum, name) => sum + readFileSync(join(folder, name)).length, 0)
  expect(bytes).toBeLessThanOrEqual(10_000)
})

test('an entry larger than the limit is not kept', async () => {
  const folder = temporaryFolder()
  await new OutputCache(folder, 1000).write(cacheKey('big'), entry(2000))
  expect(readdirSync(folder)).toEqual([])
})

test('a folder that cannot be written fails nothing', async () => {
  const file = join(temporaryFolder(), 'a file')
  writeFileSync(file, '')
  const cache = new OutputCache(join(file, 'below'))
  await cache.write(cacheKey('a'), entry(1))
  expect(await cache.read(cacheKey('a'))).toBeUndefined()
})

test('two processes that write the same key leave one whole entry', async () => {
  const folder = temporaryFolder()
  const caches = Array.from({ length: 8 }, () => new OutputCache(folder))
  await Promise.all(caches.map((cache, index) => cache.write(cacheKey('same'), entry(1000 + index))))
  expect((await caches[0].read(cacheKey('same')))?.bytes.length).toBeGreaterThanOrEqual(1000)
  expect(readdirSync(folder)).toHaveLength(1)
})

test('pieces of a key are kept apart', () => {
  expect(cacheKey('ab', 'c')).not.toBe(cacheKey('a', 'bc'))
  expect(cacheKey('a', '')).not.toBe(cacheKey('a'))
})
