import type { LabLink, LabNode, LabTopology, LinkImpairments, NodeKind, NodePosition } from '../../protocol/lab.ts'
import { nextAddress } from './address.ts'

/** The canvas's grid, in its units. */
export const GRID = 20
/** Distances at which nodes are put beside and below one another: room for a cable and what is written on it. */
const COLUMN = GRID * 14
const ROW = GRID * 8
/** How far a copy stands from what it copies. */
const COPY_OFFSET = GRID * 2
/** A machine has one network card. */
const MACHINE_PORTS = 1
const NAME_LENGTH_MAX = 63
/** The cast of every text on protocols. */
const MACHINE_NAMES = [
  'alice',
  'bob',
  'carol',
  'dave',
  'erin',
  'frank',
  'grace',
  'heidi',
  'ivan',
  'judy',
  'mallory',
  'niaj',
  'olivia',
  'peggy',
]

const MS = 1_000_000

const CLEAN: LinkImpairments = {
  latencyNs: MS,
  jitterNs: 0,
  bandwidthBps: 100_000_000,
  loss: 0,
  duplicate: 0,
  reorder: 0,
  corrupt: 0,
  queueBytes: 131_072,
}

/** Links as one meets them; numbers are round, orders of magnitude are right. A cable is what a file means that says nothing of it. */
export const LINK_PRESETS = {
  cable: CLEAN,
  wifi: { ...CLEAN, latencyNs: 3 * MS, jitterNs: 2 * MS, bandwidthBps: 50_000_000, loss: 0.01, reorder: 0.002 },
  mobile: { ...CLEAN, latencyNs: 40 * MS, jitterNs: 15 * MS, bandwidthBps: 10_000_000, loss: 0.005 },
  satellite: { ...CLEAN, latencyNs: 270 * MS, jitterNs: 10 * MS, bandwidthBps: 5_000_000, loss: 0.002 },
  storm: {
    ...CLEAN,
    latencyNs: 60 * MS,
    jitterNs: 40 * MS,
    bandwidthBps: 250_000,
    loss: 0.2,
    duplicate: 0.02,
    reorder: 0.1,
    corrupt: 0.01,
  },
} as const satisfies Record<string, LinkImpairments>
export type LinkPreset = keyof typeof LINK_PRESETS

export function presetOf(impairments: LinkImpairments): LinkPreset | null {
  const keys = Object.keys(CLEAN) as (keyof LinkImpairments)[]
  const names = Object.keys(LINK_PRESETS) as LinkPreset[]
  return names.find((name) => keys.every((key) => LINK_PRESETS[name][key] === impairments[key])) ?? null
}

/** Equal in all that a file would keep. */
export function isSameTopology(a: LabTopology, b: LabTopology): boolean {
  return a === b || canonical(a) === canonical(b)
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  )
}

export function findNode(topology: LabTopology, id: string): LabNode | undefined {
  return topology.nodes.find((node) => node.id === id)
}

export function findLink(topology: LabTopology, id: string): LabLink | undefined {
  return topology.links.find((link) => link.id === id)
}

export function linksOf(topology: LabTopology, node: string): LabLink[] {
  return topology.links.filter(({ a, b }) => a.node === node || b.node === node)
}

/** The node at the other end. */
export function peerOf(link: LabLink, node: string): string {
  return link.a.node === node ? link.b.node : link.a.node
}

export type NameProblem = 'empty' | 'character' | 'length' | 'taken'

