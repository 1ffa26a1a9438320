import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { Diagnostic } from '../../protocol/service.ts'
import { FakeService } from '../testing/fake-service.ts'
import { CHECK_IDLE_MS, Diagnostics, allProblems, countProblems } from './diagnostics.ts'

function setUp(texts: Record<string, string>) {
  const service = new FakeService()
  const diagnostics = new Diagnostics({ service, textOf: (path) => texts[path] })
  const lines = (): string[] => allProblems(diagnostics.store.get()).map(({ path, line, column }) => `${path}:${line}:${column}`)
  return { service, texts, diagnostics, lines }
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

it('asks once after a pause', async () => {
  const { service, diagnostics, lines } = setUp({ 'a.c': 'fine\nan error! here' })
  diagnostics.schedule('a.c')
  await vi.advanceTimersByTimeAsync(CHECK_IDLE_MS - 1)
  diagnostics.schedule('a.c')
  await vi.advanceTimersByTimeAsync(CHECK_IDLE_MS)
  expect(service.calls).toEqual(['check a.c'])
  expect(lines()).toEqual(['a.c:2:4'])
})

it('drops an answer about text that has changed, and asks again', async () => {
  const { service, texts, diagnostics, lines } = setUp({ 'a.c': 'error!' })
  let open = (): void => undefined
  service.gate = new Promise((resolve) => (open = resolve))
  diagnostics.schedule('a.c')
  await vi.advanceTimersByTimeAsync(CHECK_IDLE_MS)
  texts['a.c'] = 'fixed'
  diagnostics.schedule('a.c')
  await vi.advanceTimersByTimeAsync(CHECK_IDLE_MS)
  expect(service.calls).toEqual(['check a.c'])
  service.gate = null
  open()
  await vi.advanceTimersByTimeAsync(0)
  expect(service.calls).toEqual(['check a.c', 'check a.c'])
  expect(lines()).toEqual([])
})

it('keeps what was known when the compiler cannot be asked', async () => {
  const { service, texts, diagnostics, lines } = setUp({ 'a.c': 'error!' })
  diagnostics.schedule('a.c')
  await vi.advanceTimersByTimeAsync(CHECK_IDLE_MS)
  service.failure = 'Connection lost'
  texts['a.c'] = 'fixed'
  diagnostics.schedule('a.c')
  await vi.advanceTimersByTimeAsync(CHECK_IDLE_MS)
  expect(lines()).toEqual(['a.c:1:1'])
})

it('forgets a document that was closed while it was checked', async () => {
  const { texts, diagnostics, lines } = setUp({ 'a.c': 'error!' })
  diagnostics.schedule('a.c')
  const advanced = vi.advanceTimersByTimeAsync(CHECK_IDLE_MS)
  delete texts['a.c']
  diagnostics.closed('a.c')
  await advanced
  expect(lines()).toEqual([])
})

it('has nothing to ask about text without a compiler', async () => {
  const { service, diagnostics } = setUp({ 'README.md': 'error!' })
  diagnostics.schedule('README.md')
  await vi.advanceTimersByTimeAsync(CHECK_IDLE_MS)
  expect(service.calls).toEqual([])
})

it('checks programs again when a header was saved', async () => {
  const { service, diagnostics } = setUp({ 'a.c': '', 'b.wat': '' })
  diagnostics.headerSaved(['a.c', 'b.wat'])
  await vi.advanceTimersByTimeAsync(CHECK_IDLE_MS)
  expect(service.calls).toEqual(['check a.c'])
})

it("lists a shared header's error once, in the order of the files", () => {
  const { diagnostics, lines } = setUp({})
  const inHeader: Diagnostic = { path: 'a.h', line: 3, column: 1, endLine: 3, endColumn: 4, severity: 'error', message: 'unknown type' }
  diagnostics.setFromBuild('z.c', [inHeader])
  diagnostics.setFromBuild('b.c', [{ ...inHeader, path: 'b.c', line: 9, severity: 'warning' }, { ...inHeader }])
  expect(lines()).toEqual(['a.h:3:1', 'b.c:9:1'])
  expect(countProblems(allProblems(diagnostics.store.get()))).toEqual({ errors: 1, warnings: 1 })
  diagnostics.renamed('b.c', 'c.c')
  expect(lines()).toEqual(['a.h:3:1', 'c.c:9:1'])
})
