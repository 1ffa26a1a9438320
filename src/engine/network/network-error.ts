/** A topology or an option that cannot be: what, what was expected, and what was found. */
export class NetworkError extends Error {
  override readonly name = 'NetworkError'
  readonly subject: string
  readonly expected: string
  readonly found: string

  constructor(subject: string, expected: string, found: unknown) {
    super(`${subject}: expected ${expected}, found ${String(found)}`)
    this.subject = subject
    this.expected = expected
    this.found = String(found)
  }
}
