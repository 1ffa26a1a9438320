import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import type { IncomingHttpHeaders } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import type { Channel } from '../../protocol/rpc.ts'
import { createRpc } from '../../protocol/rpc.ts'
import type { WebSocketLike } from '../../protocol/transport.ts'
import { channelFromWebSocket } from '../../protocol/transport.ts'
import { ShellKeys } from './shell-keys.ts'
import { WebShell } from './web-shell.ts'

let folder: string
let shell: WebShell
let channels: Channel[]

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'atoll-web-'))
  await mkdir(join(folder, 'page/assets'), { recursive: true })
  await writeFile(join(folder, 'page/index.html'), '<title>Atoll</title>')
  await writeFile(join(folder, 'page/assets/app-1.js'), 'x')
  await writeFile(join(folder, 'page/.hidden.txt'), 'x')
  await writeFile(join(folder, 'secret.txt'), 'secret')
  channels = []
  shell = new WebShell({
    pageFolder: join(folder, 'page'),
    port: 0,
    keys: await ShellKeys.load(folder, '/p'),
    onConnect: (channel) => channels.push(channel),
  })
  await shell.listen()
})
afterEach(async () => {
  await shell.close()
  await rm(folder, { recursive: true })
})

function ask(
  path: string,
  headers: Record<string, string> = {},
  method = 'GET',
): Promise<{ status: number; headers: IncomingHttpHeaders; body: string }> {
  return new Promise((resolve, reject) => {
    // `request` with a path sends it as it is, where fetch would tidy it.
    const sent = request({ host: '127.0.0.1', port: shell.port, path, headers, method }, (response) => {
      let body = ''
      response.on('data', (data) => (body += data))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }))
    })
    sent.on('error', reject)
    sent.end()
  })
}

/** The printed address, without its origin. */
function keyPath(): string {
  return `/${new URL(shell.address).search}`
}

async function signIn(): Promise<string> {
  const { headers } = await ask(keyPath())
  return headers['set-cookie']![0].split(';')[0]
}

function dial(headers: Record<string, string>, path = '/rpc'): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://127.0.0.1:${shell.port}${path}`, { headers })
    socket.on('open', () => resolve(socket))
    socket.on('unexpected-response', (_, response) => reject(new Error(String(response.statusCode))))
    socket.on('error', reject)
  })
}

describe('the page', () => {
  it('opens with the printed address, again and again', async () => {
    for (let i = 0; i < 2; i++) {
      const { status, headers } = await ask(keyPath())
      expect(status).toBe(303)
      expect(headers.location).toBe('/')
      expect(headers['set-cookie']).toEqual([expect.stringMatching(/^atoll-\d+=[\w-]{32}; Path=\/; HttpOnly; SameSite=Lax$/)])
    }
    const { status, body, headers } = await ask('/', { cookie: await signIn() })
    expect([status, body]).toEqual([200, '<title>Atoll</title>'])
    expect(headers['content-security-policy']).toContain("default-src 'none'; script-src 'self';")
    expect(headers['x-content-type-options']).toBe('nosniff')
    expect(headers['cache-control']).toBe('no-store')
  })

  it('opens with a ticket once', async () => {
    const path = `/${new URL(shell.issueTicket()).search}`
    expect((await ask(path)).status).toBe(303)
    expect((await ask(path)).status).toBe(403)
  })

  it.each(['/', '/?token=', '/?token=wrong', '/assets/app-1.js', '/nothing'])('shows %s to nobody without the key', async (path) => {
    const { status, body, headers } = await ask(path)
    expect(status).toBe(403)
    expect(body).not.toContain('Atoll</title>')
    expect(headers['set-cookie']).toBeUndefined()
  })

  it('takes no key of another workbench', async () => {
    expect((await ask('/', { cookie: `atoll-${shell.port}=${'x'.repeat(32)}` })).status).toBe(403)
    expect((await ask('/', { cookie: (await signIn()).replace('atoll-', 'atoll-1') })).status).toBe(403)
  })

  it.each(['evil.example', '127.0.0.1', '127.0.0.1:1', 'localhost.evil.example', '[::1]'])('refuses host %s, key or not', async (host) => {
    const cookie = await signIn()
    expect((await ask('/', { host, cookie })).status).toBe(421)
    expect((await ask(keyPath(), { host })).status).toBe(421)
  })

  it.each([
    '/../secret.txt',
    '/%2e%2e/secret.txt',
    '/assets/../../secret.txt',
    '/..%2fsecret.txt',
    '/.hidden.txt',
    '//secret.txt',
    '/assets',
    '/a\\b',
    '/%00',
  ])('has no page %s', async (path) => {
    const { status, body } = await ask(path, { cookie: await signIn() })
    expect(status).toBe(404)
    expect(body).not.toContain('secret')
  })

  it('answers questions only', async () => {
    const cookie = await signIn()
    expect((await ask('/', { cookie }, 'POST')).status).toBe(405)
    expect(await ask('/', { cookie }, 'HEAD')).toMatchObject({ status: 200, body: '' })
    expect((await ask('/assets/app-1.js', { cookie })).headers['cache-control']).toContain('immutable')
  })
})

