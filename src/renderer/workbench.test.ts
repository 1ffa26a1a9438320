import { beforeEach, describe, expect, it, vi } from 'vitest'
import { FakeService } from './testing/fake-service.ts'
import { createI18n } from './i18n/i18n.ts'
import { Layout } from './panels/layout.ts'
import type { SessionState } from './service/session.ts'
import { createNotices } from './state/notices.ts'
import { createSettings } from './state/settings.ts'
import { memoryStorage } from './state/storage.ts'
import { createStore } from './state/store.ts'
import { Workbench } from './workbench.ts'

const FILES = { 'hello.c': 'fine', 'lib/list.h': '', 'test.wat': '', 'notes.txt': '' }

async function setUp(files: Record<string, string> = FILES) {
  const service = new FakeService(files)
  const storage = memoryStorage()
  const settings = createSettings(storage)
  const notices = createNotices()
  const session = createStore<SessionState>({ kind: 'connected' })
  const layout = new Layout(storage)
  const shown: string[] = []
  layout.addLabConsoles = () => undefined
  layout.show = (tool) => void shown.push(tool)
  layout.openDocument = (path) => {
    shown.push(path)
    workbench.activePath.set(path)
    void workbench.documents.open(path)
  }
  const workbench: Workbench = new Workbench(
    {
      connection: { service, retry: () => undefined, close: () => undefined },
      session,
      storage,
      settings,
      notices,
      i18n: createI18n(settings.store, ['en']),
      layout,
      console: {
        isSearchOpen: createStore(false),
        write: async () => undefined,
        replace: () => undefined,
        clear: () => undefined,
        focus: () => undefined,
        hasFocus: () => false,
      },
      labConsoles: {
        write: async () => undefined,
        replaceAll: () => undefined,
        renamed: () => undefined,
        remove: () => undefined,
        focus: () => undefined,
        openSearch: () => undefined,
        focused: () => null,
        hasFocus: () => false,
      },
      download: () => undefined,
      editors: { reveal: () => undefined, focus: () => undefined, renamed: () => undefined },
    },
    await service.attach(),
  )
  service.events = {
    console: (id, bytes) => void workbench.events.console(id, bytes),
    status: (status) => void workbench.events.status(status),
    filesChanged: (paths) => void workbench.events.filesChanged(paths),
  }
  service.labEvents = workbench.lab.events
  await workbench.refreshProject()
  const open = async (path: string): Promise<void> => {
    workbench.openDocument(path)
    await vi.waitFor(() => expect(workbench.documents.get(path)?.phase).toBe('ready'))
  }
  const titles = (): string[] => notices.store.get().map(({ title }) => title)
  return { service, workbench, session, notices, shown, open, titles, layout }
}

let context: Awaited<ReturnType<typeof setUp>>
beforeEach(async () => {
  context = await setUp()
})

describe('Build and Boot', () => {
  it('is about the active program, else the one booted last, else hello.c', async () => {
    const { workbench, open } = context
    expect(workbench.target()).toBe('hello.c')
    await open('test.wat')
    expect(workbench.target()).toBe('test.wat')
    await workbench.boot()
    await open('notes.txt')
    expect(workbench.target()).toBe('test.wat')
  })

  it('saves first and shows the console', async () => {
    const { service, workbench, shown, open } = context
    await open('hello.c')
    workbench.documents.edit('hello.c', 'edited')
    await workbench.boot()
    expect(service.text('hello.c')).toBe('edited')
    expect(workbench.machine.store.get().status).toMatchObject({ program: 'hello.c', phase: 'booting' })
    expect(shown.at(-1)).toBe('console')
  })

  it('leads to the problems when the program has some', async () => {
    const { workbench, shown, titles, open } = context
    await open('hello.c')
    workbench.documents.edit('hello.c', 'error!')
    await workbench.boot()
    expect(shown.at(-1)).toBe('problems')
    expect(titles()).toEqual([])
    expect(workbench.machine.store.get()).toMatchObject({ status: null, lastBuild: { ok: false } })
  })

  it('says what a failed build said when no problem has a place', async () => {
    const { service, workbench, notices } = context
    service.build = async () => ({ ok: false, diagnostics: [], elapsedMs: 1, cached: false, message: 'undefined symbol: main' })
    await workbench.boot()
    expect(notices.store.get()).toMatchObject([{ severity: 'error', title: 'hello.c was not built', detail: 'undefined symbol: main' }])
  })

  it('does not start with text that another writer would lose', async () => {
    const { service, workbench, titles, open } = context
    await open('hello.c')
    workbench.documents.edit('hello.c', 'mine')
    service.put('hello.c', 'theirs')
    await workbench.boot()
    expect(titles()).toEqual(['hello.c is not saved'])
    expect(service.machine).toBeNull()
    await workbench.documents.keepMine('hello.c')
    expect(titles()).toEqual([])
  })

  it('is refused in sight while the connection is lost', async () => {
    const { service, workbench, session, titles } = context
    session.set({ kind: 'lost', reason: '', retryAt: null })
    await workbench.boot()
    workbench.type(new Uint8Array([65]))
    expect(titles()).toEqual(['Not while the connection is lost', 'Not typed: the connection is lost.'])
    expect(service.calls).not.toContain('build hello.c')
  })
})

