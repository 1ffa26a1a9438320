import type { Account, Probe } from './lab/probe.ts'
import { runProbe } from './lab/probe.ts'
import type { Figure } from './harness.ts'
import { table } from './harness.ts'
import type { Benchmark, Report } from './report.ts'

const MS_NS = 1e6
/** The shortest latency that a lab may have: there, what a delay is made of is the machines' own work. */
const REFERENCE_NS = 10_000
/** How long the card's interrupt may have to wait for a tick of the timer, in each machine. */
const TICK_WORK_NS = 2_000
/** Standard errors on either side: of 20 right figures one is further off than the first by chance, of 1000 one than the second. */
const Z = { SHOWN: 1.96, FAILED: 3.29 } as const

interface Judged {
  unit: string
  expected: number
  observed: number
  /** Standard error. */
  error: number
  /** Beyond chance: what the machines' clocks cannot tell apart. */
  slack?: number
}

export interface Row {
  configured: string
  measured: string
  probe: Probe
  judge(account: Account, reference: Account): Judged
}

const small = { gapNs: 2 * MS_NS, bytes: 64 }
const ms = (ns: number): number => ns / MS_NS

const latency = (latencyMs: number): Row => ({
  configured: `latency ${latencyMs} ms`,
  measured: 'mean delay',
  probe: { ...small, link: { latency: `${latencyMs}ms` }, count: 1000, baseNs: latencyMs * MS_NS },
  judge: ({ mean, deviation, received }, reference) => ({
    unit: 'ms',
    expected: latencyMs,
    observed: latencyMs + ms(mean - reference.mean),
    error: ms(Math.hypot(deviation / Math.sqrt(received), reference.deviation / Math.sqrt(reference.received))),
    slack: ms(TICK_WORK_NS),
  }),
})

/** Uniform from 0 to J: mean J/2, standard deviation J/√12, kurtosis 1.8. */
function jitter(jitterMs: number): Row[] {
  const base = { latency: '2ms', jitter: `${jitterMs}ms` }
  const probe = { ...small, gapNs: 2 * jitterMs * MS_NS, link: base, count: 2000, baseNs: 2 * MS_NS }
  const configured = `jitter ${jitterMs} ms`
  const deviation = jitterMs / Math.sqrt(12)
  const slack = ms(TICK_WORK_NS)
  return [
    {
      configured,
      measured: 'mean delay above the latency',
      probe,
      judge: ({ mean, received }, reference) => ({
        unit: 'ms', expected: jitterMs / 2, observed: ms(mean - reference.mean), error: deviation / Math.sqrt(received), slack,
      }),
    },
    {
      configured,
      measured: 'standard deviation of the delay',
      probe,
      judge: (account) => ({
        unit: 'ms', expected: deviation, observed: ms(account.deviation), error: deviation * Math.sqrt(0.8 / (4 * account.received)), slack,
      }),
    },
  ]
}

const binomial = (probability: number, tries: number): number => Math.sqrt((probability * (1 - probability)) / tries)

const loss = (probability: number): Row => ({
  configured: `loss ${probability * 100} %`,
  measured: 'datagrams that never came',
  probe: { ...small, link: { latency: '1ms', loss: `${probability * 100}%` }, count: 5000, baseNs: MS_NS },
  judge: ({ count, received }) => ({
    unit: '%', expected: probability * 100, observed: (1 - received / count) * 100, error: binomial(probability, count) * 100,
  }),
})

const duplicate = (probability: number): Row => ({
  configured: `duplicate ${probability * 100} %`,
  measured: 'datagrams that came twice',
  probe: { ...small, link: { latency: '1ms', duplicate: `${probability * 100}%` }, count: 5000, baseNs: MS_NS },
  judge: ({ count, copies }) => ({
    unit: '%', expected: probability * 100, observed: (copies / count) * 100, error: binomial(probability, count) * 100,
  }),
})

