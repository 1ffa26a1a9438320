/** A match of what was typed, the better the higher; -1 for none. Letters may lie apart (`bab` finds Build and Boot), words count first. */
export function matchScore(query: string, candidate: string): number {
  const wanted = fold(query)
  const text = fold(candidate)
  if (wanted === '') return 0
  const at = text.indexOf(wanted)
  if (at === 0) return 1000
  if (at > 0) return (isWordStart(text, at) ? 800 : 600) - at
  let score = 400
  let from = 0
  for (const letter of wanted) {
    if (letter === ' ') continue
    const found = text.indexOf(letter, from)
    if (found < 0) return -1
    if (!isWordStart(text, found)) score -= 4 + (found - from)
    from = found + 1
  }
  return Math.max(score, 1)
}

/** The candidates that match, best first; equal ones keep their order. */
export function rank<T>(query: string, candidates: readonly T[], textOf: (candidate: T) => string): T[] {
  return candidates
    .map((candidate) => ({ candidate, score: matchScore(query, textOf(candidate)) }))
    .filter(({ score }) => score >= 0)
    .sort((a, b) => b.score - a.score)
    .map(({ candidate }) => candidate)
}

function isWordStart(text: string, at: number): boolean {
  return at === 0 || /[^\p{L}\p{N}]/u.test(text[at - 1])
}

/** Without case and accents, so that `maquina` finds `máquina`. */
function fold(text: string): string {
  return text.trim().toLowerCase().normalize('NFD').replace(/\p{M}/gu, '')
}
