import { runCommandLine } from './command-line.js'
import { surviveClosedPipe } from './hosts/telling.js'

surviveClosedPipe(process.stdout, process.stderr)
process.exitCode = await runCommandLine(process.argv)
