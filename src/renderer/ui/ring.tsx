import type { ReactElement } from 'react'

export type RingState = 'off' | 'busy' | 'live' | 'waiting' | 'done' | 'broken'

/** The islands of an atoll as arcs of one circle: start and length in degrees, breadth. The gaps are the passes into the lagoon. */
const ISLANDS = [
  [-78, 62, 3.2],
  [22, 18, 2.2],
  [74, 78, 3.2],
  [186, 8, 2],
  [226, 22, 2.6],
] as const

function arc(startDegrees: number, lengthDegrees: number, radius: number): string {
  const point = (degrees: number): string => {
    const angle = (degrees * Math.PI) / 180
    return `${(12 + radius * Math.cos(angle)).toFixed(2)} ${(12 + radius * Math.sin(angle)).toFixed(2)}`
  }
  return `M${point(startDegrees)}A${radius} ${radius} 0 0 1 ${point(startDegrees + lengthDegrees)}`
}

/** Atoll's mark, which is also how a machine looks: its islands drift while it works, its lagoon is filled while it lives. */
export function Ring({ state, size = 20 }: { state: RingState; size?: number }): ReactElement {
  return (
    <svg className={`ring ring-${state}`} width={size} height={size} viewBox="0 0 24 24" fill="none" aria-hidden="true">
      <g className="ring-islands" stroke="currentColor" strokeLinecap="round">
        {ISLANDS.map(([start, length, breadth]) => (
          <path key={start} d={arc(start, length, 9.4)} strokeWidth={breadth} />
        ))}
      </g>
      <circle className="ring-lagoon" cx="12" cy="12" r="3.4" />
    </svg>
  )
}