/** A frame that ends another's wait does not wait itself: between two that do lie 1 and a geometric number, a renewal process. */
const reorder = (probability: number): Row => ({
  configured: `reorder ${probability * 100} %`,
  measured: `datagrams that were overtaken`,
  probe: { ...small, link: { latency: '1ms', reorder: `${probability * 100}%` }, count: 5000, baseNs: MS_NS },
  judge: ({ count, overtaken }) => {
    const mean = 1 / probability + 1
    const variance = (1 - probability) / probability ** 2
    return { unit: '%', expected: 100 / mean, observed: (overtaken / count) * 100, error: Math.sqrt(variance / mean ** 3 / count) * 100 }
  },
})

const bandwidth = (megabits: number): Row => ({
  configured: `bandwidth ${megabits} Mbit/s`,
  measured: 'rate of arrival, sent without pause',
  probe: { link: { latency: '1ms', bandwidth: `${megabits}Mbit`, queue: '1MiB' }, count: 400, gapNs: 0, bytes: 1000, baseNs: MS_NS },
  judge: ({ bitsPerSecond, received }) => {
    const bits = (1000 + 42) * 8 * (received - 1)
    const observed = bitsPerSecond / 1e6
    return { unit: 'Mbit/s', expected: megabits, observed, error: 0, slack: megabits * ((2 * TICK_WORK_NS) / (bits / megabits / 1e-3)) }
  },
})

export const ROWS: readonly Row[] = [
  ...[1, 10, 100].map(latency),
  ...[1, 5].flatMap(jitter),
  ...[0.01, 0.1, 0.5].map(loss),
  duplicate(0.1),
  reorder(0.2),
  ...[1, 10, 100].map(bandwidth),
]

export interface Verdict extends Judged {
  row: Row
  isRight: boolean
}

/** Measures links as they are configured. `counts` makes every probe shorter, for tests. */
export async function measureLinks(rows: readonly Row[], installation: string, { seed = 1, counts = 1 } = {}): Promise<Verdict[]> {
  const shortened = (probe: Probe): Probe => ({ ...probe, seed, count: Math.ceil(probe.count * counts) })
  const accounts = new Map<Probe, Account>()
  const reference = await runProbe(shortened({ ...small, link: { latency: '10us' }, count: 1000, baseNs: REFERENCE_NS }), installation)
  const verdicts: Verdict[] = []
  for (const row of rows) {
    const account = accounts.get(row.probe) ?? (await runProbe(shortened(row.probe), installation))
    accounts.set(row.probe, account)
    const judged = row.judge(account, reference)
    const isRight = Math.abs(judged.observed - judged.expected) <= Z.FAILED * judged.error + (judged.slack ?? 0)
    verdicts.push({ ...judged, row, isRight })
  }
  return verdicts
}

/** Configured against observed: the only peer of a link is what was asked of it. */
export const links: Benchmark = {
  title: 'what was asked of a link, and what two machines at its ends measure',
  async run({ installation }) {
    return report(await measureLinks(ROWS, installation))
  },
}

function report(verdicts: Verdict[]): Report {
  const rows = verdicts.map(({ row, unit, expected, observed, error, slack = 0, isRight }) => [
    row.configured,
    row.measured,
    `${expected.toFixed(3)} ${unit}`,
    `${observed.toFixed(3)} ${unit}`,
    `± ${(Z.SHOWN * error + slack).toFixed(4)}`,
    isRight ? 'right' : 'WRONG',
  ])
  const figures = verdicts.map(({ row, unit, observed }): Figure => ({
    contender: row.configured, figure: `${row.measured}, ${unit}`, median: observed, least: observed, most: observed, samples: 1,
  }))
  const wrong = verdicts.filter(({ isRight }) => !isRight).map(({ row }) => `${row.configured}: ${row.measured}`)
  return {
    figures,
    missing: [],
    text: `${table(['configured', 'measured by programs', 'expected', 'observed', '95 % error', 'verdict'], rows)}\n
The error is that of chance (binomial for what happens to datagrams), and of the machines' clocks. Of right figures one in 20 is further
off; the verdict is WRONG when chance would bring it about less than once in 1000.`,
    failure: wrong.length === 0 ? undefined : `links do other than they were told: ${wrong.join('; ')}`,
  }
}
