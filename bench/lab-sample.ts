import { availableParallelism } from 'node:os'
import { buildLab } from './lab/start.ts'
import { residentBytes } from './peers.ts'

/**
 * A process of its own for each sample, so that its memory is that of one lab: machines with a shell on one switch. Prints one line of
 * JSON: milliseconds from the start of the process to the prompt of the last machine, MiB for each machine, and
 * virtual seconds for each second while each pings the next one.
 */
const [installation, count, workers] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4] ?? availableParallelism())]
const PROMPT = 'atoll$ '
const PINGS = 50
const PING_NS = 200e6
const PING_COMMAND = `ping -c ${PINGS} -i ${PING_NS / 1e9}`
/** Far more than any of it takes, in virtual time. */
const LIMIT_NS = 60e9

const numbers = Array.from({ length: count }, (_, index) => index + 1)
const addressOf = (number: number): string => `10.0.0.${number}`
const built = await buildLab(
  {
    nodes: [
      ...numbers.map((number) => ({ id: `m${number}`, kind: 'machine', address: `${addressOf(number)}/24` })),
      { id: 'switch', kind: 'switch' },
    ],
    links: numbers.map((number) => ({ a: `m${number}`, b: 'switch' })),
  },
  installation,
)
const ready = { ms: performance.now(), bytes: residentBytes(process.pid) }

const consoles = new Map<string, string>()
const run = built.start({
  workers,
  onConsole: (node, bytes) => consoles.set(node, (consoles.get(node) ?? '') + new TextDecoder().decode(bytes)),
})

/** Milliseconds until every console is as wanted. */
async function all(isWanted: (text: string) => boolean): Promise<number> {
  while (consoles.size < count || ![...consoles.values()].every(isWanted)) {
    if (run.coordinator.nowNs >= LIMIT_NS) throw new Error(`after ${LIMIT_NS / 1e9} s: ${JSON.stringify([...consoles])}`)
    await run.coordinator.step(LIMIT_NS)
  }
  return performance.now()
}

const promptMs = await all((text) => text.includes(PROMPT))
const prompted = residentBytes(process.pid)
for (const number of numbers) {
  const bytes = new TextEncoder().encode(`${PING_COMMAND} ${addressOf((number % count) + 1)}\n`)
  run.coordinator.act({ do: 'type', node: `m${number}`, bytes })
}
const startNs = run.coordinator.nowNs
const sum = `${PINGS} sent, ${PINGS} received`
const pingedMs = await all((text) => text.includes(sum))
const virtualMs = (run.coordinator.nowNs - startNs) / 1e6
const busy = residentBytes(process.pid)
run.dispose()

const MIB = 2 ** 20
console.log(
  JSON.stringify({
    'start to last prompt, ms': promptMs,
    'built to last prompt, ms': promptMs - ready.ms,
    'MiB each, at the prompt': prompted / count / MIB,
    'MiB each, while they ping': busy / count / MIB,
    'MiB each, without what one process costs': (prompted - ready.bytes) / count / MIB,
    'real-time factor, each pings': virtualMs / (pingedMs - promptMs),
  }),
)
process.exit(0)
