import { readFile, stat } from 'node:fs/promises'
import { extname, join } from 'node:path'

/** The page's files, for every shell that shows it: what to answer to a path, with the headers that keep the page to itself. */

const MEDIA_TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.txt': 'text/plain; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.woff': 'font/woff',
  '.ttf': 'font/ttf',
  '.wasm': 'application/wasm',
}

export interface PageResponse {
  status: number
  headers: Record<string, string>
  body: Uint8Array<ArrayBuffer>
}

/**
 * Everything from the page's own origin, nothing inline but styles (Monaco and xterm measure and colour with them), no frames, no forms.
 * @param connect origins that `fetch` and WebSocket may reach besides the page's own
 */
export function contentSecurityPolicy(connect: string[] = []): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "font-src 'self'",
    "worker-src 'self'",
    `connect-src ${["'self'", ...connect].join(' ')}`,
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
}

export function pageHeaders(connect: string[] = []): Record<string, string> {
  return {
    'Content-Security-Policy': contentSecurityPolicy(connect),
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
    'Referrer-Policy': 'no-referrer',
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Permissions-Policy': 'camera=(), microphone=(), geolocation=(), usb=(), serial=()',
  }
}

// One name a segment, never starting with a dot: what a build writes. Anything else is not there.
const PATHNAME = /^(?:\/[A-Za-z0-9_@~-][A-Za-z0-9_@~.-]*)+$/

/** @param pathname of the request's URL, as sent; `/` is the page */
export async function pageFile(folder: string, pathname: string, headers: Record<string, string>): Promise<PageResponse> {
  const path = pathname === '/' ? '/index.html' : pathname
  if (!PATHNAME.test(path)) return text(404, 'There is no such page.', headers)
  const file = join(folder, ...path.split('/'))
  const type = MEDIA_TYPES[extname(file)]
  const info = await stat(file).catch(() => undefined)
  if (type === undefined || !info?.isFile()) return text(404, 'There is no such page.', headers)
  // Names under assets/ carry a hash of their content.
  const caching = path.startsWith('/assets/') ? 'private, max-age=31536000, immutable' : 'no-store'
  return {
    status: 200,
    headers: { ...headers, 'Content-Type': type, 'Cache-Control': caching },
    body: new Uint8Array(await readFile(file)),
  }
}

export function text(status: number, message: string, headers: Record<string, string>): PageResponse {
  return {
    status,
    headers: { ...headers, 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-store' },
    body: new TextEncoder().encode(`${message}\n`),
  }
}
