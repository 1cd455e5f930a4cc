import { runCommandLine } from './command-line.js'
import { surviveClosedPipe } from './hosts/telling.js'
import { cancelledCode } from './main.js'

surviveClosedPipe(process.stdout, process.stderr)
process.exitCode = await runCommandLine(process.argv)
// What a run gave up waiting for must not hold it.
if (process.exitCode === cancelledCode) process.exit()
setTimeout(() => process.exit(), 1000).unref()
