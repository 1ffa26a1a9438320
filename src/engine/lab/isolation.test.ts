import { beforeAll, describe, expect, it } from 'vitest'
import type { Link, Node } from './lab.ts'
import { IMPAIRMENTS_DEFAULT } from './lab.ts'
import { Coordinator } from './run/coordinator.ts'
import { LocalRunner } from './run/local-runner.ts'
import { NetworkWire } from './run/network-wire.ts'
import type { MachineReport } from './run/runner.ts'
import type { SessionOptions } from './session.ts'
import { MachineSession } from './session.ts'
import { boot, build } from './testing/programs.ts'
import { Trace } from './trace/trace.ts'

/** Machines of one lab beside one that misbehaves: what they print, and when, is what they print without it. */

const MS = 1_000_000
const UNTIL_NS = 80 * MS
const HARM_NS = 20 * MS
/** `cli`, then a jump to itself: nothing ever interrupts it. */
const INTERRUPTS_OFF = Uint8Array.of(0xfa, 0xeb, 0xfe)
/** `ud2` in ring 0, which is a panic. */
const UNDEFINED = Uint8Array.of(0x0f, 0x0b, 0x0f, 0x0b)

type Name = 'observer' | 'talker' | 'sleeper' | 'printer' | 'flooder' | 'caller'

interface Spec extends SessionOptions {
  /** Code that takes the place of the kernel's at HARM_NS. */
  harm?: Uint8Array
}

/** A machine whose kernel is overwritten at a certain time, wherever the processor is then. */
class HarmedSession extends MachineSession {
  private harm: Uint8Array | null

  constructor(options: Spec) {
    super(options)
    this.harm = options.harm ?? null
  }

  override advance(untilNs: number): void {
    if (this.harm !== null && untilNs >= HARM_NS) {
      super.advance(HARM_NS)
      const { cpu, memory } = this.machine
      const kernelBase = 0xffffffff80000000n
      if (cpu.rip < kernelBase) throw new Error('the processor is not in the kernel')
      memory.write(Number(cpu.rip - kernelBase), this.harm)
      this.harm = null
    }
    super.advance(untilNs)
  }
}

let programs: Record<Name, Uint8Array>

/** Builds the body of a `_start` that does not return. */
const endless = (body: string): Promise<Uint8Array> =>
  build('test.c', `#include <atoll.h>\n#include <text.h>\nvoid _start(void) {\n${body}\n}\n`)

const flood = (call: string): string => `
  int fd = sys_socket(AF_INET, SOCK_DGRAM, 0); sys_setsockopt(fd, SO_BROADCAST, 1); struct atoll_address to = {AF_INET, 0x3930, 0xffffffff};
  ${call}`

beforeAll(async () => {
  programs = {
    observer: await endless(`
      for (int64_t due = 10000000;; due += 5000000) { sys_sleep(due - sys_clock()); print_number(sys_clock()); print("\\n"); }`),
    talker: await endless(flood('for (;;) { sys_sendto(fd, "x", 1, 0, &to); print("sent\\n"); sys_sleep(7000000); }')),
    sleeper: await endless('for (;;) sys_sleep(1000000000);'),
    printer: await endless('for (;;) print("and another thing, which has to be said at some length\\n");'),
    flooder: await endless(flood('static char much[1400]; for (;;) sys_sendto(fd, much, sizeof much, 0, &to);')),
    caller: await endless('for (;;) sys_getpid();'),
  }
}, 300_000)

interface Outcome {
  /** Each machine's bytes with their times. */
  consoles: Map<string, { text: string; timesNs: number[] }>
  reports: MachineReport[]
  frames: number
  fates: Set<string>
}

