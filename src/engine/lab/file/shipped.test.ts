import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { formatLab } from './format.ts'
import { parseLab } from './parse.ts'

/** The labs that come with Atoll, as an editor sees them: by the published JSON Schema and nothing else. */

const ASSETS = join(import.meta.dirname, '..', '..', '..', '..', 'assets')
const json = (...path: string[]) => JSON.parse(readFileSync(join(ASSETS, ...path), 'utf8'))
const schema = z.fromJSONSchema(json('lab.schema.json'))
const labs = readdirSync(join(ASSETS, 'labs'))

it('finds labs', () => {
  expect(labs).toEqual(['beacon-eight', 'chat', 'switched-four', 'two-hosts'])
})

it.each(labs)('%s is valid by the published schema, and stays so when it is written anew', (name) => {
  const lab = json('labs', name, 'lab.json')
  expect(schema.safeParse(lab).error).toBeUndefined()
  expect(schema.safeParse(JSON.parse(formatLab(parseLab(JSON.stringify(lab))))).error).toBeUndefined()
  // The schema is no formality.
  for (const wrong of [{ version: 2 }, { seed: 'x' }, { colour: 'red' }, { links: [{ a: 'ana' }] }, { nodes: [{ id: '-', kind: 'hub' }] }])
    expect(schema.safeParse({ ...lab, ...wrong }).success, JSON.stringify(wrong)).toBe(false)
})
