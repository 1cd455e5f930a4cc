/** The candidate that a mistyped word most likely stands for, or undefined when none is near. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const ranked = candidates
    .map((candidate) => ({ candidate, distance: distance(word.toLowerCase(), candidate) }))
    .sort((a, b) => a.distance - b.distance)
  const [best] = ranked
  return best !== undefined && best.distance <= Math.max(2, word.length / 3)
    ? best.candidate
    : undefined
}

/** How many characters have to be added, dropped or changed (Levenshtein). */
function distance(a: string, b: string): number {
  let row = [...Array(b.length + 1).keys()]
  for (const i of Array(a.length).keys()) {
    const next = [i + 1]
    for (const j of Array(b.length).keys()) {
      const change = (row[j] ?? 0) + (a[i] === b[j] ? 0 : 1)
      next.push(Math.min(change, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1))
    }
    row = next
  }
  return row.at(-1) ?? 0
}
