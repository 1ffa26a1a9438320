import type { Decorator, Packet } from './stage.ts'

/** How long a packet waits for one that it can change places with. */
export const REORDER_HOLD_NS_MAX = 10_000_000

/** A packet waits at the end of the link until another has arrived, and follows it. */
export const reordering: Decorator = (next, lane) => {
  const random = lane.random('reorder')
  let held: Packet | undefined
  return {
    push(packet, timeNs) {
      const isHit = random.chance(lane.options.reorder)
      if (held === undefined && isHit) {
        held = packet
        lane.scheduleArrival(timeNs + REORDER_HOLD_NS_MAX, (nowNs) => {
          if (held !== packet) return
          held = undefined
          next.push(packet, nowNs)
        })
        return
      }
      next.push(packet, timeNs)
      if (held === undefined) return
      const late = held
      held = undefined
      lane.count('reordered')
      next.push(late, timeNs)
    },
    clear() {
      held = undefined
    },
  }
}
