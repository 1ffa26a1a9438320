import { ensureBuilt } from './ensure-built.mjs'

/** The command line in a checkout: builds what it needs, then is the command line. Only `serve` shows the page. */
try {
  ensureBuilt(process.argv[2] === 'serve' ? 'all' : 'node')
} catch (error) {
  process.stderr.write(`atoll: ${error.message}\n`)
  process.exit(2)
}
const { main } = await import('../out/cli/index.js')
await main(process.argv.slice(2))
