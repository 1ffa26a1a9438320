import type { Edge, Node } from '@xyflow/react'
import type { LabLink, LabNode, LabTopology } from '../../protocol/lab.ts'
import type { Selection } from '../lab/lab-bench.ts'

export type CanvasNode = Node<{ node: LabNode }, 'lab'>
export type CanvasEdge = Edge<{ link: LabLink }, 'link'>

/**
 * The canvas's nodes for a topology. What React Flow measured and is dragging stays as it is, objects that say the same are the same,
 * so that only what changed is drawn again.
 */
export function canvasNodes(
  current: readonly CanvasNode[],
  topology: LabTopology,
  selection: Selection,
  label: (node: LabNode) => string,
): CanvasNode[] {
  const byId = new Map(current.map((node) => [node.id, node]))
  return topology.nodes.map((node) => {
    const before = byId.get(node.id)
    const selected = selection.nodes.has(node.id)
    const ariaLabel = label(node)
    const isSamePlace = before?.data.node.position === node.position
    if (before && before.data.node === node && before.selected === selected && before.ariaLabel === ariaLabel) return before
    return {
      ...before,
      id: node.id,
      type: 'lab',
      position: before && (isSamePlace || before.dragging) ? before.position : node.position,
      data: { node },
      selected,
      ariaLabel,
    }
  })
}

export function canvasEdges(topology: LabTopology, selection: Selection, label: (link: LabLink) => string): CanvasEdge[] {
  return topology.links.map((link) => ({
    id: link.id,
    type: 'link',
    source: link.a.node,
    target: link.b.node,
    data: { link },
    selected: selection.links.has(link.id),
    ariaLabel: label(link),
    // Above its neighbours while it is looked at.
    zIndex: selection.links.has(link.id) ? 1 : 0,
  }))
}
