import type { Connection, NodeChange, OnConnectEnd } from '@xyflow/react'
import {
  applyNodeChanges,
  Background,
  BackgroundVariant,
  ConnectionLineType,
  ConnectionMode,
  MiniMap,
  ReactFlow,
  ReactFlowProvider,
  SelectionMode,
  useReactFlow,
  useStore as useFlowStore,
  useStoreApi,
} from '@xyflow/react'
import type { DragEvent, KeyboardEvent, MouseEvent, ReactElement } from 'react'
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react'
import type { LabLink, LabNode, LabTopology, NodeKind } from '../../protocol/lab.ts'
import { connectProblem, GRID, linksOf, neighbour, peerOf } from '../lab/topology.ts'
import { useStore } from '../state/use-store.ts'
import { IconButton } from '../ui/button.tsx'
import { useApp, useCommand, useI18n } from '../ui/context.tsx'
import type { CanvasEdge, CanvasNode } from './graph.ts'
import { canvasEdges, canvasNodes } from './graph.ts'
import { LinkEdge } from './link-edge.tsx'
import { linkSummary } from './link-look.ts'
import { NodeCard } from './node-card.tsx'
import { CanvasMenu } from './canvas-menu.tsx'
import type { OpenCanvasMenu } from './canvas-menu.tsx'
import { nodeLook } from './use-node-look.ts'

/** What is dragged out of the toolbar: the kind of the node to be. */
export const NODE_MIME = 'application/x-atoll-node'
/** A small network is seen at a glance; a map of it would only be in the way. */
const MINIMAP_NODES_MIN = 16
/** Further away than this, a node shows its name and state only, and these larger. */
const DETAIL_ZOOM_MIN = 0.82
/** Frames within which a node that was added is drawn; later, nobody waits for it any more. */
const MEASURE_FRAMES_MAX = 30
const NODE_TYPES = { lab: NodeCard }
const EDGE_TYPES = { link: LinkEdge }
const ARROWS: Record<string, 'left' | 'right' | 'up' | 'down'> = {
  ArrowLeft: 'left',
  ArrowRight: 'right',
  ArrowUp: 'up',
  ArrowDown: 'down',
}

export interface CanvasProps {
  topology: LabTopology
  onInspect: () => void
}

/** The drawing of the lab. */
export function Canvas(props: CanvasProps): ReactElement {
  return (
    <ReactFlowProvider>
      <Flow {...props} />
    </ReactFlowProvider>
  )
}

