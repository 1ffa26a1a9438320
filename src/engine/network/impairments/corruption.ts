import type { Decorator } from './stage.ts'

/** Flips one bit, anywhere in the frame, in a copy of it: others may hold the original. */
export const corruption: Decorator = (next, lane) => {
  const random = lane.random('corrupt')
  return {
    push(packet, timeNs) {
      const isHit = random.chance(lane.options.corrupt)
      const bit = random.below(packet.frame.length * 8)
      if (isHit) {
        const frame = packet.frame.slice()
        frame[bit >> 3] ^= 1 << (bit & 7)
        packet.frame = frame
        lane.count('corrupted')
      }
      next.push(packet, timeNs)
    },
  }
}
