import { LabFileError } from '../../../engine/lab/file/errors.ts'
import { labFile } from '../../../engine/lab/file/format.ts'
import { resolveLab } from '../../../engine/lab/file/parse.ts'
import type { Impairments, Lab, Link, Node } from '../../../engine/lab/lab.ts'
import type { LiveAction } from '../../../engine/lab/run/coordinator.ts'
import type { LabTopology } from '../../../protocol/lab.ts'
import { UserError } from '../errors.ts'

/** Of a lab that nobody has named yet. */
const NAME_DEFAULT = 'my-lab'

export const EMPTY_LAB: Lab = resolveLab({ version: 1, name: NAME_DEFAULT, nodes: [] })

export const topologyOf = ({ name, seed, nodes, links }: Lab): LabTopology => ({ name, seed, nodes, links })

/**
 * A lab with another topology. Events and checks of what is gone go with it. Throws a UserError that names the place, as it would be
 * named in `lab.json`, what was expected and what was found.
 */
export function withTopology(lab: Lab, topology: LabTopology): Lab {
  const nodes = new Set(topology.nodes.filter(({ kind }) => kind === 'machine').map(({ id }) => id))
  const links = new Set(topology.links.map(({ id }) => id))
  const changed: Lab = {
    ...lab,
    ...topology,
    name: topology.name.trim() || NAME_DEFAULT,
    timeline: lab.timeline.filter((event) => ('link' in event ? links.has(event.link) : nodes.has(event.node))),
    checks: lab.checks.filter(({ node }) => nodes.has(node)),
  }
  try {
    // The rules are the file's, and written once.
    return resolveLab(labFile(changed))
  } catch (error) {
    if (error instanceof LabFileError) throw new UserError(error.message)
    throw error
  }
}

const isSame = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other)

/** What has to be done to a running lab so that it becomes another; machines that stay keep running. */
export function difference(before: Lab, after: Lab): LiveAction[] {
  const byId = <T extends { id: string }>(list: readonly T[]): Map<string, T> => new Map(list.map((one) => [one.id, one]))
  const [nodesBefore, nodesAfter] = [byId<Node>(before.nodes), byId<Node>(after.nodes)]
  const [linksBefore, linksAfter] = [byId<Link>(before.links), byId<Link>(after.links)]
  const isNewNode = (id: string): boolean => nodesBefore.get(id)?.kind !== nodesAfter.get(id)?.kind
  const isNewLink = (id: string): boolean => {
    const [one, other] = [linksBefore.get(id), linksAfter.get(id)]
    if (one === undefined || other === undefined) return true
    return !isSame([one.a, one.b], [other.a, other.b]) || [other.a, other.b].some(({ node }) => isNewNode(node))
  }
  const actions: LiveAction[] = []
  for (const { id } of before.links) if (isNewLink(id)) actions.push({ do: 'remove-link', link: id })
  for (const { id } of before.nodes) if (isNewNode(id)) actions.push({ do: 'remove-node', node: id })
  for (const { id, kind } of after.nodes) if (isNewNode(id)) actions.push({ do: 'add-node', node: { id, kind } })
  for (const link of after.links) {
    if (isNewLink(link.id)) actions.push({ do: 'add-link', link })
    else {
      const change = changeOf(linksBefore.get(link.id)?.impairments, link.impairments)
      if (change !== undefined) actions.push({ do: 'change', link: link.id, change })
    }
  }
  return actions
}

function changeOf(before: Impairments | undefined, after: Impairments): Partial<Impairments> | undefined {
  const changed = Object.entries(after).filter(([key, value]) => before?.[key as keyof Impairments] !== value)
  return changed.length === 0 ? undefined : Object.fromEntries(changed)
}
