import type { TraceRecord } from './record.ts'

/**
 * The trace as Chrome's trace event JSON, which Perfetto opens. One process for each node and one for the network.
 *
 * Source: "Trace Event Format", Google, 2016. Times are microseconds; we write nanoseconds as fractions.
 */

/** Threads of a node. */
const Thread = { POWER: 1, CONSOLE: 2, PORTS: 3 } as const
const LAB_PROCESS = 1
const FIRST_NODE_PROCESS = 2
/** A frame leaves and arrives in an instant, but an arrow needs a slice to start from: the shortest there is, so that none overlap. */
const INSTANT_NS = 1
const LINE_LENGTH_MAX = 200
const NEWLINE = 0x0a

export class ChromeTrace {
  private readonly write: (text: string) => void
  private readonly processes = new Map<string, number>()
  private readonly on = new Set<string>()
  private readonly lines = new Map<string, { timeNs: number; bytes: number[] }>()
  private isFirst = true
  private lastNs = 0

  /** @param write receives the document, piece by piece */
  constructor(nodes: readonly string[], write: (text: string) => void) {
    this.write = write
    write('{"displayTimeUnit":"ns","traceEvents":[\n')
    this.name('process_name', LAB_PROCESS, 0, 'lab')
    this.name('thread_name', LAB_PROCESS, 1, 'events')
    for (const node of nodes) this.process(node)
  }

  take(record: TraceRecord): void {
    this.lastNs = record.timeNs
    switch (record.kind) {
      case 'event':
        this.say({ ph: 'i', s: 'g', name: `${record.target}: ${record.text}`, pid: LAB_PROCESS, tid: 1 }, record.timeNs)
        return
      case 'power':
        this.power(record.node, record.timeNs, record.phase)
        return
      case 'console':
        this.console(record.node, record.timeNs, record.byte)
        return
      case 'frame':
        this.frame(record.event)
        return
    }
  }

  /** Ends the document. */
  close(): void {
    for (const node of this.lines.keys()) this.endLine(node)
    for (const node of this.on) this.say({ ph: 'E', pid: this.process(node), tid: Thread.POWER }, this.lastNs)
    this.write('\n]}\n')
  }

  private process(node: string): number {
    const known = this.processes.get(node)
    if (known !== undefined) return known
    const pid = FIRST_NODE_PROCESS + this.processes.size
    this.processes.set(node, pid)
    this.name('process_name', pid, 0, node)
    this.name('thread_name', pid, Thread.POWER, 'power')
    this.name('thread_name', pid, Thread.CONSOLE, 'console')
    this.name('thread_name', pid, Thread.PORTS, 'ports')
    return pid
  }

  private name(what: string, pid: number, tid: number, name: string): void {
    this.emit({ ph: 'M', name: what, pid, tid, args: { name } })
  }

  private power(node: string, timeNs: number, phase: string): void {
    const pid = this.process(node)
    if (this.on.delete(node)) this.say({ ph: 'E', pid, tid: Thread.POWER, args: { phase } }, timeNs)
    if (phase !== 'booting') return
    this.on.add(node)
    this.say({ ph: 'B', name: 'on', pid, tid: Thread.POWER }, timeNs)
  }

  private console(node: string, timeNs: number, byte: number): void {
    let line = this.lines.get(node)
    if (line === undefined) {
      line = { timeNs, bytes: [] }
      this.lines.set(node, line)
    }
    if (byte !== NEWLINE) line.bytes.push(byte)
    if (byte === NEWLINE || line.bytes.length >= LINE_LENGTH_MAX) this.endLine(node)
  }

  private endLine(node: string): void {
    const line = this.lines.get(node)
    if (line === undefined) return
    this.lines.delete(node)
    const name = new TextDecoder().decode(Uint8Array.from(line.bytes)).trimEnd()
    if (name !== '') this.say({ ph: 'i', s: 't', name, pid: this.process(node), tid: Thread.CONSOLE }, line.timeNs)
  }

  /** Its flight is an asynchronous slice of the link, since flights overlap; an arrow joins the ports it left from and came to. */
  private frame({ kind, timeNs, link, from, to, frame, id }: Extract<TraceRecord, { kind: 'frame' }>['event']): void {
    const flight = `${link}/${from.node}/${id}`
    const label = `${frame.length} B`
    const inLab = { cat: 'link', id: flight, pid: LAB_PROCESS, tid: 1 }
    if (kind === 'sent') {
      this.say({ ph: 'b', name: `${link}: ${from.node} → ${to.node}`, ...inLab, args: { bytes: frame.length } }, timeNs)
      this.port(from.node, timeNs, `send ${label}`, { ph: 's', id: flight })
    } else if (kind === 'duplicated') {
      // Its original's flight has ended.
      this.port(to.node, timeNs, `receive ${label} again`)
    } else {
      if (kind !== 'delivered') this.say({ ph: 'n', name: kind, ...inLab }, timeNs)
      this.say({ ph: 'e', name: `${link}: ${from.node} → ${to.node}`, ...inLab }, timeNs)
      if (kind === 'delivered' || kind === 'corrupted') this.port(to.node, timeNs, `receive ${label}`, { ph: 'f', bp: 'e', id: flight })
    }
  }

  private port(node: string, timeNs: number, name: string, flow?: object): void {
    const pid = this.process(node)
    this.say({ ph: 'X', name, dur: INSTANT_NS / 1000, pid, tid: Thread.PORTS }, timeNs)
    if (flow !== undefined) this.say({ name: 'frame', cat: 'flow', pid, tid: Thread.PORTS, ...flow }, timeNs)
  }

  private say(event: object, timeNs: number): void {
    this.emit({ ...event, ts: timeNs / 1000 })
  }

  private emit(event: object): void {
    this.write(`${this.isFirst ? '' : ',\n'}${JSON.stringify(event)}`)
    this.isFirst = false
  }
}
