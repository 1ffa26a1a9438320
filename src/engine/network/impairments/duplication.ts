import type { Decorator } from './stage.ts'

/** Sends a second packet after the first. */
export const duplication: Decorator = (next, lane) => {
  const random = lane.random('duplicate')
  return {
    push(packet, timeNs) {
      const isHit = random.chance(lane.options.duplicate)
      next.push(packet, timeNs)
      if (!isHit) return
      lane.count('duplicated')
      const copy = lane.copy(packet, timeNs)
      if (copy !== undefined) next.push(copy, timeNs)
    },
  }
}
