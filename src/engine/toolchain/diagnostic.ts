/**
 * One thing a compiler, an assembler or a linker has to say about a place in a source file.
 * Lines and columns count from 1, columns in UTF-16 code units as editors do; the end is exclusive.
 */
export interface Diagnostic {
  path: string
  line: number
  column: number
  endLine: number
  endColumn: number
  severity: 'error' | 'warning' | 'note'
  message: string
  /** The compiler's own option, such as `-Wunused-variable`. */
  code?: string
  /** A replacement the compiler proposes for a range. */
  fix?: { line: number; column: number; endLine: number; endColumn: number; text: string }
}

/** Reported of one build; a header that is wrong a thousand times has made its point. */
export const DIAGNOSTICS_MAX = 200

/** The text of a source file that a diagnostic names, or undefined when it cannot be had. */
export type SourceText = (path: string) => string | undefined

/**
 * Turns a compiler's byte columns of UTF-8 into UTF-16 columns of the same line. Keeps the split lines of every file it was
 * asked about, so make one for each run of a compiler.
 */
export class ColumnConverter {
  private readonly lines = new Map<string, readonly string[]>()
  private readonly text: SourceText

  constructor(text: SourceText) {
    this.text = text
  }

  /** The line without its end, '' when the file has no such line. */
  line(path: string, line: number): string {
    let lines = this.lines.get(path)
    if (!lines) {
      lines = (this.text(path) ?? '').split(/\r\n|\n|\r/)
      this.lines.set(path, lines)
    }
    return lines[line - 1] ?? ''
  }

  /** @param byteColumn from 1; one that lies inside a character counts as the character's start. */
  column(path: string, line: number, byteColumn: number): number {
    return utf16Column(this.line(path, line), byteColumn)
  }
}

function utf16Column(line: string, byteColumn: number): number {
  let bytes = 1
  let units = 0
  while (units < line.length) {
    const point = line.codePointAt(units) as number
    const length = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4
    if (bytes + length > byteColumn) return units + 1
    bytes += length
    units += point < 0x10000 ? 1 : 2
  }
  return units + 1 + Math.max(0, byteColumn - bytes)
}

/** The first column after the word, number or sign that starts at `column`; at least one column on. */
export function endOfToken(line: string, column: number): number {
  const rest = line.slice(column - 1)
  const length = /^[\p{L}\p{N}_$]+|^"(?:[^"\\]|\\.)*"?/u.exec(rest)?.[0].length ?? 1
  return column + length
}
