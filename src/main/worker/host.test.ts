import { describe, expect, it } from 'vitest'
import type { HostedSession } from './host.ts'
import { CONSOLE_BATCH_MS, CONSOLE_IN_FLIGHT_BYTES_MAX, MachineHost } from './host.ts'
import type { FromWorker, MachineSpec, ToWorker } from './messages.ts'

const spec: MachineSpec = {
  boot: new Uint8Array(),
  program: { path: '/a', bytes: new Uint8Array(), args: [] },
  files: new Map(),
  ramBytes: 1,
  seed: 0,
}

interface Script {
  /** What a slice does besides passing time. */
  onAdvance?: (session: FakeSession, untilNs: number) => void
  /** Virtual ns that pass in one wall ns. */
  speed?: number
}

class FakeSession implements HostedSession {
  state: ReturnType<HostedSession['status']> = { phase: 'running', virtualNs: 0, instructions: 0 }
  typed: number[] = []
  readonly write: (bytes: Uint8Array) => void
  readonly #script: Script
  readonly #world: World

  constructor(world: World, script: Script, write: (bytes: Uint8Array) => void) {
    this.#world = world
    this.#script = script
    this.write = write
  }

  advance(untilNs: number): void {
    this.#world.now += (untilNs - this.state.virtualNs) / 1e6 / (this.#script.speed ?? 10)
    this.state.virtualNs = untilNs
    this.#script.onAdvance?.(this, untilNs)
  }

  type(bytes: Uint8Array): void {
    this.typed.push(...bytes)
  }

  endInput(): void {
    this.typed.push(-1)
  }

  status(): ReturnType<HostedSession['status']> {
    return { ...this.state }
  }
}

class World {
  now = 0
  posted: FromWorker[] = []
  sessions: FakeSession[] = []
  scripts: Script[]
  readonly host = new MachineHost({
    now: () => this.now,
    post: (message) => this.posted.push(message),
    createSession: (_, onConsole) => {
      const session = new FakeSession(this, this.scripts[this.sessions.length] ?? {}, onConsole)
      this.sessions.push(session)
      return session
    },
  })

  constructor(...scripts: Script[]) {
    this.scripts = scripts
  }

  send(message: ToWorker): void {
    this.host.handle(message)
  }

  /** Lets the host run as its worker would until `untilMs`; stops early when it waits for a message. */
  run(untilMs: number): void {
    while (this.now < untilMs) {
      const ms = this.host.step()
      if (ms === undefined) return
      this.now += ms
    }
  }

  get console(): string {
    return this.posted.map((message) => (message.type === 'console' ? new TextDecoder().decode(message.bytes) : '')).join('')
  }

  of<T extends FromWorker['type']>(type: T): Extract<FromWorker, { type: T }>[] {
    return this.posted.filter((message): message is Extract<FromWorker, { type: T }> => message.type === type)
  }
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value)

