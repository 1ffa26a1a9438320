import type { z } from 'zod'
import type { Check, Impairments, Lab, LabAction, LabPort, Link, Node, TimelineEvent } from '../lab.ts'
import { BANDWIDTH_BPS_MAX, DELAY_NS_MAX, IMPAIRMENTS_DEFAULT, LATENCY_NS_MIN } from '../lab.ts'
import { LabFileError, describeFound, describePath } from './errors.ts'
import type { LabIssue } from './errors.ts'
import { compilePattern, PatternError } from './pattern.ts'
import { JsonPlaces } from './places.ts'
import { formatDuration, formatRate, parseDuration, parseProbability, parseRate, parseSize } from './quantities.ts'
import type { LabFile, LabFileImpairments } from './schema.ts'
import { PORT_MAX, labFileSchema } from './schema.ts'

const SEED_DEFAULT = 1
const DURATION_NS_DEFAULT = 30_000_000_000
const MEMORY_BYTES_MIN = 16 * 1024 * 1024
const MEMORY_BYTES_MAX = 1024 * 1024 * 1024
const PAGE_BYTES = 4096
const REGULAR_EXPRESSION = 'a regular expression of RE2, without lookaround and back-references'
/** To find out that a pattern is too large takes up to some tenths of a second; a file of a thousand is refused sooner. */
const WRONG_PATTERNS_MAX = 8
const LOSSLESS = 'a quantity below 2^53 of its smallest unit'
/** Where nodes stand that the file gives no place, in canvas units: on a circle. */
const CIRCLE_RADIUS = 240

/** Reads the text of a `lab.json`. Throws LabFileError. */
export function parseLab(text: string): Lab {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new LabFileError([syntaxIssue(text, error)])
  }
  return resolveLab(value)
}

/** JSON.parse says that something is wrong, but where and what only now and then. */
function syntaxIssue(text: string, error: unknown): LabIssue {
  const places = new JsonPlaces(text)
  if (places.problem === undefined) return { path: '', expected: 'JSON', found: String((error as Error).message) }
  const { at, expected, found } = places.problem
  const { line, column } = places.place(at)
  return { path: `line ${line}, column ${column}`, expected: `JSON, here ${expected}`, found }
}

/** Checks a value that was read from a `lab.json` and fills in what it leaves out. Throws LabFileError. */
export function resolveLab(value: unknown): Lab {
  const parsed = labFileSchema.safeParse(value)
  if (!parsed.success) throw new LabFileError(parsed.error.issues.flatMap((issue) => describeIssue(issue, value)))
  const resolver = new Resolver()
  const lab = resolver.lab(parsed.data)
  if (resolver.issues.length > 0) throw new LabFileError(resolver.issues)
  return lab
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let at = value
  for (const part of path) at = (at as Record<PropertyKey, unknown> | null | undefined)?.[part]
  return at
}

const quoted = (values: readonly unknown[]): string => {
  const words = values.map((one) => JSON.stringify(one))
  return words.length === 1 ? words[0] : `${words.slice(0, -1).join(', ')} or ${words[words.length - 1]}`
}

function describeIssue(issue: z.core.$ZodIssue, value: unknown): LabIssue[] {
  const path = describePath(issue.path)
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({
      path: describePath([...issue.path, key]),
      expected: 'no property of this name',
      found: describeFound(valueAt(value, [...issue.path, key])),
    }))
  const found = valueAt(value, issue.path)
  if (issue.code === 'invalid_value') return [{ path, expected: quoted(issue.values), found: describeFound(found) }]
  if (issue.code === 'invalid_union' && issue.discriminator !== undefined) {
    const options = (issue as { options?: readonly unknown[] }).options ?? []
    const isRouter = issue.path[0] === 'nodes' && found === 'router'
    const note = isRouter ? ' (Atoll has no routers yet)' : ''
    return [{ path, expected: quoted(options), found: `${describeFound(found)}${note}` }]
  }
  return [{ path, expected: issue.message, found: describeFound(found) }]
}

/** Turns what is well-formed into what is meant, and gathers what makes no sense. */
class Resolver {
  readonly issues: LabIssue[] = []
  private readonly nodes = new Map<string, Node>()
  private readonly links = new Set<string>()
  private readonly taken = new Set<string>()
  private wrongPatterns = 0

