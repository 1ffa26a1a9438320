import { expect, it, vi } from 'vitest'
import type { Attachment } from '../../protocol/service.ts'
import type { ConnectOptions } from '../../protocol/transport.ts'
import { FakeService } from '../testing/fake-service.ts'
import { Session } from './session.ts'

function setUp() {
  const service = new FakeService({ 'a.c': '' })
  const shown: string[] = []
  const attached = {
    events: {
      console: () => void shown.push('console'),
      status: () => undefined,
      filesChanged: () => undefined,
      labStatus: () => undefined,
      labConsole: () => undefined,
      labTraffic: () => undefined,
      labChanged: () => undefined,
      labRestarted: () => undefined,
    },
    reattach: vi.fn((_: Attachment) => true),
  }
  const retry = vi.fn()
  const startOver = vi.fn()
  const create = vi.fn(() => attached)
  let options!: Omit<ConnectOptions, 'open'>
  const session = new Session({
    connect: (given) => {
      options = given
      return { service, retry, close: () => undefined }
    },
    create,
    startOver,
  })
  return { service, session, attached, create, startOver, retry, shown, options }
}

const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0))

it('attaches once connected, and only then passes events on', async () => {
  const { session, create, options, shown } = setUp()
  options.events.console('m1', new Uint8Array())
  options.onState({ kind: 'connecting', attempt: 0 })
  expect(session.state.get()).toEqual({ kind: 'connecting' })
  options.onState({ kind: 'connected' })
  await settled()
  expect(create).toHaveBeenCalledTimes(1)
  expect(session.state.get()).toEqual({ kind: 'connected' })
  options.events.console('m1', new Uint8Array())
  expect(shown).toEqual(['console'])
})

it('tells of a lost connection and attaches again to what is there', async () => {
  const { session, create, attached, options } = setUp()
  options.onState({ kind: 'connected' })
  await settled()
  options.onState({ kind: 'disconnected', reason: 'the server went away', retryInMs: 500 })
  expect(session.state.get()).toMatchObject({ kind: 'lost', reason: 'the server went away', retryAt: expect.any(Number) })
  options.onState({ kind: 'connecting', attempt: 1 })
  expect(session.state.get()).toMatchObject({ kind: 'lost', retryAt: null })
  options.onState({ kind: 'connected' })
  await settled()
  expect(create).toHaveBeenCalledTimes(1)
  expect(attached.reattach).toHaveBeenCalledTimes(1)
  expect(session.state.get()).toEqual({ kind: 'connected' })
})

it('starts over when the service shows something else now', async () => {
  const { attached, options, startOver } = setUp()
  options.onState({ kind: 'connected' })
  await settled()
  attached.reattach.mockReturnValue(false)
  options.onState({ kind: 'connected' })
  await settled()
  expect(startOver).toHaveBeenCalledTimes(1)
})

it('refuses another version of the protocol', async () => {
  const { service, session, create, options } = setUp()
  const attach = service.attach.bind(service)
  service.attach = async () => ({ ...(await attach()), protocolVersion: 999 })
  options.onState({ kind: 'connected' })
  await settled()
  expect(session.state.get()).toEqual({ kind: 'incompatible' })
  expect(create).not.toHaveBeenCalled()
})

it('says why the project cannot be shown, and tries again when asked', async () => {
  const { service, session, options } = setUp()
  service.failure = 'The project folder is gone'
  options.onState({ kind: 'connected' })
  await settled()
  expect(session.state.get()).toEqual({ kind: 'failed', message: 'The project folder is gone' })
  service.failure = null
  session.retry()
  await settled()
  expect(session.state.get()).toEqual({ kind: 'connected' })
})
