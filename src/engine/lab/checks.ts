import type { Check } from './lab.ts'
import type { Pattern } from './file/pattern.ts'
import { compilePattern } from './file/pattern.ts'
import { formatDuration } from './file/quantities.ts'

export type CheckState = 'waiting' | 'passed' | 'failed'

export interface CheckStatus {
  name: string
  state: CheckState
  /** When it passed or failed. */
  atNs?: number
  /** Why it failed, in one sentence. */
  message?: string
}

/** Of a line of a console, for regular expressions and messages; what is longer is cut. */
const LINE_BYTES_MAX = 1024
const NEWLINE = 0x0a
const RETURN = 0x0d

/** Finds a sequence of bytes in a stream, one byte at a time (Knuth, Morris and Pratt, 1977). */
class Finder {
  private readonly needle: Uint8Array
  private readonly fallback: Uint16Array
  private matched = 0

  constructor(text: string) {
    this.needle = new TextEncoder().encode(text)
    this.fallback = new Uint16Array(this.needle.length)
    let length = 0
    for (let at = 1; at < this.needle.length; at++) {
      while (length > 0 && this.needle[at] !== this.needle[length]) length = this.fallback[length - 1]
      if (this.needle[at] === this.needle[length]) length += 1
      this.fallback[at] = length
    }
  }

  /** Whether the sequence ends with this byte. */
  take(byte: number): boolean {
    while (this.matched > 0 && this.needle[this.matched] !== byte) this.matched = this.fallback[this.matched - 1]
    if (this.needle[this.matched] === byte) this.matched += 1
    if (this.matched < this.needle.length) return false
    this.matched = this.fallback[this.matched - 1]
    return true
  }
}

/** One check of a lab, told what its console says byte by byte: so it passes at the very byte, wherever windows end. */
export class ConsoleCheck {
  readonly check: Check
  private readonly finder: Finder | null
  private readonly pattern: Pattern | null
  private line: number[] = []
  private lastLine = ''
  private state: CheckState = 'waiting'
  private atNs: number | undefined
  private message: string | undefined

  constructor(check: Check) {
    this.check = check
    const { condition } = check
    this.finder = condition.kind === 'matches' ? null : new Finder(condition.text)
    this.pattern = condition.kind === 'matches' ? compilePattern(condition.pattern) : null
  }

  status(): CheckStatus {
    const { state, atNs, message } = this
    return { name: this.check.name, state, atNs, message }
  }

  take(bytes: Uint8Array, timesNs: Float64Array): void {
    for (let index = 0; index < bytes.length && this.state === 'waiting'; index++) this.takeByte(bytes[index], timesNs[index])
  }

  /** Everything before `untilNs` has been told. */
  advance(untilNs: number): void {
    if (this.state !== 'waiting' || untilNs < this.check.byNs) return
    const { condition, byNs } = this.check
    if (condition.kind === 'lacks') this.settle('passed', byNs)
    else this.fail(byNs)
  }

  /** The lab ends here: what has not happened by now does not happen. */
  end(nowNs: number): void {
    if (this.state !== 'waiting') return
    if (this.check.condition.kind === 'lacks') this.settle('passed', nowNs)
    else this.fail(nowNs)
  }

  private fail(atNs: number): void {
    const { node, condition } = this.check
    const wanted =
      condition.kind === 'matches' ? `no line matched /${condition.pattern}/` : `it did not say ${JSON.stringify(condition.text)}`
    const said = this.currentLine() || this.lastLine
    const last = said === '' ? 'it said nothing' : `its last line was ${JSON.stringify(said)}`
    this.settle('failed', atNs, `${node}: ${wanted} by ${formatDuration(atNs)}; ${last}`)
  }

  private takeByte(byte: number, timeNs: number): void {
    const { condition, fromNs, byNs, node } = this.check
    if (timeNs < fromNs || timeNs >= byNs) return
    if (this.finder?.take(byte) === true) {
      if (condition.kind === 'contains') this.settle('passed', timeNs)
      else if (condition.kind === 'lacks') this.settle('failed', timeNs, `${node}: it said ${JSON.stringify(condition.text)}`)
      return
    }
    if (byte === NEWLINE) {
      const line = this.currentLine()
      this.line = []
      if (line !== '') this.lastLine = line
      if (this.pattern?.test(line) === true) this.settle('passed', timeNs)
    } else if (byte !== RETURN && this.line.length < LINE_BYTES_MAX) this.line.push(byte)
  }

  private currentLine(): string {
    return new TextDecoder().decode(Uint8Array.from(this.line))
  }

  private settle(state: CheckState, atNs: number, message?: string): void {
    this.state = state
    this.atNs = atNs
    this.message = message
  }
}
