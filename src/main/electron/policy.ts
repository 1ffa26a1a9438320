/** What the window's page may do. It shows our own files and nothing else, so almost nothing. */

/** The scheme and the only host that pages come from. */
export const PAGE_SCHEME = 'atoll'
export const PAGE_ORIGIN = `${PAGE_SCHEME}://app`

export function isOurPage(url: string): boolean {
  return url === PAGE_ORIGIN || url.startsWith(`${PAGE_ORIGIN}/`)
}

/** Copying text is all a page is allowed beyond drawing itself. */
export function isPermitted(permission: string, url: string): boolean {
  return permission === 'clipboard-sanitized-write' && isOurPage(url)
}

/** Crashes of the page after which it is no longer loaded again, and the time in which they are counted, in milliseconds. */
const CRASHES_MAX = 3
const CRASHES_MS = 60_000

/** Whether a page that crashed should be loaded again: yes, unless it keeps crashing. */
export class CrashCounter {
  #times: number[] = []

  /** @param nowMs wall time, never going back */
  mayReload(nowMs: number): boolean {
    this.#times = this.#times.filter((time) => nowMs - time < CRASHES_MS)
    this.#times.push(nowMs)
    return this.#times.length <= CRASHES_MAX
  }
}
