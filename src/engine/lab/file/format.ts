import type { Check, Impairments, Lab, LabPort, Link, Node, TimelineEvent } from '../lab.ts'
import { IMPAIRMENTS_DEFAULT } from '../lab.ts'
import { formatDuration, formatRate, formatSize } from './quantities.ts'
import type { LabFile, LabFileImpairments } from './schema.ts'
import { LAB_VERSION } from './schema.ts'

/** The text of a `lab.json` that `parseLab` reads as the same lab. Short values stay on one line, so that two versions compare well. */
export function formatLab(lab: Lab): string {
  const file = labFile(lab)
  const lines: string[] = []
  for (const [key, value] of Object.entries(file)) {
    const name = JSON.stringify(key)
    if (!Array.isArray(value)) lines.push(`  ${name}: ${inline(value)}`)
    else if (value.length === 0) lines.push(`  ${name}: []`)
    else lines.push(`  ${name}: [\n${value.map((item) => `    ${inline(item)}`).join(',\n')}\n  ]`)
  }
  return `{\n${lines.join(',\n')}\n}\n`
}

function inline(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(inline).join(', ')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const entries = Object.entries(value).filter(([, one]) => one !== undefined)
  return `{ ${entries.map(([key, one]) => `${JSON.stringify(key)}: ${inline(one)}`).join(', ')} }`
}

/** The value of a `lab.json` that `resolveLab` reads as the same lab. */
export function labFile(lab: Lab): LabFile {
  const { name, seed, durationNs } = lab
  const file: LabFile = { version: LAB_VERSION, name, seed, duration: formatDuration(durationNs), nodes: lab.nodes.map(nodeOf) }
  if (lab.links.length > 0) file.links = lab.links.map(linkOf)
  if (lab.timeline.length > 0) file.timeline = lab.timeline.map(eventOf)
  if (lab.checks.length > 0) file.checks = lab.checks.map(checkOf)
  return file
}

function nodeOf({ id, kind, position, program, args, memoryBytes, address }: Node): LabFile['nodes'][number] {
  if (kind !== 'machine') return { id, kind, position }
  return { id, kind, program, args, memory: memoryBytes === undefined ? undefined : formatSize(memoryBytes), address, position }
}

const endOf = ({ node, port }: LabPort): string => `${node}:${port}`

function linkOf({ id, a, b, impairments }: Link): NonNullable<LabFile['links']>[number] {
  const own = Object.entries(impairments).filter(([key, value]) => value !== IMPAIRMENTS_DEFAULT[key as keyof Impairments])
  return { id, a: endOf(a), b: endOf(b), ...impairmentsOf(Object.fromEntries(own)) }
}

function impairmentsOf(change: Partial<Impairments>): LabFileImpairments {
  const { latencyNs, jitterNs, bandwidthBps, queueBytes, loss, duplicate, reorder, corrupt } = change
  return {
    latency: latencyNs === undefined ? undefined : formatDuration(latencyNs),
    jitter: jitterNs === undefined ? undefined : formatDuration(jitterNs),
    bandwidth: bandwidthBps === undefined ? undefined : formatRate(bandwidthBps),
    queue: queueBytes === undefined ? undefined : formatSize(queueBytes),
    loss,
    duplicate,
    reorder,
    corrupt,
  }
}

function eventOf(event: TimelineEvent): NonNullable<LabFile['timeline']>[number] {
  const at = formatDuration(event.atNs)
  switch (event.do) {
    case 'cut':
    case 'heal':
      return { at, do: event.do, link: event.link }
    case 'change':
      return { at, do: 'change', link: event.link, ...impairmentsOf(event.change) }
    case 'boot':
    case 'kill':
      return { at, do: event.do, node: event.node }
    case 'type':
      return { at, do: 'type', node: event.node, text: event.text }
  }
}

function checkOf({ name, node, condition, fromNs, byNs }: Check): NonNullable<LabFile['checks']>[number] {
  const said = condition.kind === 'matches' ? { matches: condition.pattern } : { [condition.kind]: condition.text }
  return { name, console: node, ...said, from: fromNs === 0 ? undefined : formatDuration(fromNs), by: formatDuration(byNs) }
}
