import { LabFileError } from './errors.ts'
import { parseLab } from './parse.ts'
import { JsonPlaces } from './places.ts'

/** One thing that is wrong in a `lab.json`, for an editor. Lines and columns count from 1; the end is behind the last character. */
export interface LabMistake {
  line: number
  column: number
  endLine: number
  endColumn: number
  message: string
}

/** More help nobody. */
export const MISTAKES_MAX = 100

/** What is wrong in the text of a `lab.json` and where, in the file's order; nothing when it can be read. */
export function diagnoseLab(text: string): LabMistake[] {
  try {
    parseLab(text)
    return []
  } catch (error) {
    if (!(error instanceof LabFileError)) throw error
    const places = new JsonPlaces(text)
    return error.issues
      .slice(0, MISTAKES_MAX)
      .map(({ path, expected, found }) => {
        const { problem } = places
        const { start, end } = problem === undefined ? places.span(path) : { start: problem.at, end: problem.at + 1 }
        const lineEnd = text.slice(start, end).search(/\r?\n/)
        const from = places.place(start)
        // Of what goes over lines, the first is enough to see.
        const length = lineEnd < 0 ? end - start : lineEnd
        const message = `${problem !== undefined || path === '' ? '' : `${path}: `}expected ${expected}, found ${found}`
        return { ...from, endLine: from.line, endColumn: from.column + length, message }
      })
      .toSorted((one, other) => one.line - other.line || one.column - other.column)
  }
}
