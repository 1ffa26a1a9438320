import { randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { createServer, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocketServer } from 'ws'
import type { WebSocket } from 'ws'
import { decodeFrame, encodeFrame, FRAME_BYTES_MAX } from '../../protocol/codec.ts'
import type { Channel } from '../../protocol/rpc.ts'
import { CLOSE_POLICY } from '../../protocol/transport.ts'
import { UserError } from './errors.ts'
import type { PageResponse } from './page-files.ts'
import { pageFile, pageHeaders, text } from './page-files.ts'
import type { ShellKeys } from './shell-keys.ts'

/**
 * The browser shell: the page and its service on the loopback interface. Other programs of the same computer can connect too, and a browser
 * sends requests for any page it has open, so: whoever connects shows a secret, the name in the address has to be this computer's
 * (which stops DNS rebinding), and a socket is opened by our own page only.
 */

const ADDRESS = '127.0.0.1'

/** A window that answers no ping for this long is gone. */
const PING_MS = 30_000

/** How long the address handed to the browser at the start may be used. It is good once: a command line can be read by others. */
const TICKET_MS = 120_000

export interface WebShellOptions {
  /** The built page. */
  pageFolder: string
  /** 0: any free port. */
  port: number
  keys: ShellKeys
  /** A window has connected and shown that it may. */
  onConnect: (channel: Channel) => void
}

export class WebShell {
  readonly #options: WebShellOptions
  readonly #server: Server
  readonly #sockets = new WebSocketServer({ noServer: true, maxPayload: FRAME_BYTES_MAX, perMessageDeflate: false })
  #token = ''
  #session = ''
  readonly #tickets = new Map<string, NodeJS.Timeout>()
  #pings: NodeJS.Timeout | undefined
  #port = 0

  constructor(options: WebShellOptions) {
    this.#options = options
    this.#server = createServer((request, response) => void this.#answer(request, response))
    this.#server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head))
    this.#server.on('clientError', (_, socket) => socket.destroy())
  }

  /** Starts to listen. Rejects with a UserError when the port cannot be had. */
  listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', (error: NodeJS.ErrnoException) => {
        const reason =
          error.code === 'EADDRINUSE' ? 'another program uses it' : error.code === 'EACCES' ? 'the system does not allow it' : error.message
        reject(new UserError(`cannot listen on port ${this.#options.port}: ${reason}`))
      })
      this.#server.listen(this.#options.port, ADDRESS, () => {
        const address = this.#server.address()
        this.#port = typeof address === 'object' && address !== null ? address.port : 0
        this.#token = this.#options.keys.secretFor('token', this.#port)
        this.#session = this.#options.keys.secretFor('session', this.#port)
        this.#pings = setInterval(() => this.#ping(), PING_MS)
        this.#pings.unref()
        resolve()
      })
    })
  }

  get port(): number {
    return this.#port
  }

  /** The address that opens the workbench, for the user to keep; whoever has it is let in. */
  get address(): string {
    return `http://${ADDRESS}:${this.#port}/?token=${this.#token}`
  }

  /** An address that opens the workbench once, soon. */
  issueTicket(): string {
    const ticket = randomBytes(24).toString('base64url')
    const timer = setTimeout(() => this.#tickets.delete(ticket), TICKET_MS)
    timer.unref()
    this.#tickets.set(ticket, timer)
    return `http://${ADDRESS}:${this.#port}/?token=${ticket}`
  }

  async close(): Promise<void> {
    clearInterval(this.#pings)
    for (const timer of this.#tickets.values()) clearTimeout(timer)
    for (const socket of this.#sockets.clients) socket.terminate()
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let answer: PageResponse
    try {
      answer = await this.#respond(request)
    } catch {
      answer = text(500, 'The page could not be read.', this.#headers())
    }
    response.writeHead(answer.status, answer.headers)
    response.end(request.method === 'HEAD' ? undefined : answer.body)
  }

  async #respond(request: IncomingMessage): Promise<PageResponse> {
    const headers = this.#headers()
    if (!this.#isOurHost(request)) return text(421, 'This address is not the one Atoll was started at.', headers)
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return text(405, 'Only pages can be asked for here.', { ...headers, Allow: 'GET, HEAD' })
    const [pathname, query = ''] = splitTarget(request)
    const token = new URLSearchParams(query).get('token')
    if (pathname === '/' && token !== null && this.#redeem(token)) {
      // Lax, not Strict: the address may be clicked in another site's page. Sockets are guarded by their origin besides.
      const cookie = `${this.#cookieName}=${this.#session}; Path=/; HttpOnly; SameSite=Lax`
      return {
        ...text(303, 'Welcome.', headers),
        headers: { ...headers, 'Set-Cookie': cookie, Location: '/', 'Cache-Control': 'no-store' },
      }
    }
    if (!this.#hasSession(request))
      return text(403, 'Open the address that Atoll printed when it started: it holds the key to this page.', headers)
    return pageFile(this.#options.pageFolder, pathname, headers)
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy())
    const refuse = (status: number): void => {
      socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
    }
    if (!this.#isOurHost(request)) return refuse(421)
    if (request.headers.origin !== `http://${request.headers.host}`) return refuse(403)
    if (!this.#hasSession(request)) return refuse(403)
    if (splitTarget(request)[0] !== '/rpc') return refuse(404)
    this.#sockets.handleUpgrade(request, socket, head, (client) => this.#options.onConnect(channelFromServerSocket(client)))
  }

  #ping(): void {
    for (const socket of this.#sockets.clients) {
      if (silent.has(socket)) socket.terminate()
      else {
        silent.add(socket)
        socket.ping()
      }
    }
  }

  #headers(): Record<string, string> {
    // Not every browser takes 'self' for the page's own WebSocket.
    return pageHeaders([`ws://${ADDRESS}:${this.#port}`, `ws://localhost:${this.#port}`])
  }

  #isOurHost(request: IncomingMessage): boolean {
    const { host } = request.headers
    return host === `${ADDRESS}:${this.#port}` || host === `localhost:${this.#port}`
  }

  /** Cookies do not know ports: two workbenches on one computer need two names. */
  get #cookieName(): string {
    return `atoll-${this.#port}`
  }

  #hasSession(request: IncomingMessage): boolean {
    const cookies = (request.headers.cookie ?? '').split(';').map((cookie) => cookie.trim())
    return cookies.some(
      (cookie) => cookie.startsWith(`${this.#cookieName}=`) && isEqual(cookie.slice(this.#cookieName.length + 1), this.#session),
    )
  }

  #redeem(token: string): boolean {
    if (isEqual(token, this.#token)) return true
    for (const [ticket, timer] of this.#tickets) {
      if (!isEqual(token, ticket)) continue
      clearTimeout(timer)
      this.#tickets.delete(ticket)
      return true
    }
    return false
  }
}

/** Path and query as they were sent; a URL parser would take `//name` for a host. */
function splitTarget(request: IncomingMessage): string[] {
  return (request.url ?? '/').split('?', 2)
}

/** Sockets that have not answered the last ping. */
const silent = new WeakSet<WebSocket>()

/** Takes the same time wherever two strings differ. */
function isEqual(a: string, b: string): boolean {
  const left = Buffer.from(a)
  const right = Buffer.from(b)
  return left.length === right.length && timingSafeEqual(left, right)
}

function channelFromServerSocket(socket: WebSocket): Channel {
  socket.binaryType = 'nodebuffer'
  socket.on('error', () => socket.terminate())
  socket.on('pong', () => silent.delete(socket))
  return {
    post: (message) => {
      if (socket.readyState === socket.OPEN) socket.send(encodeFrame(message))
    },
    onMessage: (listener) =>
      void socket.on('message', (data, isBinary) => {
        silent.delete(socket)
        let message: unknown
        try {
          if (!isBinary || !Buffer.isBuffer(data)) throw new TypeError('expected a binary frame')
          message = decodeFrame(data)
        } catch {
          socket.close(CLOSE_POLICY, 'a message was not valid MessagePack')
          return
        }
        listener(message)
      }),
    onClose: (listener) => void socket.once('close', () => listener('the window closed its connection')),
    close: () => socket.terminate(),
  }
}
