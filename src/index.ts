import { actionsHost } from './hosts/actions.js'
import { main } from './main.js'

process.exitCode = await main(actionsHost(process.env))
