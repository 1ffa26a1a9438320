import type { EdgeProps } from '@xyflow/react'
import { EdgeLabelRenderer, useInternalNode } from '@xyflow/react'
import type { CSSProperties, ReactElement } from 'react'
import { memo, useEffect, useState } from 'react'
import type { CapturedFrame, LabLink } from '../../protocol/lab.ts'
import { isLabUp } from '../lab/lab.ts'
import { useStore } from '../state/use-store.ts'
import { useApp, useI18n } from '../ui/context.tsx'
import { Icon } from '../ui/icons.tsx'
import type { Box } from './geometry.ts'
import { borderPoint, centerOf, loadOf } from './geometry.ts'
import type { CanvasEdge } from './graph.ts'
import { linkSummary } from './link-look.ts'

/** Pulses that one link shows at a time: more would be a blur, and the line's brightness says how much there is. */
const PULSES_MAX = 5
/** Between two pulses of one batch, in milliseconds, so that they do not lie on one another. */
const PULSE_SPACING_MS = 70

/** A cable: how bright it is tells how much it carries, pulses are frames, and a cut one is open in the middle. */
export function LinkEdge({ id, source, target, data, selected }: EdgeProps<CanvasEdge>): ReactElement | null {
  const { workbench } = useApp()
  const i18n = useI18n()
  const { t } = i18n
  const { lab } = workbench.lab
  const boxes = [useBox(source), useBox(target)]
  const isUp = useStore(lab.store, isLabUp)
  const isCut = useStore(lab.store, ({ status }) => status.links.find(({ link }) => link === id)?.isCut ?? false)
  const load = useStore(lab.store, ({ rates }) => loadOf(rates.get(id)?.framesPerSecond ?? 0))
  const isLosing = useStore(lab.store, ({ rates }) => (rates.get(id)?.lost ?? 0) >= 0.01)
  const [a, b] = boxes
  if (!a || !b || !data) return null
  const from = borderPoint(a, centerOf(b))
  const to = borderPoint(b, centerOf(a))
  const middle = { x: (from.x + to.x) / 2, y: (from.y + to.y) / 2 }
  const summary = linkSummary(data.link, i18n)
  const name = workbench.lab.linkName(id)
  const path = `M${from.x} ${from.y}L${to.x} ${to.y}`
  return (
    <>
      <g
        className={`link ${selected ? 'link-selected' : ''} ${isCut ? 'link-cut' : ''} ${isLosing ? 'link-losing' : ''}`}
        style={{ '--load': load } as CSSProperties}
      >
        <path className="link-line" d={path} />
        <path className="link-hit" d={path} />
        <Pulses link={data.link} from={from} to={to} />
      </g>
      <EdgeLabelRenderer>
        <div
          className={`link-label nodrag nopan ${selected ? 'link-label-selected' : ''}`}
          style={{ transform: `translate(-50%, -50%) translate(${middle.x}px, ${middle.y}px)` }}
        >
          {(isCut || (selected && isUp)) && (
            <button
              type="button"
              className={`link-cut-button ${isCut ? 'link-cut-button-cut' : ''}`}
              aria-label={t(isCut ? 'lab.link.heal' : 'lab.link.cut', { link: name })}
              title={t(isCut ? 'lab.link.heal' : 'lab.link.cut', { link: name })}
              onClick={() => void workbench.lab.toggleCut(id)}
            >
              <Icon name={isCut ? 'heal' : 'scissors'} size={14} />
            </button>
          )}
          {summary && <span className="link-summary">{summary}</span>}
        </div>
      </EdgeLabelRenderer>
    </>
  )
}

function useBox(node: string): Box | null {
  const internal = useInternalNode(node)
  if (!internal?.measured.width || !internal.measured.height) return null
  const { positionAbsolute } = internal.internals
  return { ...positionAbsolute, width: internal.measured.width, height: internal.measured.height }
}

interface Pulse {
  number: number
  isForward: boolean
  isLost: boolean
  delayMs: number
}

const REDUCED_MOTION = window.matchMedia('(prefers-reduced-motion: reduce)')

/** The newest frames as they cross the link; one that is lost stops half way, in the colour of what broke. */
const Pulses = memo(function Pulses({
  link,
  from,
  to,
}: {
  link: LabLink
  from: { x: number; y: number }
  to: { x: number; y: number }
}): ReactElement {
  const { workbench } = useApp()
  const [pulses, setPulses] = useState<readonly Pulse[]>([])
  const { id } = link
  const sender = link.a.node
  useEffect(() => {
    const add = (frames: readonly CapturedFrame[]): void => {
      if (REDUCED_MOTION.matches || document.hidden) return
      const mine = frames.filter((frame) => frame.link === id).slice(-PULSES_MAX)
      if (mine.length === 0) return
      const added = mine.map(({ number, from: node, fate }, index) => ({
        number,
        isForward: node === sender,
        isLost: fate === 'lost' || fate === 'cut' || fate === 'queue-full',
        delayMs: index * PULSE_SPACING_MS,
      }))
      setPulses((current) => [...current, ...added].slice(-PULSES_MAX))
    }
    return workbench.lab.traffic.onFrames.subscribe(add)
  }, [workbench, id, sender])
  return (
    // Not inside the SVG: there, every frame of a pulse would be laid out and painted; these are the compositor's.
    <EdgeLabelRenderer>
      {pulses.map(({ number, isForward, isLost, delayMs }) => {
        const [start, end] = isForward ? [from, to] : [to, from]
        return (
          <div
            key={number}
            className={`pulse ${isLost ? 'pulse-lost' : ''}`}
            style={
              {
                '--x0': `${start.x}px`,
                '--y0': `${start.y}px`,
                '--x1': `${isLost ? (start.x + end.x) / 2 : end.x}px`,
                '--y1': `${isLost ? (start.y + end.y) / 2 : end.y}px`,
                animationDelay: `${delayMs}ms`,
              } as CSSProperties
            }
            onAnimationEnd={() => setPulses((current) => current.filter((pulse) => pulse.number !== number))}
          />
        )
      })}
    </EdgeLabelRenderer>
  )
})
