import { actionsHost } from './hosts/actions.js'
import { surviveClosedPipe } from './hosts/telling.js'
import { main } from './main.js'

surviveClosedPipe(process.stdout, process.stderr)
process.exitCode = await main(actionsHost(process.env))
