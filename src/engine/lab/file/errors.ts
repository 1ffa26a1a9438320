/** One thing that is wrong in a `lab.json`. */
export interface LabIssue {
  /** Where: `links[2].latency`; empty for the file as a whole. */
  path: string
  expected: string
  found: string
}

/** A `lab.json` that cannot be used. The message says the first thing that is wrong; `issues` has all of them, in the file's order. */
export class LabFileError extends Error {
  override readonly name = 'LabFileError'
  readonly issues: readonly LabIssue[]

  constructor(issues: readonly LabIssue[]) {
    const [{ path, expected, found }] = issues
    const more = issues.length === 1 ? '' : ` (and ${issues.length - 1} more)`
    super(`${path === '' ? '' : `${path}: `}expected ${expected}, found ${found}${more}`)
    this.issues = issues
  }
}

const FOUND_LENGTH_MAX = 60

/** A value of the file in a few words. */
export function describeFound(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (Array.isArray(value)) return `a list of ${value.length}`
  if (typeof value === 'object' && value !== null) return 'an object'
  const text = JSON.stringify(value)
  return text.length > FOUND_LENGTH_MAX ? `${text.slice(0, FOUND_LENGTH_MAX)}…` : text
}

/** `nodes[2].id` for ['nodes', 2, 'id']. */
export function describePath(path: readonly PropertyKey[]): string {
  return path.map((part, index) => (typeof part === 'number' ? `[${part}]` : `${index === 0 ? '' : '.'}${String(part)}`)).join('')
}
