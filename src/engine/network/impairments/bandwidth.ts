import type { Decorator, Packet } from './stage.ts'

const NS_PER_SECOND = 1e9

/**
 * A sender of limited rate with a queue before it. A packet is handed on when its last bit is sent. A change of the rate holds for
 * what remains of the packet being sent; without a limit, packets pass.
 */
export const bandwidth: Decorator = (next, lane) => {
  const waiting: Packet[] = []
  let waitingBytes = 0
  let sending: { packet: Packet; bitsLeft: number; sinceNs: number; bps: number } | undefined
  /** Tells the event that ends the present sending from those that a change of rate made void. */
  let round = 0

  const start = (packet: Packet, bitsLeft: number, timeNs: number): void => {
    const bps = lane.options.bandwidthBps
    const mine = ++round
    sending = { packet, bitsLeft, sinceNs: timeNs, bps }
    const endNs = timeNs + Math.max(1, Math.ceil((bitsLeft / bps) * NS_PER_SECOND))
    lane.schedule(endNs, (nowNs) => {
      if (mine === round) finish(nowNs)
    })
  }
  /** Hands on what is being sent, and begins with the next; without a limit, all that wait follow at once. */
  const finish = (timeNs: number): void => {
    let sent = sending?.packet
    sending = undefined
    while (sent !== undefined) {
      next.push(sent, timeNs)
      sent = waiting.shift()
      if (sent === undefined) return
      waitingBytes -= sent.frame.length
      if (lane.options.bandwidthBps > 0) return start(sent, sent.frame.length * 8, timeNs)
    }
  }

  return {
    push(packet, timeNs) {
      if (sending !== undefined) {
        if (waitingBytes + packet.frame.length > lane.options.queueBytes) return lane.drop(packet, 'queue', timeNs)
        waiting.push(packet)
        waitingBytes += packet.frame.length
      } else if (lane.options.bandwidthBps > 0) start(packet, packet.frame.length * 8, timeNs)
      else next.push(packet, timeNs)
    },
    change(timeNs) {
      if (sending === undefined || sending.bps === lane.options.bandwidthBps) return
      const { packet, bitsLeft, sinceNs, bps } = sending
      const sentBits = ((timeNs - sinceNs) * bps) / NS_PER_SECOND
      round++
      if (lane.options.bandwidthBps > 0) start(packet, Math.max(0, bitsLeft - sentBits), timeNs)
      else finish(timeNs)
    },
    clear() {
      waiting.length = 0
      waitingBytes = 0
      sending = undefined
      round++
    },
  }
}
