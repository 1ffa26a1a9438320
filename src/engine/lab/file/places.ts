/** From where to where in a text, in UTF-16 code units. */
export interface Span {
  start: number
  end: number
}

export interface Place {
  /** From 1. */
  line: number
  /** From 1, in UTF-16 code units. */
  column: number
}

const DEPTH_MAX = 64
const SPACE = /[ \t\n\r]*/y
const ESCAPE = /["\\/bfnrt]|u[0-9A-Fa-f]{4}/y
const LITERAL = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y

const NAME = 'a name in double quotes'
const VALUE = 'a value'

/** Where a text ceases to be JSON, and what would have gone on. */
export interface JsonProblem {
  at: number
  expected: string
  found: string
}

class SyntaxProblem extends Error {}

/** Where the values of a JSON text (RFC 8259) stand; how far it is JSON when it is none, which JSON.parse tells only sometimes. */
export class JsonPlaces {
  readonly problem: JsonProblem | undefined
  private readonly text: string
  private readonly spans = new Map<string, Span>()
  private readonly lines: number[]
  private at = 0

  constructor(text: string) {
    this.text = text
    this.lines = [0, ...[...text.matchAll(/\n/g)].map(({ index }) => index + 1)]
    try {
      this.value('', 0)
      this.skip(SPACE)
      if (this.at < text.length) throw new SyntaxProblem('the end')
    } catch (error) {
      if (!(error instanceof SyntaxProblem)) throw error
      this.problem = { at: this.at, expected: error.message, found: this.foundHere() }
    }
  }

  /** Of the value at a path such as `links[2].latency`; of what it is missing in, when there is none. */
  span(path: string): Span {
    let known = path
    while (known !== '' && !this.spans.has(known)) known = known.slice(0, Math.max(known.lastIndexOf('.'), known.lastIndexOf('['), 0))
    return this.spans.get(known) ?? { start: 0, end: 0 }
  }

  place(offset: number): Place {
    let [low, high] = [0, this.lines.length]
    while (high - low > 1) {
      const middle = (low + high) >> 1
      if (this.lines[middle] <= offset) low = middle
      else high = middle
    }
    return { line: low + 1, column: offset - this.lines[low] + 1 }
  }

  private value(path: string, depth: number): void {
    this.skip(SPACE)
    const span = { start: this.at, end: this.at + 1 }
    this.spans.set(path, span)
    const first = this.text[this.at]
    // What is deeper is no lab.
    if (depth > DEPTH_MAX) throw new SyntaxProblem(`at most ${DEPTH_MAX} levels`)
    if (first === '{') this.list('}', () => this.property(path, depth))
    else if (first === '[') this.list(']', (index) => this.value(`${path}[${index}]`, depth + 1))
    else if (first === '"') this.string(VALUE)
    else this.expect(LITERAL, VALUE)
    span.end = this.at
  }

  private list(end: string, item: (index: number) => void): void {
    this.at += 1
    this.skip(SPACE)
    for (let index = 0; this.text[this.at] !== end; index++) {
      if (index > 0) this.take(',', `"," or "${end}"`)
      item(index)
      this.skip(SPACE)
    }
    this.at += 1
  }

  private property(path: string, depth: number): void {
    this.skip(SPACE)
    const start = this.at
    this.string(NAME)
    const key = JSON.parse(this.text.slice(start, this.at)) as string
    this.skip(SPACE)
    this.take(':', '":"')
    this.value(path === '' ? key : `${path}.${key}`, depth + 1)
  }

  private string(what: string): void {
    this.take('"', what)
    for (;;) {
      const next = this.text[this.at]
      if (next === undefined || next < ' ') throw new SyntaxProblem('a quotation mark that ends the text')
      this.at += 1
      if (next === '"') return
      if (next === '\\') this.expect(ESCAPE, 'one of " \\ / b f n r t u after a backslash')
    }
  }

  private take(character: string, expected: string): void {
    if (this.text[this.at] !== character) throw new SyntaxProblem(expected)
    this.at += 1
  }

  private expect(pattern: RegExp, expected: string): void {
    if (!this.skip(pattern)) throw new SyntaxProblem(expected)
  }

  private foundHere(): string {
    if (this.at >= this.text.length) return 'the end of the file'
    const character = String.fromCodePoint(this.text.codePointAt(this.at)!)
    return character === '\n' ? 'the end of the line' : JSON.stringify(character)
  }

  private skip(pattern: RegExp): boolean {
    pattern.lastIndex = this.at
    if (!pattern.test(this.text)) return false
    this.at = pattern.lastIndex
    return true
  }
}