describe('the socket', () => {
  it('opens for our page', async () => {
    const socket = await dial({ cookie: await signIn(), origin: `http://127.0.0.1:${shell.port}` })
    expect(channels.length).toBe(1)
    socket.terminate()
  })

  it.each([
    ['no key', {}, '403'],
    ['a wrong key', { cookie: 'atoll-1=x' }, '403'],
  ])('refuses %s', async (_, headers, status) => {
    await expect(dial({ ...headers, origin: `http://127.0.0.1:${shell.port}` })).rejects.toThrow(status)
    expect(channels).toEqual([])
  })

  it.each(['http://evil.example', 'null', 'http://127.0.0.1:1', 'https://127.0.0.1', 'http://localhost'])(
    'refuses origin %s',
    async (origin) => {
      await expect(dial({ cookie: await signIn(), origin })).rejects.toThrow('403')
      expect(channels).toEqual([])
    },
  )

  it('refuses no origin, a foreign host, and another path', async () => {
    const cookie = await signIn()
    const origin = `http://127.0.0.1:${shell.port}`
    await expect(dial({ cookie })).rejects.toThrow('403')
    await expect(dial({ cookie, origin: 'http://evil.example', host: 'evil.example' })).rejects.toThrow('421')
    await expect(dial({ cookie, origin }, '/other')).rejects.toThrow('404')
  })

  it('speaks RPC, and closes at what is no message', async () => {
    const cookie = await signIn()
    const origin = `http://127.0.0.1:${shell.port}`
    const socket = new WebSocket(`ws://127.0.0.1:${shell.port}/rpc`, { headers: { cookie, origin } })
    const channel = await channelFromWebSocket(socket as unknown as WebSocketLike)
    createRpc(channels[0], { echo: (bytes: Uint8Array) => bytes })
    const client = createRpc<{ echo(bytes: Uint8Array): Promise<Uint8Array> }>(channel, {})
    expect(new Uint8Array(await client.echo(new Uint8Array([1, 2, 3])))).toEqual(new Uint8Array([1, 2, 3]))
    const reason = new Promise((resolve) => channel.onClose(resolve))
    socket.send(new Uint8Array([0xc1]))
    expect(await reason).toBe('a message was not valid MessagePack')
  })
})

describe('listening', () => {
  it('knows an open page again after a restart at the same port, and only there', async () => {
    const keys = await ShellKeys.load(folder, folder)
    await keys.remember(shell.port)
    const again = await ShellKeys.load(folder, folder)
    expect(again.port).toBe(shell.port)
    expect(again.secretFor('session', 1)).toBe(keys.secretFor('session', 1))
    expect(again.secretFor('session', 2)).not.toBe(keys.secretFor('session', 1))
    expect(again.secretFor('token', 1)).not.toBe(keys.secretFor('session', 1))
    expect((await stat(join(folder, 'serve', (await readdir(join(folder, 'serve')))[0]))).mode & 0o777).toBe(0o600)
    const other = await ShellKeys.load(folder, '/somewhere/else')
    expect(other.secretFor('session', 1)).not.toBe(keys.secretFor('session', 1))
    await other.remember(9)
    expect((await readdir(join(folder, 'serve'))).length).toBe(1)
  })

  it('says when the port is taken', async () => {
    const other = new WebShell({ pageFolder: folder, port: shell.port, keys: new ShellKeys(folder, '/p'), onConnect: () => undefined })
    await expect(other.listen()).rejects.toThrow(`cannot listen on port ${shell.port}: another program uses it`)
  })
})
