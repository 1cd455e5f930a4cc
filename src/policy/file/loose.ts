/** A look at plain data of which nothing is known yet. What is not of the kind asked for is empty. */

export type Loose = Readonly<Record<string, unknown>>

export function mapIn(value: unknown): Loose {
  const isMap = typeof value === 'object' && value !== null && !Array.isArray(value)
  return isMap ? (value as Loose) : {}
}

export function listIn(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

/** Goes on by one key or place. */
export function step(value: unknown, key: string | number): unknown {
  return typeof key === 'number' ? listIn(value)[key] : mapIn(value)[key]
}
