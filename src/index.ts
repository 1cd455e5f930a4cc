import { actionsHost } from './hosts/actions.js'
import { surviveClosedPipe } from './hosts/telling.js'
import { cancelledCode, main } from './main.js'

surviveClosedPipe(process.stdout, process.stderr)
process.exitCode = await main(actionsHost(process.env))
// What a cancelled run gave up waiting for must not hold it.
if (process.exitCode === cancelledCode) process.exit()
