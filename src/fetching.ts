import { HttpClient } from '@actions/http-client'
import { fetch } from 'undici'

/** No single request may take longer than this, in milliseconds. */
const longestRequest = 60_000

export type Fetch = typeof fetch

/** A fetch that goes through the proxy of the environment, if it names one for this address, and never hangs. */
export function fetchFor(address: string): Fetch {
  const dispatcher = new HttpClient().getAgentDispatcher(address)
  return (url, init) =>
    fetch(url, {
      ...init,
      ...(dispatcher === undefined ? {} : { dispatcher }),
      signal: AbortSignal.timeout(longestRequest),
    })
}

/** A fetch whose requests go out when a gate lets them. What the gate throws comes through unchanged. */
export function through(
  gate: { readonly enter: () => Promise<void>; readonly leave: () => void },
  fetch: Fetch,
): Fetch {
  return async (url, init) => {
    await gate.enter()
    try {
      return await fetch(url, init)
    } finally {
      gate.leave()
    }
  }
}
