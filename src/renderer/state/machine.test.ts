import { expect, it, vi } from 'vitest'
import { FakeService } from '../testing/fake-service.ts'
import type { ConsoleSink } from './machine.ts'
import { MachineController } from './machine.ts'

class Screen implements ConsoleSink {
  text = ''
  async write(bytes: Uint8Array): Promise<void> {
    this.text += new TextDecoder().decode(bytes)
  }
  replace(bytes: Uint8Array): void {
    this.text = new TextDecoder().decode(bytes)
  }
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

function setUp(files: Record<string, string> = { 'hello.c': 'fine' }) {
  const service = new FakeService(files)
  const screen = new Screen()
  const onBuilt = vi.fn()
  const machine = new MachineController({ service, console: screen, onBuilt })
  service.events = {
    console: (id, data) => void machine.output(id, data),
    status: (status) => machine.status(status),
    filesChanged: () => undefined,
  }
  return { service, screen, onBuilt, machine }
}

it('boots with an empty console and follows the machine', async () => {
  const { service, screen, machine, onBuilt } = setUp()
  screen.text = 'from the last machine'
  expect(await machine.boot('hello.c')).toEqual({ kind: 'booted' })
  expect(screen.text).toBe('')
  expect(onBuilt).toHaveBeenCalledWith('hello.c', expect.objectContaining({ ok: true }))
  await machine.output(service.machine!.id, bytes('hi'))
  service.report({ phase: 'exited', exitStatus: 0 })
  expect(screen.text).toBe('hi')
  expect(machine.store.get()).toMatchObject({ status: { phase: 'exited', exitStatus: 0 }, activity: 'idle' })
})

it('shows output that arrives before the answer to the boot', async () => {
  const { service, screen, machine } = setUp()
  const boot = service.boot.bind(service)
  service.boot = async (request) => {
    const result = await boot(request)
    service.events!.console(service.machine!.id, bytes('first words'))
    return result
  }
  await machine.boot('hello.c')
  expect(screen.text).toBe('first words')
})

it('does not show what a replaced machine still says', async () => {
  const { service, screen, machine } = setUp()
  await machine.boot('hello.c')
  const first = service.machine!
  await machine.boot('hello.c')
  machine.status({ ...first, phase: 'stopped' })
  await machine.output(first.id, bytes('late'))
  expect(screen.text).toBe('')
  expect(machine.store.get().status).toMatchObject({ id: service.machine!.id, phase: 'booting' })
})

it('keeps the machine that runs when a build fails', async () => {
  const { service, machine } = setUp()
  await machine.boot('hello.c')
  service.put('hello.c', 'error!')
  expect(await machine.boot('hello.c')).toEqual({ kind: 'build-failed', message: 'hello.c has errors' })
  expect(machine.store.get()).toMatchObject({ status: { phase: 'booting' }, lastBuild: { ok: false } })
})

it('says what went wrong when the service cannot be asked', async () => {
  const { service, machine } = setUp()
  service.failure = 'Connection lost'
  expect(await machine.boot('hello.c')).toEqual({ kind: 'failed', message: 'Connection lost' })
  expect(machine.store.get().activity).toBe('idle')
})

it('ignores a second boot while the first is under way', async () => {
  const { machine } = setUp()
  const first = machine.boot('hello.c')
  expect(await machine.boot('hello.c')).toBeNull()
  expect(await first).toEqual({ kind: 'booted' })
})

it('measures speed over a window and forgets it at the end and at a reset', async () => {
  const { service, machine } = setUp()
  await machine.boot('hello.c')
  service.report({ phase: 'running', wallMs: 100, virtualNs: 100e6, instructions: 1e6 })
  service.report({ wallMs: 200, virtualNs: 150e6, instructions: 2e6 })
  expect(machine.store.get().speed).toEqual({ mips: 10, realTimeFactor: 0.75 })
  service.report({ wallMs: 250, virtualNs: 200e6, instructions: 3e6 })
  expect(machine.store.get().speed).toEqual({ mips: 10, realTimeFactor: 0.75 })
  await machine.reset()
  service.report({ wallMs: 1000, virtualNs: 1000e6, instructions: 1e6 })
  service.report({ wallMs: 2000, virtualNs: 2000e6, instructions: 3e6 })
  expect(machine.store.get().speed).toEqual({ mips: 2, realTimeFactor: 1 })
  service.report({ phase: 'stopped' })
  expect(machine.store.get().speed).toBeNull()
})

it('types into a machine that lives, and only then', async () => {
  const { service, machine } = setUp()
  expect(machine.type(bytes('x'))).toBeNull()
  await machine.boot('hello.c')
  await machine.type(bytes('ls\r'))
  expect(service.typed).toEqual([{ id: 'm1', text: 'ls\r' }])
  await machine.stop()
  expect(machine.type(bytes('x'))).toBeNull()
})

it('shows the machine it finds after a reload, and keeps the last words of one that went with its service', async () => {
  const { service, screen, machine } = setUp()
  await machine.boot('hello.c')
  service.consoleText = 'boot log'
  machine.attached((await service.attach()).machines)
  expect(screen.text).toBe('boot log')
  await machine.output('m1', bytes(', more'))
  expect(screen.text).toBe('boot log, more')
  machine.attached([])
  expect(screen.text).toBe('boot log, more')
  expect(machine.store.get()).toMatchObject({ status: { phase: 'stopped' }, isGone: true })
  await machine.reset()
  expect(service.calls).not.toContain('reset m1')

  service.machine = null
  await machine.boot('hello.c')
  expect(screen.text).toBe('')
  expect(machine.store.get()).toMatchObject({ status: { phase: 'booting' }, isGone: false })
})
