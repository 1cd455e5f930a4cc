/** Which rows of a list a request wants. */
export interface Page {
  /** From 1. */
  number: number
  /** Rows a page, 1 to 100. */
  size: number
}

/** Reads `page` and `per_page`; what is no positive number counts as not given, and 100 is the most. */
export function pageOf(query: URLSearchParams): Page {
  const size = positive(query.get('per_page')) ?? 30
  return { number: positive(query.get('page')) ?? 1, size: Math.min(size, 100) }
}

function positive(text: string | null): number | undefined {
  return text !== null && /^\d{1,15}$/.test(text) && Number(text) > 0 ? Number(text) : undefined
}

/**
 * The Link header of one page of a list; undefined when the list has one page only.
 * @param url address of the list with the owner's numeric id, without query
 * @see https://docs.github.com/rest/using-the-rest-api/using-pagination-in-the-rest-api
 */
export function linkHeader(
  url: string,
  query: URLSearchParams,
  page: Page,
  total: number,
): string | undefined {
  const last = Math.max(1, Math.ceil(total / page.size))
  const at = (number: number) => `<${url}?${withPage(query, number)}>`
  const links: string[] = []
  if (page.number > 1) links.push(`${at(Math.min(page.number - 1, last))}; rel="prev"`)
  if (page.number < last) links.push(`${at(page.number + 1)}; rel="next"`)
  if (last > 1 && page.number !== last) links.push(`${at(last)}; rel="last"`)
  if (page.number > 1) links.push(`${at(1)}; rel="first"`)
  return links.length > 0 ? links.join(', ') : undefined
}

function withPage(query: URLSearchParams, number: number): string {
  const changed = new URLSearchParams(query)
  changed.set('page', String(number))
  return changed.toString()
}
