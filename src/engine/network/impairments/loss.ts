import type { Decorator } from './stage.ts'

/** Each packet is lost by itself. */
export const loss: Decorator = (next, lane) => {
  const random = lane.random('loss')
  return {
    push(packet, timeNs) {
      if (random.chance(lane.options.loss)) lane.drop(packet, 'loss', timeNs)
      else next.push(packet, timeNs)
    },
  }
}
