import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { LabTopology } from '../../protocol/lab.ts'
import { memoryStorage } from '../state/storage.ts'
import { FakeLab } from '../testing/fake-lab.ts'
import { LabDrafts } from './lab-drafts.ts'
import { isLabDirty, Lab, PUSH_IDLE_MS } from './lab.ts'
import { addNode, renameNode } from './topology.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

async function setUp() {
  const service = new FakeLab()
  const lab = new Lab({
    service,
    drafts: new LabDrafts(memoryStorage(), 'project'),
    onConsoles: () => undefined,
    onRefused: () => undefined,
    onLost: () => undefined,
  })
  await lab.create()
  return { service, lab }
}

const add = (topology: LabTopology): LabTopology => addNode(topology, 'machine', { x: 0, y: 0 })
const names = (lab: Lab): string[] => lab.topology!.nodes.map(({ id }) => id)

describe('what another window does to the lab', () => {
  it('is shown, is not told again, and can be undone', async () => {
    const { service, lab } = await setUp()
    await lab.changedElsewhere({ kind: 'edited', topology: add(lab.topology!), path: null })
    expect(names(lab)).toEqual(['alice'])
    expect(isLabDirty(lab.store.get())).toBe(true)
    await vi.advanceTimersByTimeAsync(PUSH_IDLE_MS * 2)
    expect(service.calls).not.toContain('labUpdate')
    lab.undo()
    await vi.advanceTimersByTimeAsync(PUSH_IDLE_MS * 2)
    expect(service.topology!.nodes).toEqual([])
  })

  it('gives way to what is drawn here and was not told yet', async () => {
    const { service, lab } = await setUp()
    const theirs = add(lab.topology!)
    lab.edit((topology) => renameNode(add(topology), 'alice', 'mine'))
    await lab.changedElsewhere({ kind: 'edited', topology: theirs, path: null })
    expect(names(lab)).toEqual(['mine'])
    let answer = (): void => undefined
    service.gate = new Promise((resolve) => (answer = resolve))
    await vi.advanceTimersByTimeAsync(PUSH_IDLE_MS * 2)
    await lab.changedElsewhere({ kind: 'edited', topology: theirs, path: null })
    answer()
    await vi.advanceTimersByTimeAsync(0)
    expect(names(lab)).toEqual(['mine'])
    expect(service.topology!.nodes.map(({ id }) => id)).toEqual(['mine'])
    await lab.changedElsewhere({ kind: 'edited', topology: theirs, path: null })
    expect(names(lab)).toEqual(['alice'])
  })

  it('may be a save, which makes the lab clean and gives it a place', async () => {
    const { lab } = await setUp()
    lab.edit(add)
    await lab.flush()
    await lab.changedElsewhere({ kind: 'saved', topology: lab.topology!, path: 'labs/one' })
    expect(isLabDirty(lab.store.get())).toBe(false)
    expect(lab.store.get().path).toBe('labs/one')
  })

  it('may be another lab, which takes the place of this one', async () => {
    const { service, lab } = await setUp()
    lab.edit(add)
    service.labs.set('labs/two', { name: 'two', seed: 1, nodes: [], links: [] })
    await service.labOpen('labs/two')
    await lab.changedElsewhere({ kind: 'opened' })
    await vi.advanceTimersByTimeAsync(PUSH_IDLE_MS * 2)
    expect(lab.topology!.name).toBe('two')
    expect(lab.store.get().path).toBe('labs/two')
    expect(service.topology!.nodes).toEqual([])
  })
})
