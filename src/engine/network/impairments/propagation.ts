import type { Decorator } from './stage.ts'

/**
 * Latency and jitter. Each packet has a delay of its own, so that jitter can change their order; without jitter it stays, also when
 * the latency becomes smaller while packets are under way.
 */
export const propagation: Decorator = (next, lane) => {
  const random = lane.random('jitter')
  let lastNs = 0
  return {
    push(packet, timeNs) {
      const { latencyNs, jitterNs } = lane.options
      const delayNs = latencyNs + random.below(jitterNs + 1)
      const arrivalNs = jitterNs === 0 ? Math.max(timeNs + delayNs, lastNs) : timeNs + delayNs
      lastNs = Math.max(lastNs, arrivalNs)
      lane.scheduleArrival(arrivalNs, (nowNs) => {
        if (!packet.gone) next.push(packet, nowNs)
      })
    },
    clear() {
      lastNs = 0
    },
  }
}
