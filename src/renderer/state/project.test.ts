import { describe, expect, it } from 'vitest'
import type { FileEntry } from '../../protocol/service.ts'
import { FakeService } from '../testing/fake-service.ts'
import { nameProblem } from './paths.ts'
import { Project, treeRows } from './project.ts'
import { memoryStorage } from './storage.ts'

const file = (path: string): FileEntry => ({ path, kind: 'file', size: 1 })

describe('the tree', () => {
  it('shows folders first, then names as people sort them', () => {
    const rows = treeRows(
      [file('b.c'), file('a10.c'), file('a2.c'), file('lib/z.c'), { path: 'docs', kind: 'directory', size: 0 }],
      new Set(['lib']),
    )
    expect(rows.map(({ path, level, position, siblings }) => `${path} ${level} ${position}/${siblings}`)).toEqual([
      'docs 1 1/5',
      'lib 1 2/5',
      'lib/z.c 2 1/1',
      'a2.c 1 3/5',
      'a10.c 1 4/5',
      'b.c 1 5/5',
    ])
  })

  it('hides what is in closed folders', () => {
    expect(treeRows([file('a/b/c.c')], new Set(['a/b'])).map((row) => row.path)).toEqual(['a'])
  })
})

it('opens the folders of a new file and keeps them open through a rename and a reload', async () => {
  const service = new FakeService({ 'main.c': '' })
  const storage = memoryStorage()
  const project = new Project(service, storage)
  project.attached({ name: 'p', location: '/p', shell: 'browser' })
  await project.create('lib/deep/list.c')
  expect([...project.store.get().expanded].sort()).toEqual(['lib', 'lib/deep'])
  await project.rename('lib', 'src')
  expect([...project.store.get().expanded].sort()).toEqual(['src', 'src/deep'])
  const reloaded = new Project(service, storage)
  reloaded.attached({ name: 'p', location: '/p', shell: 'browser' })
  expect([...reloaded.store.get().expanded].sort()).toEqual(['src', 'src/deep'])
  await project.delete('src')
  expect([...project.store.get().expanded]).toEqual([])
  expect(project.store.get().entries).toEqual([{ path: 'main.c', kind: 'file', size: 0 }])
})

it('ignores a listing that a later one has overtaken', async () => {
  const service = new FakeService({ 'a.c': '' })
  const project = new Project(service, memoryStorage())
  let open = (): void => undefined
  const list = service.listFiles.bind(service)
  service.listFiles = async () => {
    service.listFiles = list
    await new Promise<void>((resolve) => (open = resolve))
    return []
  }
  const slow = project.refresh()
  await project.refresh()
  open()
  await slow
  expect(project.store.get().entries).toHaveLength(1)
})

it('says why a name is no path', () => {
  const taken = (path: string): boolean => path === 'lib/a.c'
  expect(nameProblem('lib', 'b.c', taken)).toBeNull()
  expect(nameProblem('', 'new/folder/b.c', taken)).toBeNull()
  expect(nameProblem('lib', 'a.c', taken)).toBe('taken')
  expect(nameProblem('', '', taken)).toBe('empty')
  expect(nameProblem('', '../b.c', taken)).toBe('segment')
  expect(nameProblem('', 'a//b.c', taken)).toBe('segment')
  expect(nameProblem('', 'a ', taken)).toBe('segment')
  expect(nameProblem('', 'a\\b', taken)).toBe('character')
})
