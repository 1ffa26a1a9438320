import { mkdtemp, readFile, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { LabChange, LabService, LabTopology } from '../../../protocol/lab.ts'
import type { ProgramBuilder } from '../program-builder.ts'
import { Project } from '../project.ts'
import { LabDesk } from './lab-desk.ts'
import { labServiceFor } from './lab-service.ts'

const builder: ProgramBuilder = {
  bootImage: async () => new Uint8Array(),
  systemFiles: async () => new Map(),
  build: async () => ({ result: { ok: true, diagnostics: [], elapsedMs: 0, cached: false } }),
  check: async () => [],
}

let folder: string
let desk: LabDesk
/** What the window that did not do it was told. */
let told: { one: LabChange[]; other: LabChange[] }
let one: LabService
let other: LabService

beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'atoll-lab-')))
  const audience = { labStatus: () => undefined, labConsole: () => undefined, labTraffic: () => undefined, labRestarted: () => undefined }
  desk = new LabDesk({ project: new Project(folder), builder, audience, workers: 0 })
  told = { one: [], other: [] }
  one = labServiceFor(desk, { attach: () => undefined, tellOthers: (change) => void told.other.push(change) })
  other = labServiceFor(desk, { attach: () => undefined, tellOthers: (change) => void told.one.push(change) })
})
afterEach(async () => {
  desk.dispose()
  await rm(folder, { recursive: true })
})

const withMachine = (topology: LabTopology, id: string): LabTopology => ({
  ...topology,
  nodes: [...topology.nodes, { id, kind: 'machine', position: { x: 0, y: 0 } }],
})

it('gives a template the name that the window has for it, and the person\'s own labs none', async () => {
  expect((await one.labOpen('templates/two-hosts')).topology!.name).toBe('Two hosts on a cable')
  const { topology } = await one.labOpen('templates/two-hosts', 'Dos máquinas')
  expect(topology!.name).toBe('Dos máquinas')
  await one.labSave('labs/dos', topology!)
  expect((await one.labOpen('labs/dos', 'otra cosa')).topology!.name).toBe('Dos máquinas')
})

describe('one lab in two windows', () => {
  it('tells each what the other did, and nobody what was refused', async () => {
    const { topology } = await one.labNew()
    expect(told.other).toEqual([{ kind: 'opened' }])
    await other.labAttach()
    const drawn = withMachine(topology!, 'alice')
    await one.labUpdate(drawn)
    expect(told.other.at(-1)).toEqual({ kind: 'edited', topology: drawn, path: null })
    expect(await one.labUpdate(withMachine(drawn, 'alice'))).toMatchObject({ ok: false })
    expect(told.other).toHaveLength(2)
    await other.labSave('labs/pair', drawn)
    expect(told.one).toEqual([{ kind: 'saved', topology: drawn, path: 'labs/pair' }])
    expect(await readFile(join(folder, 'labs/pair/lab.json'), 'utf8')).toContain('alice')
    expect(told.other).toHaveLength(2)
  })

  it('does not let a window draw over a lab that it has not seen', async () => {
    await one.labNew()
    const { topology } = await other.labNew()
    await expect(one.labUpdate(topology!)).rejects.toThrow('another window has opened another lab')
    await one.labAttach()
    expect(await one.labUpdate(topology!)).toEqual({ ok: true })
  })
})
