import { runCommandLine } from './command-line.js'
import { surviveClosedPipe } from './hosts/telling.js'
import { cancelledCode } from './main.js'

surviveClosedPipe(process.stdout, process.stderr)
process.exitCode = await runCommandLine(process.argv)
// What a run gave up waiting for must not hold it. Whoever reads slowly still gets everything that was told.
if (process.exitCode === cancelledCode) process.exit()
setInterval(() => {
  if (process.stdout.writableLength + process.stderr.writableLength === 0) process.exit()
}, 1000).unref()