function Flow({ topology, onInspect }: CanvasProps): ReactElement {
  const { workbench, theme } = useApp()
  const bench = workbench.lab
  const i18n = useI18n()
  const { t } = i18n
  const flow = useReactFlow<CanvasNode, CanvasEdge>()
  const selection = useStore(bench.selection)
  const themeName = useStore(theme)
  const isFar = useFlowStore(({ transform }) => transform[2] < DETAIL_ZOOM_MIN)
  const status = useStore(bench.lab.store, (view) => view.status)
  const ref = useRef<HTMLDivElement>(null)
  const [menu, setMenu] = useState<OpenCanvasMenu | null>(null)
  const [nodes, setNodes] = useState<CanvasNode[]>([])

  const nodeLabel = useCallback(
    (node: LabNode) => {
      const peers = linksOf(topology, node.id).map((link) => peerOf(link, node.id))
      const state =
        node.kind === 'machine'
          ? nodeLook(
              status.machines.find((machine) => machine.node === node.id),
              i18n,
            ).label
          : ''
      const wires = peers.length === 0 ? t('lab.node.unwired') : t('lab.node.wiredTo', { peers: peers.join(', ') })
      return [node.id, t(`lab.kind.${node.kind}`), state, wires].filter(Boolean).join(', ')
    },
    [topology, status.machines, i18n, t],
  )
  const cut = useMemo(() => new Set(status.links.filter(({ isCut }) => isCut).map(({ link }) => link)), [status.links])
  const linkLabel = useCallback(
    (link: LabLink) =>
      [t('lab.link.label', { a: link.a.node, b: link.b.node }), cut.has(link.id) ? t('lab.link.isCut') : '', linkSummary(link, i18n)]
        .filter(Boolean)
        .join(', '),
    [cut, i18n, t],
  )
  useLayoutEffect(() => setNodes((current) => canvasNodes(current, topology, selection, nodeLabel)), [topology, selection, nodeLabel])
  const edges = useMemo(() => canvasEdges(topology, selection, linkLabel), [topology, selection, linkLabel])

  useCanvasView(ref, onInspect)

  const onNodesChange = (changes: NodeChange<CanvasNode>[]): void => {
    const chosen = new Set(bench.selection.get().nodes)
    const moved = new Map<string, { x: number; y: number }>()
    for (const change of changes) {
      if (change.type === 'select') {
        if (change.selected) chosen.add(change.id)
        else chosen.delete(change.id)
      } else if (change.type === 'position' && change.position && change.dragging === false) moved.set(change.id, change.position)
    }
    if (changes.some(({ type }) => type === 'select')) bench.select(chosen, bench.selection.get().links)
    setNodes((current) =>
      applyNodeChanges(
        changes.filter(({ type }) => type !== 'select' && type !== 'remove'),
        current,
      ),
    )
    if (moved.size > 0) bench.move(moved)
  }

  const onConnectEnd: OnConnectEnd = (_, { fromNode, toNode, isValid }) => {
    // What fits was wired by `onConnect`; of the rest, say why.
    if (fromNode && toNode && !isValid && fromNode.id !== toNode.id) bench.connect(fromNode.id, toNode.id)
  }

  const onKeyDown = (event: KeyboardEvent): void => {
    const direction = ARROWS[event.key]
    if (direction !== undefined && event.altKey) {
      const from = focusedNode(ref.current) ?? [...selection.nodes][0] ?? topology.nodes[0]?.id
      const next = from === undefined ? null : neighbour(topology, from, direction)
      if (next !== null) bench.canvas?.focusNode(next)
    } else if (event.key === 'ContextMenu' || (event.key === 'F10' && event.shiftKey)) {
      const target = document.activeElement as HTMLElement
      const { left, bottom } = target.getBoundingClientRect()
      openMenu(event, focusedNode(ref.current), focusedEdge(ref.current), left + 16, bottom)
    } else return
    event.preventDefault()
    event.stopPropagation()
  }

  const openMenu = (event: { preventDefault: () => void }, node: string | null, link: string | null, x: number, y: number): void => {
    event.preventDefault()
    if (node !== null && !bench.selection.get().nodes.has(node)) bench.select([node])
    else if (link !== null && !bench.selection.get().links.has(link)) bench.select([], [link])
    setMenu({ kind: node !== null ? 'node' : link !== null ? 'link' : 'pane', x, y, at: flow.screenToFlowPosition({ x, y }) })
  }
  const closeMenu = useCallback(() => setMenu(null), [])

  const onDrop = (event: DragEvent): void => {
    const kind = event.dataTransfer.getData(NODE_MIME) as NodeKind | ''
    if (kind === '') return
    event.preventDefault()
    bench.add(kind, flow.screenToFlowPosition({ x: event.clientX, y: event.clientY }))
  }

  return (
    <div ref={ref} className={isFar ? 'canvas canvas-far' : 'canvas'} data-canvas data-autofocus tabIndex={-1} onKeyDownCapture={onKeyDown}>
      <ReactFlow<CanvasNode, CanvasEdge>
        nodes={nodes}
        edges={edges}
        nodeTypes={NODE_TYPES}
        edgeTypes={EDGE_TYPES}
        nodeOrigin={[0.5, 0.5]}
        colorMode={themeName}
        aria-label={t('lab.canvas')}
        ariaLabelConfig={{
          'node.a11yDescription.default': t('lab.canvas.nodeHelp'),
          'node.a11yDescription.keyboardDisabled': t('lab.canvas.nodeHelp'),
          'node.a11yDescription.ariaLiveMessage': ({ x, y }) => t('lab.canvas.moved', { x: Math.round(x), y: Math.round(y) }),
          'edge.a11yDescription.default': t('lab.canvas.edgeHelp'),
          'minimap.ariaLabel': t('lab.canvas.minimap'),
        }}
        connectionMode={ConnectionMode.Loose}
        connectionLineType={ConnectionLineType.Straight}
        connectionRadius={48}
        isValidConnection={({ source, target }) => connectProblem(topology, source, target) === null}
        onNodesChange={onNodesChange}
        onEdgesChange={(changes) => {
          const chosen = new Set(bench.selection.get().links)
          for (const change of changes) {
            if (change.type !== 'select') continue
            if (change.selected) chosen.add(change.id)
            else chosen.delete(change.id)
          }
          bench.select(bench.selection.get().nodes, chosen)
        }}
        onConnect={({ source, target }: Connection) => bench.connect(source, target)}
        onConnectEnd={onConnectEnd}
        onNodeDoubleClick={(_, { data: { node } }) =>
          node.kind === 'machine' ? bench.openConsole(node.id) : bench.canvas?.focusInspector()
        }
        onEdgeDoubleClick={() => bench.canvas?.focusInspector()}
        onPaneContextMenu={(event) => openMenu(event, null, null, event.clientX, event.clientY)}
        onNodeContextMenu={(event, { id }) => openMenu(event, id, null, event.clientX, event.clientY)}
        onEdgeContextMenu={(event, { id }) => openMenu(event, null, id, event.clientX, event.clientY)}
        onSelectionContextMenu={(event: MouseEvent, [node]) => openMenu(event, node?.id ?? null, null, event.clientX, event.clientY)}
        onDragOver={(event) => {
          if (!event.dataTransfer.types.includes(NODE_MIME)) return
          event.preventDefault()
          event.dataTransfer.dropEffect = 'copy'
        }}
        onDrop={onDrop}
        snapToGrid
        snapGrid={[GRID, GRID]}
        minZoom={0.25}
        maxZoom={2}
        fitView
        fitViewOptions={FIT}
        deleteKeyCode={null}
        selectionMode={SelectionMode.Partial}
        zoomOnDoubleClick={false}
        elevateEdgesOnSelect
        proOptions={{ hideAttribution: true }}
      >
        <Background variant={BackgroundVariant.Dots} gap={GRID} size={1.4} />
        {topology.nodes.length >= MINIMAP_NODES_MIN && <MiniMap pannable zoomable />}
      </ReactFlow>
      <ZoomControls />
      {menu && <CanvasMenu menu={menu} onClose={closeMenu} />}
    </div>
  )
}

