import { buildLab } from './start.ts'

/** Datagrams from one machine over a cable to another, timed and counted by the machines themselves: `probe.c`. */

export interface Probe {
  /** The cable, as in a `lab.json`; what is not said is none: no limit, no loss. */
  link: { latency: string; jitter?: string; bandwidth?: string; loss?: string; duplicate?: string; reorder?: string; queue?: string }
  /** Datagrams, at most 65536. */
  count: number
  gapNs: number
  /** Of a datagram's payload: 16 to 1400. */
  bytes: number
  seed?: number
  /** Subtracted from every delay, so that their squares are exact. */
  baseNs: number
}

/** What the receiver says; times in nanoseconds, delays less the probe's base. */
export interface Account {
  count: number
  received: number
  copies: number
  /** Came after one that was sent later. */
  overtaken: number
  least: number
  most: number
  mean: number
  /** Standard deviation of the delays. */
  deviation: number
  /** Bits a second, frames whole, from the first arrival to the last. */
  bitsPerSecond: number
}

const SECOND_NS = 1e9
/** Ethernet, IPv4 and UDP around a payload. */
const HEADER_BYTES = 42
/** After the last datagram was sent: the longest queue and latency here. */
const QUIET_NS = 4 * SECOND_NS
/** For the receiver's account to leave over its serial line. */
const REPORT_NS = SECOND_NS / 2
/** While the sender learns where the receiver is, the cable is a good one. */
const IMPAIRED_FROM = '900ms'

/** Runs a probe in a lab of its own. Rejects when it comes to no end. */
export async function runProbe({ link, count, gapNs, bytes, seed = 1, baseNs }: Probe, installation: string): Promise<Account> {
  const { latency, jitter, bandwidth, queue, ...chances } = link
  const untilNs = SECOND_NS + count * gapNs + QUIET_NS
  const timeline = Object.keys(chances).length > 0 ? [{ at: IMPAIRED_FROM, do: 'change', link: 'cable', ...chances }] : []
  const machine = (id: string, address: string, ...args: (string | number)[]): object =>
    ({ id, kind: 'machine', memory: '16MiB', program: 'probe.c', address: `${address}/24`, args: args.map(String) })
  const content = {
    seed,
    nodes: [machine('a', '10.0.0.1', 'send', '10.0.0.2', count, gapNs, bytes), machine('b', '10.0.0.2', 'receive', baseNs, untilNs)],
    links: [{ id: 'cable', a: 'a', b: 'b', latency, jitter, bandwidth: bandwidth ?? '0bit', queue }],
    timeline,
  }
  const built = await buildLab(content, installation)
  let text = ''
  const run = built.start({ workers: 0, onConsole: (node, piece) => (text += node === 'b' ? new TextDecoder().decode(piece) : '') })
  try {
    while (run.coordinator.nowNs < untilNs + REPORT_NS) await run.coordinator.step(untilNs + REPORT_NS)
  } finally {
    run.dispose()
  }
  if (!/^done\r?$/m.test(text)) throw new Error(`the receiver gave no account, but said ${JSON.stringify(text.slice(-200))}`)
  return account(text, count)
}

function account(text: string, count: number): Account {
  const figure = (name: string): number => Number(new RegExp(`^${name} (-?\\d+)\\r?$`, 'm').exec(text)?.[1])
  const received = figure('received')
  const mean = figure('sum') / received
  const variance = Math.max(0, (figure('squares') - received * mean ** 2) / (received - 1))
  const bits = (figure('length') + HEADER_BYTES) * 8 * (received - 1)
  return {
    count,
    received,
    copies: figure('copies'),
    overtaken: figure('overtaken'),
    least: figure('least'),
    most: figure('most'),
    mean,
    deviation: Math.sqrt(variance),
    bitsPerSecond: (bits * SECOND_NS) / (figure('last') - figure('first')),
  }
}