  lab(file: LabFile): Lab {
    const nodes = file.nodes.map((node, index) => this.node(node, index, file.nodes.length))
    const links = this.wires(file)
    const durationNs = this.quantity(file.duration, parseDuration, 'duration') ?? DURATION_NS_DEFAULT
    const timeline = (file.timeline ?? []).map((event, index) => this.event(event, `timeline[${index}]`))
    return {
      name: file.name,
      seed: file.seed ?? SEED_DEFAULT,
      nodes,
      links,
      // Array.prototype.sort keeps the file's order among events of one instant.
      timeline: timeline.sort((one, other) => one.atNs - other.atNs),
      checks: (file.checks ?? []).map((check, index) => this.check(check, `checks[${index}]`, durationNs)),
      durationNs,
    }
  }

  private say(path: string, expected: string, found: unknown): void {
    this.issues.push({ path, expected, found: describeFound(found) })
  }

  private quantity<T>(value: T | undefined, parse: (value: T) => number, path: string): number | undefined {
    if (value === undefined) return undefined
    const parsed = parse(value)
    if (Number.isNaN(parsed)) this.say(path, LOSSLESS, value)
    return parsed
  }

  private node(node: LabFile['nodes'][number], index: number, count: number): Node {
    const path = `nodes[${index}]`
    if (this.nodes.has(node.id)) this.say(`${path}.id`, 'a name that no other node has', node.id)
    const angle = (2 * Math.PI * index) / count
    const position = node.position ?? { x: Math.round(CIRCLE_RADIUS * Math.cos(angle)), y: Math.round(CIRCLE_RADIUS * Math.sin(angle)) }
    const resolved: Node = { id: node.id, kind: node.kind, position }
    if (node.kind === 'machine') {
      const bytes = this.quantity(node.memory, parseSize, `${path}.memory`)
      if (bytes !== undefined && !(bytes >= MEMORY_BYTES_MIN && bytes <= MEMORY_BYTES_MAX))
        this.say(`${path}.memory`, 'between 16MiB and 1GiB', node.memory)
      if (node.program !== undefined) resolved.program = node.program
      if (node.args !== undefined) resolved.args = node.args
      if (bytes !== undefined) resolved.memoryBytes = Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES
      if (node.address !== undefined) resolved.address = node.address
    }
    this.nodes.set(node.id, resolved)
    return resolved
  }

  /** Ports that the file names first, then the others in the file's order. */
  private wires(file: LabFile): Link[] {
    const links = file.links ?? []
    const ends = links.map((link, index) => (['a', 'b'] as const).map((end) => this.namedEnd(link[end], `links[${index}].${end}`)))
    return links.map((link, index) => {
      const path = `links[${index}]`
      const a = ends[index][0] ?? this.freeEnd(link.a, `${path}.a`)
      const b = ends[index][1] ?? this.freeEnd(link.b, `${path}.b`)
      if (a.node === b.node) this.say(`${path}.b`, 'another node than the other end', link.b)
      const id = link.id ?? `${a.node}-${b.node}`
      if (this.links.has(id)) this.say(`${path}.id`, `an id of its own, since another link is called ${id}`, link.id)
      this.links.add(id)
      return { id, a, b, impairments: { ...IMPAIRMENTS_DEFAULT, ...this.impairments(link, path) } }
    })
  }

  private namedEnd(text: string, path: string): LabPort | undefined {
    const [node, portText] = text.split(':')
    if (portText === undefined) return undefined
    const port = Number(portText)
    if (this.isKnown(node, path) && this.nodes.get(node)?.kind === 'machine' && port !== 0)
      this.say(path, 'port 0, the only one of a machine', text)
    if (this.taken.has(`${node}:${port}`)) this.say(path, 'a port that no other link uses', text)
    this.taken.add(`${node}:${port}`)
    return { node, port }
  }

  private freeEnd(node: string, path: string): LabPort {
    let port = 0
    if (this.isKnown(node, path)) {
      while (port < PORT_MAX && this.taken.has(`${node}:${port}`)) port += 1
      const isMachine = this.nodes.get(node)?.kind === 'machine'
      if (this.taken.has(`${node}:${port}`) || (isMachine && port > 0)) this.say(path, 'a node with a free port', node)
      this.taken.add(`${node}:${port}`)
    }
    return { node, port }
  }

  private isKnown(node: string, path: string): boolean {
    if (this.nodes.has(node)) return true
    this.say(path, 'the name of a node', node)
    return false
  }

