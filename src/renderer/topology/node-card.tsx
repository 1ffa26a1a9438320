import type { NodeProps } from '@xyflow/react'
import { Handle, Position } from '@xyflow/react'
import type { ReactElement } from 'react'
import type { LabNode } from '../../protocol/lab.ts'
import { linksOf } from '../lab/topology.ts'
import { baseName } from '../state/paths.ts'
import { useStore } from '../state/use-store.ts'
import { useApp, useI18n } from '../ui/context.tsx'
import { Icon } from '../ui/icons.tsx'
import { Ring } from '../ui/ring.tsx'
import type { CanvasNode } from './graph.ts'
import { useNodeLook } from './use-node-look.ts'

const SIDES = [Position.Top, Position.Right, Position.Bottom, Position.Left]

/** A node on the canvas: a machine shows its state by ring, colour and word; switches and hubs have shapes of their own. */
export function NodeCard({ data: { node } }: NodeProps<CanvasNode>): ReactElement {
  return (
    <>
      {node.kind === 'machine' ? <MachineCard node={node} /> : <DeviceCard node={node} />}
      {SIDES.map((side) => (
        <Handle key={side} id={side} type="source" position={side} className="node-port" aria-hidden="true" />
      ))}
    </>
  )
}

function MachineCard({ node }: { node: LabNode }): ReactElement {
  const { workbench } = useApp()
  const { t } = useI18n()
  const look = useNodeLook(node.id)
  const isRestarted = useStore(workbench.lab.restarted, (nodes) => nodes.has(node.id))
  return (
    <div className={`node-card node-machine tone-${look.tone} ${isRestarted ? 'node-restarted' : ''}`}>
      <Ring state={look.ring} size={26} />
      <div className="node-text">
        <p className="node-name">{node.id}</p>
        <p className="node-program">{node.program === undefined ? t('lab.shell') : baseName(node.program)}</p>
      </div>
      <p className="node-state">
        <span>{isRestarted ? t('lab.node.restarted') : look.label}</span>
        {node.address !== undefined && <span className="node-address">{node.address.split('/')[0]}</span>}
      </p>
    </div>
  )
}

function DeviceCard({ node }: { node: LabNode }): ReactElement {
  const { workbench } = useApp()
  const { t } = useI18n()
  const wires = useStore(workbench.lab.lab.store, ({ history }) => (history ? linksOf(history.present, node.id).length : 0))
  return (
    <div className={`node-card node-${node.kind}`}>
      <Icon name={node.kind === 'hub' ? 'hub' : 'switch'} size={18} />
      <div className="node-text">
        <p className="node-name">{node.id}</p>
        <p className="node-program">{t('lab.node.wires', { count: wires })}</p>
      </div>
    </div>
  )
}