describe('MachineHost', () => {
  it('runs a program to its end and reports console before the end', () => {
    const world = new World({
      onAdvance: (session, untilNs) => {
        if (untilNs < 2_000_000) session.write(text('.'))
        else session.state = { ...session.state, phase: 'exited', exitStatus: 7 }
      },
    })
    world.send({ type: 'boot', id: 'm', spec, pace: 'fast' })
    world.run(1000)
    expect(world.console).toMatch(/^\.+$/)
    expect(world.posted.at(-1)).toMatchObject({ type: 'ended', id: 'm', progress: { phase: 'exited', exitStatus: 7 } })
    expect(world.host.step()).toBeUndefined()
  })

  it('batches what is written within a few milliseconds', () => {
    const world = new World({ onAdvance: (session) => session.write(text('x')) })
    world.send({ type: 'boot', id: 'm', spec, pace: 'live' })
    world.run(320)
    const batches = world.of('console').length
    expect(batches).toBeGreaterThan(10)
    expect(batches).toBeLessThanOrEqual(320 / CONSOLE_BATCH_MS + 1)
  })

  it('sends the last bytes of a machine that falls silent', () => {
    const world = new World({ onAdvance: (session) => session.state.virtualNs < 9_000_000 && session.write(text('x')) })
    world.send({ type: 'boot', id: 'm', spec, pace: 'live' })
    world.run(100)
    expect(world.console.length).toBeGreaterThan(0)
    expect(world.sessions[0].state.virtualNs).toBeGreaterThan(80e6)
  })

  it('holds a flooding machine back until its bytes are taken, and lets the others run', () => {
    const flood = new Uint8Array(10_000)
    const world = new World({ onAdvance: (session) => session.write(flood) }, {})
    world.send({ type: 'boot', id: 'flood', spec, pace: 'live' })
    world.send({ type: 'boot', id: 'calm', spec, pace: 'live' })
    world.run(2000)
    const sent = (): number => world.of('console').reduce((sum, { bytes }) => sum + bytes.byteLength, 0)
    const before = sent()
    expect(before).toBeGreaterThanOrEqual(CONSOLE_IN_FLIGHT_BYTES_MAX)
    expect(before).toBeLessThan(CONSOLE_IN_FLIGHT_BYTES_MAX + 200_000)
    const heldAtNs = world.sessions[0].state.virtualNs
    expect(heldAtNs).toBeLessThan(1e9)
    expect(world.sessions[1].state.virtualNs).toBeGreaterThan(1.9e9)
    world.send({ type: 'ack', id: 'flood', bytes: before })
    world.run(2050)
    expect(sent()).toBeGreaterThan(before)
    expect(world.sessions[0].state.virtualNs - heldAtNs).toBeLessThan(100e6)
  })

  it('shares the time between machines that all compute', () => {
    const world = new World({ speed: 0.1 }, { speed: 0.1 }, { speed: 0.1 })
    for (const id of ['a', 'b', 'c']) world.send({ type: 'boot', id, spec, pace: 'fast' })
    world.run(3000)
    const reached = world.sessions.map(({ state }) => state.virtualNs)
    expect(Math.min(...reached)).toBeGreaterThan(0.9 * Math.max(...reached))
  })

  it('serves a key at once', () => {
    const world = new World()
    world.send({ type: 'boot', id: 'm', spec, pace: 'live' })
    world.run(100)
    world.host.step()
    world.send({ type: 'type', id: 'm', bytes: text('k') })
    world.send({ type: 'end-input', id: 'm' })
    expect(world.host.step()).toBeDefined()
    expect(world.sessions[0].typed).toEqual([107, -1])
  })

  it('stops', () => {
    const world = new World({ onAdvance: (session) => session.write(text('y')) })
    world.send({ type: 'boot', id: 'm', spec, pace: 'fast' })
    world.run(5)
    world.send({ type: 'stop', id: 'm' })
    expect(world.posted.at(-1)).toMatchObject({ type: 'ended', progress: { phase: 'stopped' } })
    expect(world.host.step()).toBeUndefined()
    world.send({ type: 'type', id: 'm', bytes: text('late') })
    world.send({ type: 'stop', id: 'm' })
    expect(world.of('ended').length).toBe(1)
  })

  it('survives a session that throws, at birth and in a slice', () => {
    const world = new World({
      onAdvance: () => {
        throw new Error('engine bug')
      },
    })
    world.send({ type: 'boot', id: 'bad', spec, pace: 'fast' })
    world.send({ type: 'boot', id: 'good', spec, pace: 'fast' })
    world.run(50)
    expect(world.of('ended')).toEqual([
      { type: 'ended', id: 'bad', progress: expect.objectContaining({ phase: 'stopped', message: expect.stringContaining('engine bug') }) },
    ])
    expect(world.sessions[1].state.virtualNs).toBeGreaterThan(0)
    const broken = new World()
    const host = new MachineHost({
      now: () => 0,
      post: (message) => broken.posted.push(message),
      createSession: () => {
        throw new Error('no memory')
      },
    })
    host.handle({ type: 'boot', id: 'm', spec, pace: 'fast' })
    expect(broken.posted).toMatchObject([{ type: 'ended', id: 'm', progress: { phase: 'stopped', message: 'no memory' } }])
  })
})
