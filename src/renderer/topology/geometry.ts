import type { NodePosition } from '../../protocol/lab.ts'

export interface Box {
  x: number
  y: number
  width: number
  height: number
}

/** Where the line from the middle of `box` to `target` leaves the box. */
export function borderPoint({ x, y, width, height }: Box, target: NodePosition): NodePosition {
  const center = { x: x + width / 2, y: y + height / 2 }
  const [dx, dy] = [target.x - center.x, target.y - center.y]
  if (dx === 0 && dy === 0) return center
  const scale = Math.min(dx === 0 ? Infinity : width / 2 / Math.abs(dx), dy === 0 ? Infinity : height / 2 / Math.abs(dy), 1)
  return { x: center.x + dx * scale, y: center.y + dy * scale }
}

export function centerOf({ x, y, width, height }: Box): NodePosition {
  return { x: x + width / 2, y: y + height / 2 }
}

/** 0 for silence, 1 for a thousand frames a second and more. */
export function loadOf(framesPerSecond: number): number {
  // In tenths: a line is not drawn again for a difference that nobody sees.
  return framesPerSecond <= 0 ? 0 : Math.round(Math.min(1, 0.25 + Math.log10(1 + framesPerSecond) / 4) * 10) / 10
}
