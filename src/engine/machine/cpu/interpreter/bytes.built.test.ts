import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { interpreterBytes } from './bytes.ts'

const CHUNKS = fileURLToPath(new URL('../../../../../out/chunks', import.meta.url))

test('what was built has the bytes of tier 0 in it, as they are generated now', () => {
  const text = Buffer.from(interpreterBytes()).toString('base64')
  const holders = readdirSync(CHUNKS).filter((name) => readFileSync(join(CHUNKS, name), 'utf8').includes(text))
  expect(holders.length).toBeGreaterThan(0)
})
