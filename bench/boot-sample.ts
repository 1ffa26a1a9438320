import { MachineSession } from '../src/engine/lab/session.ts'
import { openToolchain } from '../src/main/service/toolchain-builder.ts'

/**
 * A process of its own for each sample, since the first machine of a process is the one that people wait for. Prints one line of JSON:
 * milliseconds from machine created to first user instruction, for the first machine and for a later one.
 */
const LATER = 5
/** How far the machine runs between two looks at its phase, in virtual time: what the measurement is late by. */
const SLICE_NS = 20_000

const [program] = process.argv.slice(2)
const toolchain = openToolchain()
const boot = await toolchain.assembleBoot()
const build = await toolchain.build({ path: program, file: program })
if (!build.ok) throw new Error(`${program} was not built`)
const image = build.output

function bootOnce(): number {
  const start = performance.now()
  const session = new MachineSession({ boot, program: { path: '/hello', bytes: image, args: [] } })
  while (session.status().phase === 'booting') session.advance(session.status().virtualNs + SLICE_NS)
  return performance.now() - start
}

const times = Array.from({ length: LATER }, bootOnce)
console.log(JSON.stringify({ 'first machine, ms': times[0], 'later machine, ms': times[LATER - 1] }))
