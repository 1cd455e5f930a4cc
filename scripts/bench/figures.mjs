/** What a list of requests, as the emulator saw them, says about a run. */
const minute = 60_000

/** @param requests in the order of their arrival */
export function figuresOf(requests) {
  const api = requests.filter(({ service }) => service === 'api')
  const deletes = api.filter(({ kind }) => kind === 'delete')
  const done = deletes.filter(({ status }) => status === 204)
  const lists = api.filter(({ kind }) => kind === 'list')
  return {
    api,
    deletes,
    done,
    lists,
    limited: api.filter(({ status }) => status === 403 || status === 429),
    reads: requests.filter(({ service, method, kind }) => {
      return service === 'registry' && kind === 'manifest' && method === 'GET'
    }),
    perMinute: rateOf(done),
    mostPoints: mostPoints(api.filter(({ status }) => status !== 403 && status !== 429)),
  }
}

/** Events a minute from the first to the last. */
export function rateOf(events) {
  const [first, last] = [events[0], events.at(-1)]
  return first === last ? 0 : ((events.length - 1) * minute) / (last.at - first.at)
}

/** The most points that any minute holds. */
function mostPoints(requests) {
  let [sum, most, first] = [0, 0, 0]
  for (const { at, points } of requests) {
    sum += points
    while (requests[first].at <= at - minute) sum -= requests[first++].points
    most = Math.max(most, sum)
  }
  return most
}

/** How many of the requests came within so many milliseconds of the first. */
export function within(requests, milliseconds) {
  return requests.filter(({ at }) => at - requests[0].at < milliseconds).length
}

export function round(number, digits = 0) {
  return Number(number.toFixed(digits))
}