  private impairments(file: LabFileImpairments, path: string): Partial<Impairments> {
    const result: Partial<Impairments> = {}
    const set = <T>(key: keyof Impairments, name: keyof LabFileImpairments, value: T | undefined, parse: (value: T) => number): void => {
      const number = this.quantity(value, parse, `${path}.${name}`)
      if (number !== undefined) result[key] = number
    }
    set('latencyNs', 'latency', file.latency, parseDuration)
    set('jitterNs', 'jitter', file.jitter, parseDuration)
    set('bandwidthBps', 'bandwidth', file.bandwidth, parseRate)
    set('loss', 'loss', file.loss, parseProbability)
    set('duplicate', 'duplicate', file.duplicate, parseProbability)
    set('reorder', 'reorder', file.reorder, parseProbability)
    set('corrupt', 'corrupt', file.corrupt, parseProbability)
    set('queueBytes', 'queue', file.queue, parseSize)
    if (result.latencyNs !== undefined && result.latencyNs < LATENCY_NS_MIN)
      this.say(`${path}.latency`, `at least ${formatDuration(LATENCY_NS_MIN)}`, file.latency)
    const atMost = (key: keyof Impairments, name: keyof LabFileImpairments, most: number, written: string): void => {
      if ((result[key] ?? 0) > most) this.say(`${path}.${name}`, `at most ${written}`, file[name])
    }
    atMost('latencyNs', 'latency', DELAY_NS_MAX, formatDuration(DELAY_NS_MAX))
    atMost('jitterNs', 'jitter', DELAY_NS_MAX, formatDuration(DELAY_NS_MAX))
    atMost('bandwidthBps', 'bandwidth', BANDWIDTH_BPS_MAX, formatRate(BANDWIDTH_BPS_MAX))
    return result
  }

  private event(event: NonNullable<LabFile['timeline']>[number], path: string): TimelineEvent {
    const atNs = this.quantity(event.at, parseDuration, `${path}.at`) ?? 0
    return { atNs, ...this.action(event, path) }
  }

  private action(event: NonNullable<LabFile['timeline']>[number], path: string): LabAction {
    switch (event.do) {
      case 'cut':
      case 'heal':
        this.linkNamed(event.link, `${path}.link`)
        return { do: event.do, link: event.link }
      case 'change': {
        this.linkNamed(event.link, `${path}.link`)
        const change = this.impairments(event, path)
        if (Object.keys(change).length === 0) this.issues.push({ path, expected: 'something that changes, such as loss', found: 'nothing' })
        return { do: 'change', link: event.link, change }
      }
      case 'boot':
      case 'kill':
        this.machineNamed(event.node, `${path}.node`)
        return { do: event.do, node: event.node }
      case 'type':
        this.machineNamed(event.node, `${path}.node`)
        return { do: 'type', node: event.node, text: event.text }
    }
  }

  private linkNamed(id: string, path: string): void {
    if (!this.links.has(id)) this.say(path, 'the name of a link', id)
  }

  private machineNamed(id: string, path: string): void {
    if (this.nodes.get(id)?.kind !== 'machine') this.say(path, 'the name of a machine', id)
  }

  private pattern(text: string, path: string): void {
    if (this.wrongPatterns === WRONG_PATTERNS_MAX) return
    try {
      compilePattern(text)
    } catch (error) {
      if (!(error instanceof PatternError)) throw error
      this.wrongPatterns += 1
      this.issues.push({ path, expected: REGULAR_EXPRESSION, found: `${describeFound(text)} (${error.message})` })
    }
  }

  private check(check: NonNullable<LabFile['checks']>[number], path: string, durationNs: number): Check {
    this.machineNamed(check.console, `${path}.console`)
    const { contains, matches, lacks } = check
    const said = [contains, matches, lacks].filter((one) => one !== undefined)
    const expected = 'exactly one of contains, matches and lacks'
    if (said.length !== 1) this.issues.push({ path, expected, found: `${said.length || 'none'}` })
    if (matches !== undefined) this.pattern(matches, `${path}.matches`)
    const condition: Check['condition'] =
      contains !== undefined
        ? { kind: 'contains', text: contains }
        : matches !== undefined
          ? { kind: 'matches', pattern: matches }
          : { kind: 'lacks', text: lacks ?? '' }
    const fromNs = this.quantity(check.from, parseDuration, `${path}.from`) ?? 0
    const byNs = this.quantity(check.by, parseDuration, `${path}.by`) ?? durationNs
    if (byNs <= fromNs) this.say(`${path}.by`, `a time after ${formatDuration(fromNs)}`, check.by ?? formatDuration(byNs))
    const words = condition.kind === 'matches' ? `/${condition.pattern}/` : JSON.stringify(condition.text)
    return { name: check.name ?? `${check.console} ${condition.kind} ${words}`, node: check.console, condition, fromNs, byNs }
  }
}