it('types into the machine, and says so when there is none', async () => {
  const { service, workbench, titles } = context
  workbench.type(new Uint8Array([65]))
  expect(titles()).toEqual(['Not typed: no machine is running.'])
  await workbench.boot()
  workbench.type(new Uint8Array([66]))
  await vi.waitFor(() => expect(service.typed).toEqual([{ id: 'm1', text: 'B' }]))
})

it('renames a file with all that is known of it', async () => {
  const { service, workbench, open } = context
  await open('hello.c')
  await workbench.boot()
  workbench.documents.edit('hello.c', 'edited')
  await workbench.renameFile('hello.c', 'greet.c')
  expect(service.text('greet.c')).toBe('edited')
  expect(workbench.activePath.get()).toBe('greet.c')
  expect(workbench.documents.get('greet.c')).toMatchObject({ text: 'edited' })
  expect(workbench.target()).toBe('greet.c')
})

it('reports what could not be done to a file', async () => {
  const { service, workbench, titles } = context
  service.failure = 'The disk is full'
  await workbench.createFile('new.c')
  await workbench.renameFile('hello.c', 'other.c')
  await workbench.deleteFile('hello.c')
  expect(titles()).toEqual(['new.c was not created', 'hello.c was not renamed', 'hello.c was not deleted'])
})

it('counts the files that go with a folder', () => {
  const { workbench } = context
  workbench.confirmDelete('lib')
  expect(workbench.dialogs.get()).toEqual({ kind: 'delete', path: 'lib', isFolder: true, files: 1 })
  workbench.confirmDelete('hello.c')
  expect(workbench.dialogs.get()).toEqual({ kind: 'delete', path: 'hello.c', isFolder: false, files: 1 })
})

it('follows files that others change', async () => {
  const { service, workbench, open } = context
  await open('hello.c')
  service.put('hello.c', 'theirs')
  service.put('new.c', '')
  await workbench.events.filesChanged(['hello.c', 'new.c'])
  expect(workbench.documents.get('hello.c')!.text).toBe('theirs')
  expect(workbench.project.has('new.c')).toBe(true)
})

it('offers the text of a closed document that could not be saved', async () => {
  const { service, workbench, notices, open } = context
  await open('hello.c')
  workbench.documents.edit('hello.c', 'mine')
  service.put('hello.c', 'theirs')
  await workbench.documentClosed('hello.c')
  const [notice] = notices.store.get()
  expect(notice.title).toBe('hello.c was closed without being saved')
  notice.actions[0].run()
  await vi.waitFor(() => expect(workbench.documents.get('hello.c')).toMatchObject({ text: 'mine', conflict: { kind: 'changed' } }))
})

it('says that a lab did not start until it does, or another is opened', async () => {
  const { service, workbench, titles } = context
  await workbench.lab.create()
  workbench.lab.add('machine')
  const fail = async (): Promise<void> => {
    service.startResult = { ok: false, message: 'there is no program nowhere.c' }
    await workbench.lab.start()
    expect(titles()).toEqual(['The lab did not start'])
    service.startResult = null
  }
  await fail()
  await workbench.lab.start()
  expect(titles()).toEqual([])
  await fail()
  await workbench.lab.create()
  expect(titles()).toEqual([])
})

describe('a lab that cannot be opened', () => {
  const FILE = 'labs/broken/lab.json'

  it('is told with the place in its file, until a lab is open', async () => {
    const { service, workbench } = context
    service.put(FILE, '{\n  error!\n}')
    await workbench.lab.open('labs/broken')
    expect(workbench.lab.unopened.get()).toMatchObject({
      path: 'labs/broken',
      message: 'labs/broken/lab.json does not exist',
      mistake: { path: FILE, line: 2, column: 3 },
    })
    await workbench.lab.create()
    expect(workbench.lab.unopened.get()).toBeNull()
  })

  it('has no place when it is not the file that is wrong', async () => {
    const { workbench } = context
    await workbench.lab.open('labs/gone')
    expect(workbench.lab.unopened.get()).toEqual({ path: 'labs/gone', message: 'labs/gone/lab.json does not exist', mistake: undefined })
  })

  it.each([true, false])('is told after a new start of the service, when it was not taken away: %s', async (isThere) => {
    const { service, workbench } = context
    service.labs.set('labs/broken', { name: '', seed: 1, nodes: [], links: [] })
    await workbench.lab.open('labs/broken')
    service.topology = null
    service.labs.clear()
    if (isThere) service.put(FILE, 'error!')
    await workbench.lab.lab.attached()
    await vi.waitFor(() => expect(service.calls).toContain(isThere ? `check ${FILE}` : `readFile ${FILE}`))
    await new Promise((resolve) => setTimeout(resolve))
    expect(workbench.lab.unopened.get()?.mistake).toEqual(isThere ? expect.objectContaining({ path: FILE, line: 1 }) : undefined)
  })
})

it('takes the same project back after a lost connection, and no other', async () => {
  const { service, workbench, titles, open } = context
  await open('hello.c')
  const attachment = await service.attach()
  expect(workbench.reattach(attachment)).toBe(true)
  expect(titles()).toEqual(['Connected again. Nothing was lost.'])
  expect(workbench.reattach({ ...attachment, projectLocation: '~/other' })).toBe(false)
})
