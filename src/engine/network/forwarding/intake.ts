/**
 * Frames that a switch or hub takes in by one port in a millisecond: more than a port of 100 Mbit/s can carry of the smallest (148.8, IEEE
 * 802.3, 4.4.2), than one of 1 Gbit/s can of the largest (81.3), and than a machine of ours sends. In a loop of switches, where frames
 * multiply for ever, it is what bounds a storm on links without a bandwidth.
 */
export const INTAKE_FRAMES_MAX = 200
const FRAME_NS = 1_000_000 / INTAKE_FRAMES_MAX
/** So many may come at once after a pause. */
const BURST_NS = INTAKE_FRAMES_MAX * FRAME_NS

/** What one port of a switch or hub takes in: the generic cell rate algorithm (ITU-T I.371, annex A). */
export class Intake {
  /** When the next frame is expected of a sender that keeps to the rate. */
  #expectedNs = 0

  /** Whether there is room for one more frame, which then is taken. Times never go back. */
  take(timeNs: number): boolean {
    if (this.#expectedNs - timeNs > BURST_NS) return false
    this.#expectedNs = Math.max(this.#expectedNs, timeNs) + FRAME_NS
    return true
  }
}
