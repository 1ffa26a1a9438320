import { beforeAll, describe, expect, it } from 'vitest'
import { RandomFrames } from '../kernel/net/testing/random-frames.ts'
import { ETHERNET_HEADER_BYTES } from '../kernel/net/wire/ethernet.ts'
import { Random } from '../random/random.ts'
import type { MachineSession } from './session.ts'
import { JoinedMachines } from './testing/joined.ts'
import { toolchain } from './testing/programs.ts'
import type { Programs, RandomRun } from './testing/random-calls.ts'
import { buildRandomCalls, isOver, randomOptions, runRandomCalls, typeAnything, usageAfterAll } from './testing/random-calls.ts'

/**
 * Random programs. Some seeds with every test run; with ATOLL_FUZZ_SECONDS as many as that takes, from ATOLL_FUZZ_SEED on:
 * see CONTRIBUTING.md.
 */
const SECONDS = Number(process.env.ATOLL_FUZZ_SECONDS ?? 0)
const FIRST_SEED = Number(process.env.ATOLL_FUZZ_SEED ?? 1)
const TIMEOUT_MS = 120_000 + 2000 * SECONDS
const MIB = 1 << 20
/** The smallest leaves the program little more than what it needs to start. */
const MEMORIES = [64 * MIB, 5 * MIB, 16 * MIB, 4 * MIB]
const WINDOW_NS = 2_000_000
const LAB_NS_MAX = 60_000_000_000

let programs: Programs

beforeAll(async () => {
  programs = await buildRandomCalls(toolchain)
}, 300_000)

/** The seeds of this run: so many, or as many as the time allows. */
function* seeds(count: number): Generator<number> {
  const endMs = performance.now() + SECONDS * 1000
  for (let seed = FIRST_SEED; SECONDS > 0 ? performance.now() < endMs : seed < FIRST_SEED + count; seed++) yield seed
}

const networkOf = (index: number): NonNullable<RandomRun['network']> => ({
  mac: Uint8Array.of(0x52, 0x54, 0, 0, 0, index + 1), address: `10.0.0.${index + 1}/24`, hostname: `host${index + 1}`,
})

function runOf(seed: number): RandomRun {
  const network = seed % 2 === 0 ? undefined : networkOf(0)
  return { seed, rounds: 3, operations: 400, ramBytes: MEMORIES[seed % MEMORIES.length], network }
}

/** What such a machine holds on to when it has never run a child. */
const untouched = (run: RandomRun) => usageAfterAll(runRandomCalls(programs, { ...run, rounds: 0 }).session)

/** A runt shorter than an Ethernet header never leaves a transceiver. */
function hear(session: MachineSession, frame: Uint8Array): void {
  if (frame.length >= ETHERNET_HEADER_BYTES) session.receive(frame)
}

describe('random system calls', () => {
  it('through both doors neither panic the kernel nor leak', () => {
    for (const seed of seeds(8)) {
      const run = runOf(seed)
      const { session, output } = runRandomCalls(programs, run)
      const status = session.status()
      expect(status, `${JSON.stringify(run)}\n${output.slice(-3000)}`).toMatchObject({ phase: 'exited' })
      // Process 1 may be refused a page, as any other.
      if (status.exitStatus !== 137) expect(output, `seed ${seed}`).toContain('all ended')
      expect(usageAfterAll(session), JSON.stringify(run)).toEqual(untouched(run))
    }
  }, TIMEOUT_MS)

  it('do the same each time', () => {
    const [one, other] = [1, 1].map((seed) => runRandomCalls(programs, runOf(FIRST_SEED + seed)))
    expect(other.output).toBe(one.output)
    expect(other.session.status()).toEqual(one.session.status())
  }, TIMEOUT_MS)

  it('on machines that share a wire with noise neither panic a kernel nor leak', () => {
    for (const seed of seeds(2)) {
      const random = new Random(seed)
      const runs = [0, 1, 2].map((index): RandomRun => ({
        seed: seed * 10 + index, rounds: 2, operations: 400,
        ramBytes: MEMORIES[(seed + index) % MEMORIES.length], network: networkOf(index),
      }))
      const lab = new JoinedMachines(runs.map((run) => randomOptions(programs, run)))
      const noise = new RandomFrames(random, [0x525400000001, 0x525400000002, 0x525400000003])
      while (!lab.machines.every(({ session }) => isOver(session)) && lab.nowNs < LAB_NS_MAX) {
        lab.advance(lab.nowNs + WINDOW_NS)
        for (const { session } of lab.machines) {
          for (let count = random.next() % 10; count > 0; count--) hear(session, noise.next())
          if (random.next() % 40 === 0) typeAnything(session, random)
        }
      }
      lab.machines.forEach(({ session, output }, index) => {
        expect(session.status(), `${JSON.stringify(runs[index])} of lab ${seed}\n${output.slice(-3000)}`).toMatchObject({ phase: 'exited' })
        expect(usageAfterAll(session), JSON.stringify(runs[index])).toEqual(untouched(runs[index]))
      })
    }
  }, TIMEOUT_MS)
})
