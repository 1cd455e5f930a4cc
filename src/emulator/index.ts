import { CacheService } from './cache-service.js'
import { Exchange, type LatencyQuestion, type RequestRecord } from './exchange.js'
import { Faults } from './faults.js'
import {
  RateLimiter,
  RegistryLimiter,
  settleLimits,
  type LimitOptions,
  type Limits,
} from './limits.js'
import { PackagesApi } from './packages-api.js'
import { Registry, type Origins, type RegistryOptions } from './registry.js'
import { Store } from './store.js'

export type { FaultAction } from './faults.js'

/** How an emulator is started. All fields have working defaults. */
export interface EmulatorOptions extends RegistryOptions {
  /** Ports on 127.0.0.1; default any free one. */
  apiPort?: number
  registryPort?: number
  cachePort?: number
  /** Epoch ms. Timestamps, limits, token expiry and the age of deletions all go by it; default the store's. */
  now?: () => number
  /** The state of an emulator that was closed, to go on from; default an empty one. */
  store?: Store
  /** Ms to hold an answer back; real time, also with another `now`. Default 0. */
  latency?: (question: LatencyQuestion) => number
  /** Changes to the limits that GitHub documents; false: none, as on GHES. */
  limits?: LimitOptions | false
}

/** A running emulator of GitHub's Packages API, of its container registry and of the cache of GitHub Actions. */
export interface Emulator {
  /** Origin of the REST API, without a trailing slash; the same API is under `/api/v3` too. */
  readonly apiUrl: string
  /** Origin of the registry. */
  readonly registryUrl: string
  /** Origin of the cache service: `ACTIONS_RESULTS_URL`, with `ACTIONS_CACHE_SERVICE_V2` and any runtime token. */
  readonly cacheUrl: string
  readonly store: Store
  readonly cache: CacheService
  /** Every request in order of arrival. */
  readonly requests: RequestRecord[]
  readonly faults: Faults
  /** The limits, which may be changed at any time; undefined when it was started without any. */
  readonly limits: Limits | undefined
  /** Bugs of the emulator itself that were answered with 500. */
  readonly errors: unknown[]
  /** Breaks all connections and stops all listeners. */
  readonly close: () => Promise<void>
}

/**
 * Starts all services in memory.
 * @throws the socket's error when a port is taken
 */
export async function startEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
  const now = options.now ?? options.store?.now ?? Date.now
  const store = options.store ?? new Store(now)
  const limits = options.limits === false ? undefined : settleLimits(options.limits ?? {})
  const origins = { api: '', registry: '', cache: '' }
  const around = {
    now,
    latency: options.latency ?? (() => 0),
    store,
    faults: new Faults(),
    requests: [] as RequestRecord[],
    errors: [] as unknown[],
  }
  const limiter = limits && new RateLimiter(limits, now)
  const api = new Exchange(around, new PackagesApi(store, limiter, () => origins.api))
  const registryLimiter = limits && new RegistryLimiter(limits, now)
  const registry = new Exchange(around, new Registry(store, registryLimiter, origins, options))
  const cacheService = new CacheService(now, () => origins.cache)
  const cache = new Exchange(around, cacheService)
  const exchanges = [api, registry, cache]
  await listen(origins, { api, registry, cache }, options)
  return {
    apiUrl: origins.api,
    registryUrl: origins.registry,
    cacheUrl: origins.cache,
    store,
    cache: cacheService,
    requests: around.requests,
    faults: around.faults,
    limits,
    errors: around.errors,
    close: async () => {
      await Promise.all(exchanges.map((exchange) => exchange.close()))
    },
  }
}

async function listen(
  origins: Origins & { cache: string },
  { api, registry, cache }: { api: Exchange; registry: Exchange; cache: Exchange },
  options: EmulatorOptions,
): Promise<void> {
  origins.api = await api.listen(options.apiPort ?? 0)
  try {
    origins.registry = await registry.listen(options.registryPort ?? 0)
    origins.cache = await cache.listen(options.cachePort ?? 0)
  } catch (error) {
    await Promise.all([api, registry, cache].map((exchange) => exchange.close()))
    throw error
  }
}
