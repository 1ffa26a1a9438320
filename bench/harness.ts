/** What every benchmark here shares: runs that take turns, medians, and a table that says its units. */

/** One thing that is measured, ours or a peer. */
export interface Contender {
  name: string
  /** One measurement; several figures may come out of one run, by name. Rejects with an Error that says why there is none. */
  sample(): Promise<Record<string, number>>
}

/** A median of what a contender's figure came to, with the extremes beside it. */
export interface Figure {
  contender: string
  figure: string
  median: number
  least: number
  most: number
  samples: number
}

/** A contender that cannot be had here, and why. */
export interface Missing {
  contender: string
  reason: string
}

export interface Result {
  figures: Figure[]
  missing: Missing[]
}

/**
 * Samples every contender `rounds` times, one after the other in each round, so that what the host does meanwhile falls on all alike.
 * A contender whose sample rejects is out of the run and listed with its reason.
 */
export async function interleave(contenders: Contender[], rounds: number, onRound: (round: number) => void = () => {}): Promise<Result> {
  const samples = new Map<string, Map<string, number[]>>()
  const missing: Missing[] = []
  for (let round = 0; round < rounds; round++) {
    onRound(round)
    for (const { name, sample } of contenders) {
      if (missing.some(one => one.contender === name)) continue
      try {
        for (const [figure, value] of Object.entries(await sample())) {
          const figures = samples.get(name) ?? new Map<string, number[]>()
          samples.set(name, figures.set(figure, [...(figures.get(figure) ?? []), value]))
        }
      } catch (error) {
        missing.push({ contender: name, reason: error instanceof Error ? error.message : String(error) })
      }
    }
  }
  const figures: Figure[] = []
  for (const [contender, values] of samples) {
    if (missing.some(one => one.contender === contender)) continue
    for (const [figure, list] of values) figures.push(summary(contender, figure, list))
  }
  return { figures, missing }
}

function summary(contender: string, figure: string, values: number[]): Figure {
  const sorted = [...values].sort((a, b) => a - b)
  return { contender, figure, median: median(sorted), least: sorted[0], most: sorted[sorted.length - 1], samples: sorted.length }
}

/** The middle of a list, or the mean of its two middle values; NaN when it is empty. */
export function median(values: readonly number[]): number {
  if (values.length === 0) return NaN
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/** Columns as wide as their widest cell, the first to the left and the rest to the right. */
export function table(header: string[], rows: string[][]): string {
  const all = [header, ...rows]
  const widths = header.map((_, column) => Math.max(...all.map(row => row[column].length)))
  const pad = (cell: string, column: number) => (column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]))
  const line = (row: string[]) => row.map(pad).join('  ')
  return [line(header), widths.map(width => '-'.repeat(width)).join('  '), ...rows.map(line)].map(text => text.trimEnd()).join('\n')
}

/** Three significant digits, and never an exponent: what a reader compares at a glance. */
export function digits(value: number): string {
  if (!Number.isFinite(value)) return '?'
  if (value >= 100) return value.toFixed(0)
  return value >= 10 ? value.toFixed(1) : value.toFixed(2)
}
