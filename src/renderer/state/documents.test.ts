import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { FakeService } from '../testing/fake-service.ts'
import { AUTOSAVE_IDLE_MS, DRAFT_DELAY_MS, Documents, isDirty } from './documents.ts'
import { Drafts } from './drafts.ts'
import { memoryStorage } from './storage.ts'

function setUp(files: Record<string, string> = { 'hello.c': 'one' }) {
  const service = new FakeService(files)
  const storage = memoryStorage()
  const onDraftsFull = vi.fn()
  const start = (): Documents => new Documents({ service, drafts: new Drafts(storage, 'p'), onDraftsFull })
  return { service, storage, onDraftsFull, start, documents: start() }
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

describe('autosave', () => {
  it('saves when typing pauses, not before', async () => {
    const { service, documents } = setUp()
    await documents.open('hello.c')
    documents.edit('hello.c', 'one t')
    await vi.advanceTimersByTimeAsync(AUTOSAVE_IDLE_MS - 1)
    documents.edit('hello.c', 'one two')
    await vi.advanceTimersByTimeAsync(AUTOSAVE_IDLE_MS - 1)
    expect(service.text('hello.c')).toBe('one')
    await vi.advanceTimersByTimeAsync(1)
    expect(service.text('hello.c')).toBe('one two')
    expect(isDirty(documents.get('hello.c')!)).toBe(false)
  })

  it('keeps what is typed while a save is under way, and saves it next', async () => {
    const { service, documents } = setUp()
    await documents.open('hello.c')
    documents.edit('hello.c', 'two')
    let open = (): void => undefined
    service.gate = new Promise((resolve) => (open = resolve))
    const saved = documents.save('hello.c')
    documents.edit('hello.c', 'three')
    service.gate = null
    open()
    await saved
    expect(documents.get('hello.c')).toMatchObject({ text: 'three', savedText: 'two' })
    expect(await documents.save('hello.c')).toBe('saved')
    expect(service.text('hello.c')).toBe('three')
  })

  it('says why a save failed and tries again after the next edit', async () => {
    const { service, documents } = setUp()
    await documents.open('hello.c')
    documents.edit('hello.c', 'two')
    service.failure = 'The disk is full'
    expect(await documents.save('hello.c')).toBe('failed')
    expect(documents.get('hello.c')).toMatchObject({ saveError: 'The disk is full', text: 'two' })
    service.failure = null
    documents.edit('hello.c', 'three')
    expect(documents.get('hello.c')!.saveError).toBeUndefined()
    await vi.advanceTimersByTimeAsync(AUTOSAVE_IDLE_MS)
    expect(service.text('hello.c')).toBe('three')
  })

  it('saves what waited for the connection when it is back', async () => {
    const { service, documents } = setUp()
    await documents.open('hello.c')
    service.failure = 'Connection lost'
    documents.edit('hello.c', 'two')
    await vi.advanceTimersByTimeAsync(AUTOSAVE_IDLE_MS * 3)
    service.failure = null
    await documents.resume()
    await vi.advanceTimersByTimeAsync(AUTOSAVE_IDLE_MS)
    expect(service.text('hello.c')).toBe('two')
  })
})

describe('drafts', () => {
  it('bring back unsaved text after a reload, and save it', async () => {
    const { service, documents, start } = setUp()
    await documents.open('hello.c')
    documents.edit('hello.c', 'typed, then crashed')
    await vi.advanceTimersByTimeAsync(DRAFT_DELAY_MS)
    vi.clearAllTimers()

    const reloaded = start()
    expect(reloaded.draftPaths()).toEqual(['hello.c'])
    await reloaded.open('hello.c')
    expect(reloaded.get('hello.c')).toMatchObject({ text: 'typed, then crashed', savedText: 'one' })
    await vi.advanceTimersByTimeAsync(AUTOSAVE_IDLE_MS)
    expect(service.text('hello.c')).toBe('typed, then crashed')
    expect(reloaded.draftPaths()).toEqual([])
  })

  it('become a conflict when the file changed in between', async () => {
    const { service, documents, start } = setUp()
    await documents.open('hello.c')
    documents.edit('hello.c', 'mine')
    documents.flushDrafts()
    vi.clearAllTimers()
    service.put('hello.c', 'theirs')

    const reloaded = start()
    await reloaded.open('hello.c')
    expect(reloaded.get('hello.c')).toMatchObject({ text: 'mine', conflict: { kind: 'changed', theirs: { text: 'theirs' } } })
    await vi.advanceTimersByTimeAsync(AUTOSAVE_IDLE_MS * 2)
    expect(service.text('hello.c')).toBe('theirs')
  })

  it('survive a file that is gone', async () => {
    const { service, documents, start } = setUp()
    await documents.open('hello.c')
    documents.edit('hello.c', 'mine')
    documents.flushDrafts()
    vi.clearAllTimers()
    service.files.delete('hello.c')

    const reloaded = start()
    await reloaded.open('hello.c')
    expect(reloaded.get('hello.c')).toMatchObject({ phase: 'ready', text: 'mine', conflict: { kind: 'deleted' } })
    expect(await reloaded.keepMine('hello.c')).toBe('saved')
    expect(service.text('hello.c')).toBe('mine')
  })

  it('report a full storage once', async () => {
    const { storage, documents, onDraftsFull } = setUp()
    storage.set = () => false
    await documents.open('hello.c')
    for (const text of ['a', 'ab', 'abc']) {
      documents.edit('hello.c', text)
      documents.flushDrafts()
    }
    expect(onDraftsFull).toHaveBeenCalledTimes(1)
  })

  it('of a document closed in conflict are kept', async () => {
    const { service, documents } = setUp()
    await documents.open('hello.c')
    documents.edit('hello.c', 'mine')
    service.put('hello.c', 'theirs')
    expect(await documents.close('hello.c')).toBe('conflict')
    expect(documents.get('hello.c')).toBeUndefined()
    await documents.open('hello.c')
    expect(documents.get('hello.c')).toMatchObject({ text: 'mine', conflict: { kind: 'changed' } })
  })
})

describe('changes by others', () => {
  it('reach an unedited document', async () => {
    const { service, documents } = setUp()
    await documents.open('hello.c')
    service.put('hello.c', 'theirs')
    await documents.followDisk(['hello.c', 'not-open.c'])
    expect(documents.get('hello.c')).toMatchObject({ text: 'theirs', savedText: 'theirs', replacement: 2, conflict: undefined })
  })

  it('are a conflict for an edited one, and the person chooses', async () => {
    const { service, documents } = setUp()
    await documents.open('hello.c')
    documents.edit('hello.c', 'mine')
    service.put('hello.c', 'theirs')
    await documents.followDisk(['hello.c'])
    expect(documents.get('hello.c')!.conflict).toMatchObject({ kind: 'changed', theirs: { text: 'theirs' } })
    documents.edit('hello.c', 'mine, longer')
    await vi.advanceTimersByTimeAsync(AUTOSAVE_IDLE_MS * 2)
    expect(service.text('hello.c')).toBe('theirs')

    expect(await documents.keepMine('hello.c')).toBe('saved')
    expect(service.text('hello.c')).toBe('mine, longer')
    expect(documents.get('hello.c')!.conflict).toBeUndefined()
  })

  it('can be taken over', async () => {
    const { service, documents } = setUp()
    await documents.open('hello.c')
    documents.edit('hello.c', 'mine')
    service.put('hello.c', 'theirs')
    expect(await documents.save('hello.c')).toBe('conflict')
    documents.takeTheirs('hello.c')
    expect(documents.get('hello.c')).toMatchObject({ text: 'theirs', savedText: 'theirs', conflict: undefined })
    expect(documents.draftPaths()).toEqual([])
  })

  it('that equal this text are no conflict', async () => {
    const { service, documents } = setUp()
    await documents.open('hello.c')
    documents.edit('hello.c', 'same')
    service.put('hello.c', 'same')
    expect(await documents.save('hello.c')).toBe('saved')
    expect(documents.get('hello.c')!.conflict).toBeUndefined()
  })

  it('that remove the file keep the text, and its return ends the conflict', async () => {
    const { service, documents } = setUp()
    await documents.open('hello.c')
    const content = service.files.get('hello.c')!
    service.files.delete('hello.c')
    await documents.followDisk(['hello.c'])
    expect(documents.get('hello.c')).toMatchObject({ text: 'one', conflict: { kind: 'deleted' } })
    service.files.set('hello.c', content)
    await documents.followDisk(['hello.c'])
    expect(documents.get('hello.c')!.conflict).toBeUndefined()
  })

  it('are not seen in a lost connection', async () => {
    const { service, documents } = setUp()
    await documents.open('hello.c')
    service.failure = 'Connection lost'
    await documents.followDisk(['hello.c'])
    expect(documents.get('hello.c')!.conflict).toBeUndefined()
  })
})

it('moves documents and drafts with a renamed folder', async () => {
  const { service, documents } = setUp({ 'lib/a.c': 'a', 'lib/b.c': 'b', 'library.c': 'c' })
  await Promise.all(['lib/a.c', 'lib/b.c', 'library.c'].map((path) => documents.open(path)))
  documents.edit('lib/a.c', 'a2')
  await service.renameFile('lib', 'src')
  documents.renamed('lib', 'src')
  expect([...documents.store.get().keys()].sort()).toEqual(['library.c', 'src/a.c', 'src/b.c'])
  expect(documents.draftPaths()).toEqual(['src/a.c'])
  await vi.advanceTimersByTimeAsync(AUTOSAVE_IDLE_MS)
  expect(service.text('src/a.c')).toBe('a2')
})

it('says what is wrong when a file cannot be read, and can try again', async () => {
  const { service, documents } = setUp()
  await documents.open('missing.c')
  expect(documents.get('missing.c')).toMatchObject({ phase: 'failed', error: 'missing.c does not exist' })
  service.put('missing.c', 'here')
  await documents.open('missing.c')
  expect(documents.get('missing.c')).toMatchObject({ phase: 'ready', text: 'here' })
})