const FIT = { padding: 0.22, maxZoom: 1.15 }

function ZoomControls(): ReactElement {
  const { workbench } = useApp()
  const { t } = useI18n()
  const { zoomIn, zoomOut, fit } = workbench.commands.lab
  const [closer, further, all] = [useCommand(zoomIn), useCommand(zoomOut), useCommand(fit)]
  return (
    <div className="canvas-zoom" role="group" aria-label={t('lab.canvas.zoom')}>
      <IconButton icon="plus" label={closer.label} title={closer.tooltip} onClick={closer.run} />
      <IconButton icon="minus" label={further.label} title={further.tooltip} onClick={further.run} />
      <IconButton icon="fit" label={all.label} title={all.tooltip} onClick={all.run} />
    </div>
  )
}

/** Lends the bench what only the canvas can do, as long as it is there. */
function useCanvasView(ref: { current: HTMLDivElement | null }, onInspect: () => void): void {
  const { workbench } = useApp()
  const bench = workbench.lab
  const flow = useReactFlow<CanvasNode, CanvasEdge>()
  const store = useStoreApi()
  useEffect(() => {
    const duration = (): number => (window.matchMedia('(prefers-reduced-motion: reduce)').matches ? 0 : 160)
    const detach = bench.attachCanvas({
      center: () => {
        const box = ref.current!.getBoundingClientRect()
        return flow.screenToFlowPosition({ x: box.left + box.width / 2, y: box.top + box.height / 2 })
      },
      focus: () => ref.current?.focus(),
      fit: () => void flow.fitView({ ...FIT, duration: duration() }),
      zoom: (step) => void (step === 1 ? flow.zoomIn({ duration: duration() }) : flow.zoomOut({ duration: duration() })),
      focusNode: (id) => whenDrawn(id, MEASURE_FRAMES_MAX),
      keepFocus: (change) => {
        const hadFocus = ref.current!.contains(document.activeElement)
        change()
        if (!hadFocus) return
        requestAnimationFrame(() => {
          // What had the focus is gone with its element, and keys would go nowhere.
          if (document.activeElement === document.body) ref.current?.focus()
        })
      },
      focusInspector: () => {
        const node = focusedNode(ref.current)
        const link = focusedEdge(ref.current)
        if (node !== null && !bench.selection.get().nodes.has(node)) bench.select([node])
        else if (link !== null && !bench.selection.get().links.has(link)) bench.select([], [link])
        onInspect()
      },
    })
    /** A node that was just added is drawn and measured some frames later. */
    function whenDrawn(id: string, frames: number): void {
      requestAnimationFrame(() => {
        if (!flow.getInternalNode(id)?.measured.width) {
          if (frames > 0) whenDrawn(id, frames - 1)
          return
        }
        ref.current?.querySelector<HTMLElement>(`.react-flow__node[data-id="${CSS.escape(id)}"]`)?.focus()
        bringIntoView(id)
      })
    }
    function bringIntoView(id: string): void {
      const node = flow.getInternalNode(id)
      const { width, height, transform } = store.getState()
      if (!node?.measured.width) return
      const [x, y, zoom] = transform
      const left = node.internals.positionAbsolute.x * zoom + x
      const top = node.internals.positionAbsolute.y * zoom + y
      const isInside = left >= 0 && top >= 0 && left + node.measured.width * zoom <= width && top + node.measured.height! * zoom <= height
      if (!isInside) void flow.fitView({ ...FIT, duration: duration() })
    }
    return detach
  }, [bench, flow, store, ref, onInspect])
}

function focusedNode(canvas: HTMLElement | null): string | null {
  const node = document.activeElement?.closest<HTMLElement>('.react-flow__node')
  return node && canvas?.contains(node) ? (node.dataset['id'] ?? null) : null
}

function focusedEdge(canvas: HTMLElement | null): string | null {
  const edge = document.activeElement?.closest<SVGElement>('.react-flow__edge')
  return edge && canvas?.contains(edge) ? (edge.dataset['id'] ?? null) : null
}
