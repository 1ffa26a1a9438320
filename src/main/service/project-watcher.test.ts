import { mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { ProjectWatcher } from './project-watcher.ts'
import { Project } from './project.ts'

let root: string
let watcher: ProjectWatcher
let changes: string[]

beforeEach(async () => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'atoll-watcher-')))
  writeFileSync(join(root, 'a.c'), 'one')
  changes = []
  watcher = new ProjectWatcher(new Project(root), (paths) => changes.push(...paths))
  await watcher.start()
})
afterEach(() => {
  watcher.close()
  rmSync(root, { recursive: true, force: true })
})

async function expectChange(path: string): Promise<void> {
  await vi.waitFor(() => expect(changes).toContain(path), 5000)
  changes.length = 0
}

it('keeps seeing a file that was replaced by a rename, as editors save', async () => {
  writeFileSync(join(root, 'a.c.new'), 'two')
  renameSync(join(root, 'a.c.new'), join(root, 'a.c'))
  await expectChange('a.c')
  writeFileSync(join(root, 'a.c'), 'three!')
  await expectChange('a.c')
  rmSync(join(root, 'a.c'))
  await expectChange('a.c')
})

it('sees into folders that appear later', async () => {
  mkdirSync(join(root, 'lib'))
  await expectChange('lib')
  writeFileSync(join(root, 'lib', 'list.c'), '')
  await expectChange('lib/list.c')
})