/** Machines `a` and `b` on a cable of their own, `bad` on one with `c`; or all on one switch. */
async function run(bad: Name, { harm, isShared = false }: { harm?: Uint8Array; isShared?: boolean } = {}): Promise<Outcome> {
  const machines: [string, Name][] = [['a', 'observer'], ['b', 'talker'], ['c', 'observer'], ['bad', bad]]
  const ids = [...machines.map(([id]) => id), 's']
  const nodes = ids.map((id): Node => ({ id, kind: id === 's' ? 'switch' : 'machine', position: { x: 0, y: 0 } }))
  const link = (a: string, b: string, port = 0): Link => ({
    id: `${a}-${b}`, a: { node: a, port: 0 }, b: { node: b, port }, impairments: IMPAIRMENTS_DEFAULT,
  })
  const links = isShared ? machines.map(([id], port) => link(id, 's', port)) : [link('a', 'b'), link('c', 'bad')]
  const outcome: Outcome = { consoles: new Map(), reports: [], frames: 0, fates: new Set() }
  const coordinator = new Coordinator<Spec>({
    nodes, links, timeline: [], checks: [],
    wire: new NetworkWire(nodes, links, 1),
    runners: [new LocalRunner((spec, events) => new HarmedSession({ ...spec, ...events }))],
    trace: new Trace([(record) => {
      if (record.kind === 'frame') outcome.fates.add(record.event.kind)
      if (record.kind === 'frame' && record.event.kind === 'sent') outcome.frames++
      if (record.kind !== 'console') return
      const own = outcome.consoles.get(record.node) ?? { text: '', timesNs: [] }
      own.text += String.fromCharCode(record.byte)
      own.timesNs.push(record.timeNs)
      outcome.consoles.set(record.node, own)
    }]),
  })
  machines.forEach(([id, name], index) => {
    const network = { mac: Uint8Array.of(0x52, 0x54, 0, 0, 0, index + 1), address: `10.0.0.${index + 1}/24`, hostname: id }
    const own = id === 'bad' ? harm : undefined
    const program = { path: '/bin/x', bytes: programs[name], args: [] }
    coordinator.define(id, { boot, program, ramBytes: 16 << 20, seed: 1, network, harm: own })
    coordinator.act({ do: 'boot', node: id })
  })
  while (coordinator.nowNs < UNTIL_NS) await coordinator.step(UNTIL_NS)
  outcome.reports = coordinator.reports()
  coordinator.dispose()
  return outcome
}

const reportOf = ({ reports }: Outcome, node: string): MachineReport | undefined => reports.find((report) => report.node === node)
const linesOf = ({ consoles }: Outcome, node: string): number[] =>
  (consoles.get(node)?.text ?? '').split('\n').filter((line) => /^\d+$/.test(line)).map(Number)

describe('a machine of a lab', () => {
  it('prints the same at the same time whatever another does that it is not wired to', async () => {
    const quiet = await run('sleeper')
    expect(linesOf(quiet, 'a').length).toBeGreaterThan(10)
    const neighbours = {
      'panics its kernel': await run('sleeper', { harm: UNDEFINED }),
      'loops with interrupts off': await run('sleeper', { harm: INTERRUPTS_OFF }),
      'prints for ever': await run('printer'),
      'floods its wire': await run('flooder'),
      'makes nothing but system calls': await run('caller'),
    }
    const panicked = { phase: 'panicked', message: expect.stringContaining('invalid opcode') }
    expect(reportOf(neighbours['panics its kernel'], 'bad')).toMatchObject(panicked)
    // It has used every nanosecond, and the others have used theirs.
    expect(reportOf(neighbours['loops with interrupts off'], 'bad')?.instructions).toBeGreaterThan(20_000_000)
    expect(neighbours['floods its wire'].fates).toContain('queue-full')
    for (const [what, other] of Object.entries(neighbours))
      for (const node of ['a', 'b']) {
        expect(other.consoles.get(node), `${node} beside one that ${what}`).toEqual(quiet.consoles.get(node))
        const [report, before] = [reportOf(other, node), reportOf(quiet, node)]
        expect(report?.instructions, `${node} beside one that ${what}`).toBe(before?.instructions)
      }
  }, 180_000)

  it('keeps its time on a switch that another floods with broadcasts', async () => {
    const [quiet, flooded] = [await run('sleeper', { isShared: true }), await run('flooder', { isShared: true })]
    expect(flooded.frames).toBeGreaterThan(50 * quiet.frames)
    for (const node of ['a', 'c']) {
      const lines = linesOf(flooded, node)
      expect(lines.length).toBe(linesOf(quiet, node).length)
      // The timer ticks every millisecond; it takes in a flood between two ticks and still comes to the next one.
      lines.forEach((timeNs, index) => expect(timeNs - (index + 2) * 5 * MS, `line ${index} of ${node}`).toBeLessThan(2 * MS))
    }
  }, 180_000)

  it('that prints for ever is held to what a line takes', async () => {
    const { consoles } = await run('printer')
    // A mebibyte a second, and what may go ahead of it.
    expect(consoles.get('bad')?.text.length).toBeLessThan(UNTIL_NS / 1000 + 100_000)
  }, 180_000)
})
