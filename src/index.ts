import { fileURLToPath } from 'node:url'
import { actionsHost } from './hosts/actions.js'
import { surviveClosedPipe } from './hosts/telling.js'
import { cancelledCode, main } from './main.js'

surviveClosedPipe(process.stdout, process.stderr)
// The bundle of src/cache.ts lies beside this one.
const cacheProgram = fileURLToPath(new URL('cache.js', import.meta.url))
process.exitCode = await main(actionsHost(process.env, cacheProgram))
// What a cancelled run gave up waiting for must not hold it.
if (process.exitCode === cancelledCode) process.exit()