/** Why `name` cannot be a node's name, which is a host's name too (RFC 1123, 2.1); null when it can. */
export function nodeNameProblem(topology: LabTopology, name: string, current?: string): NameProblem | null {
  if (name === '') return 'empty'
  if (!/^[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?$/.test(name)) return 'character'
  if (name.length > NAME_LENGTH_MAX) return 'length'
  return name !== current && topology.nodes.some((node) => node.id === name) ? 'taken' : null
}

function freeId(taken: ReadonlySet<string>, base: string, first: number): string {
  for (let number = first; ; number++) if (!taken.has(`${base}-${number}`)) return `${base}-${number}`
}

/** A name that nobody has: people for machines, numbers for the rest. */
export function freeNodeId(topology: LabTopology, kind: NodeKind): string {
  const taken = new Set(topology.nodes.map(({ id }) => id))
  const person = kind === 'machine' ? MACHINE_NAMES.find((name) => !taken.has(name)) : undefined
  return person ?? freeId(taken, kind, 1)
}

function freeLinkId(topology: LabTopology): string {
  return freeId(new Set(topology.links.map(({ id }) => id)), 'link', 1)
}

export function freePort(topology: LabTopology, node: string): number {
  const taken = new Set(
    topology.links
      .flatMap(({ a, b }) => [a, b])
      .filter((end) => end.node === node)
      .map(({ port }) => port),
  )
  for (let port = 0; ; port++) if (!taken.has(port)) return port
}

export function snap({ x, y }: NodePosition): NodePosition {
  return { x: Math.round(x / GRID) * GRID, y: Math.round(y / GRID) * GRID }
}

/** A place near `wanted` where nothing stands. */
export function freePlace(topology: LabTopology, wanted: NodePosition): NodePosition {
  const at = snap(wanted)
  const isTaken = ({ x, y }: NodePosition): boolean =>
    topology.nodes.some(({ position }) => Math.abs(position.x - x) < COLUMN - GRID && Math.abs(position.y - y) < ROW - GRID)
  for (let ring = 0; ring <= topology.nodes.length; ring++) {
    const steps = [-ring, ring === 0 ? 0 : ring].flatMap((edge) =>
      Array.from({ length: ring * 2 + 1 }, (_, i) => i - ring).flatMap((along) => [
        [along, edge],
        [edge, along],
      ]),
    )
    // Beside before below: a row of machines reads better than a column.
    const places = steps
      .map(([column, row]) => ({ x: at.x + column * COLUMN, y: at.y + row * ROW }))
      .sort((a, b) => Math.abs(a.y - at.y) - Math.abs(b.y - at.y) || Math.abs(a.x - at.x) - Math.abs(b.x - at.x) || b.x - a.x || b.y - a.y)
    const free = places.find((place) => !isTaken(place))
    if (free) return free
  }
  return at
}

export function addNode(topology: LabTopology, kind: NodeKind, position: NodePosition, properties: Partial<LabNode> = {}): LabTopology {
  const node: LabNode = { ...properties, id: freeNodeId(topology, kind), kind, position: snap(position) }
  return { ...topology, nodes: [...topology.nodes, node] }
}

export type ConnectProblem = 'self' | 'connected' | 'full-a' | 'full-b'

/** Why no cable fits between the two; null when one does. */
export function connectProblem(topology: LabTopology, a: string, b: string): ConnectProblem | null {
  if (a === b) return 'self'
  if (linksOf(topology, a).some((link) => peerOf(link, a) === b)) return 'connected'
  const isFull = (id: string): boolean => findNode(topology, id)?.kind === 'machine' && linksOf(topology, id).length >= MACHINE_PORTS
  if (isFull(a)) return 'full-a'
  return isFull(b) ? 'full-b' : null
}

export function connect(topology: LabTopology, a: string, b: string, impairments: LinkImpairments = CLEAN): LabTopology {
  if (connectProblem(topology, a, b) !== null) return topology
  const link: LabLink = {
    id: freeLinkId(topology),
    a: { node: a, port: freePort(topology, a) },
    b: { node: b, port: freePort(topology, b) },
    impairments,
  }
  return { ...topology, links: [...topology.links, link] }
}

export function moveNodes(topology: LabTopology, places: ReadonlyMap<string, NodePosition>): LabTopology {
  const nodes = topology.nodes.map((node) => {
    const place = places.get(node.id)
    return place && (place.x !== node.position.x || place.y !== node.position.y) ? { ...node, position: place } : node
  })
  return nodes.every((node, i) => node === topology.nodes[i]) ? topology : { ...topology, nodes }
}

/** What is undefined in `change` is left out of the node, as the file leaves it out. */
export function changeNode(topology: LabTopology, id: string, change: Partial<Omit<LabNode, 'id' | 'kind'>>): LabTopology {
  return {
    ...topology,
    nodes: topology.nodes.map((node) =>
      node.id === id
        ? (Object.fromEntries(Object.entries({ ...node, ...change }).filter(([, value]) => value !== undefined)) as unknown as LabNode)
        : node,
    ),
  }
}

export function renameNode(topology: LabTopology, from: string, to: string): LabTopology {
  if (from === to || nodeNameProblem(topology, to, from) !== null) return topology
  const renamed = (end: LabLink['a']): LabLink['a'] => (end.node === from ? { ...end, node: to } : end)
  return {
    ...topology,
    nodes: topology.nodes.map((node) => (node.id === from ? { ...node, id: to } : node)),
    links: topology.links.map((link) => ({ ...link, a: renamed(link.a), b: renamed(link.b) })),
  }
}

export function changeLinks(topology: LabTopology, ids: ReadonlySet<string>, change: Partial<LinkImpairments>): LabTopology {
  return {
    ...topology,
    links: topology.links.map((link) => (ids.has(link.id) ? { ...link, impairments: { ...link.impairments, ...change } } : link)),
  }
}

/** Without these, and without the cables that would hang loose. */
export function remove(topology: LabTopology, nodes: ReadonlySet<string>, links: ReadonlySet<string>): LabTopology {
  const keptNodes = topology.nodes.filter(({ id }) => !nodes.has(id))
  const keptLinks = topology.links.filter(({ id, a, b }) => !links.has(id) && !nodes.has(a.node) && !nodes.has(b.node))
  if (keptNodes.length === topology.nodes.length && keptLinks.length === topology.links.length) return topology
  return { ...topology, nodes: keptNodes, links: keptLinks }
}

/** Nodes and the cables between them. */
export type Fragment = Pick<LabTopology, 'nodes' | 'links'>

export function copy(topology: LabTopology, nodes: ReadonlySet<string>): Fragment {
  return {
    nodes: topology.nodes.filter(({ id }) => nodes.has(id)),
    links: topology.links.filter(({ a, b }) => nodes.has(a.node) && nodes.has(b.node)),
  }
}

export interface Pasted {
  topology: LabTopology
  nodes: ReadonlySet<string>
}

/** Puts a copy beside the original, under names and addresses of its own. `times` counts the pastes of one copy, from 1. */
export function paste(topology: LabTopology, fragment: Fragment, times: number): Pasted {
  const names = new Map<string, string>()
  const taken = new Set(topology.nodes.map(({ id }) => id))
  const addresses = new Set(topology.nodes.flatMap(({ address }) => (address === undefined ? [] : [address])))
  let result = topology
  for (const node of fragment.nodes) {
    const id = taken.has(node.id) ? freeId(taken, node.id.replace(/-\d+$/, ''), 2) : node.id
    taken.add(id)
    names.set(node.id, id)
    const { address: original, ...rest } = node
    const address = original !== undefined && addresses.has(original) ? nextAddress(original, addresses) : original
    if (address !== undefined) addresses.add(address)
    const position = { x: node.position.x + COPY_OFFSET * times, y: node.position.y + COPY_OFFSET * times }
    result = { ...result, nodes: [...result.nodes, { ...rest, id, position, ...(address !== undefined && { address }) }] }
  }
  for (const { a, b, impairments } of fragment.links) result = connect(result, names.get(a.node)!, names.get(b.node)!, impairments)
  return { topology: result, nodes: new Set(names.values()) }
}

export type Alignment = 'row' | 'column' | 'spread-row' | 'spread-column'

/** Lines the nodes up with their middle, or gives them equal distances between the outermost two. */
export function align(topology: LabTopology, ids: ReadonlySet<string>, alignment: Alignment): LabTopology {
  const nodes = topology.nodes.filter(({ id }) => ids.has(id))
  const axis = alignment === 'row' || alignment === 'spread-column' ? 'y' : 'x'
  if (nodes.length < 2) return topology
  const values = nodes.map(({ position }) => position[axis])
  const [low, high] = [Math.min(...values), Math.max(...values)]
  const places = new Map<string, NodePosition>()
  if (alignment === 'row' || alignment === 'column') {
    for (const { id, position } of nodes) places.set(id, snap({ ...position, [axis]: (low + high) / 2 }))
  } else {
    const sorted = nodes.toSorted((a, b) => a.position[axis] - b.position[axis])
    sorted.forEach(({ id, position }, index) =>
      places.set(id, snap({ ...position, [axis]: low + ((high - low) * index) / (sorted.length - 1) })),
    )
  }
  return moveNodes(topology, places)
}

export type Warning = { kind: 'loop'; links: string[] } | { kind: 'address-taken'; address: string; nodes: string[] }

/** What will run, and surprise: a loop of switches carries a broadcast for ever, two hosts of one address answer for each other. */
export function warnings(topology: LabTopology): Warning[] {
  const found: Warning[] = []
  const roots = new Map<string, string>()
  const rootOf = (id: string): string => {
    let root = id
    for (let parent = roots.get(root); parent !== undefined; parent = roots.get(root)) root = parent
    return root
  }
  const closing: string[] = []
  for (const { id, a, b } of topology.links) {
    const [left, right] = [rootOf(a.node), rootOf(b.node)]
    if (left === right) closing.push(id)
    else roots.set(left, right)
  }
  if (closing.length > 0) found.push({ kind: 'loop', links: closing })
  const byAddress = new Map<string, string[]>()
  for (const { id, address } of topology.nodes) {
    if (address === undefined) continue
    const host = address.split('/')[0]
    byAddress.set(host, [...(byAddress.get(host) ?? []), id])
  }
  for (const [address, nodes] of byAddress) if (nodes.length > 1) found.push({ kind: 'address-taken', address, nodes })
  return found
}

/** The node nearest to `from` in a direction, for the arrow keys: within the quadrant, straight ahead before aside. */
export function neighbour(topology: LabTopology, from: string, direction: 'left' | 'right' | 'up' | 'down'): string | null {
  const origin = findNode(topology, from)?.position
  if (!origin) return null
  const [dx, dy] = { left: [-1, 0], right: [1, 0], up: [0, -1], down: [0, 1] }[direction]
  let best: { id: string; cost: number } | null = null
  for (const { id, position } of topology.nodes) {
    if (id === from) continue
    const [x, y] = [position.x - origin.x, position.y - origin.y]
    const ahead = x * dx + y * dy
    const aside = Math.abs(x * dy) + Math.abs(y * dx)
    if (ahead <= 0 || aside > ahead * 2) continue
    const cost = ahead + aside * 2
    if (!best || cost < best.cost) best = { id, cost }
  }
  return best?.id ?? null
}
