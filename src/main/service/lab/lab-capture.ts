import type { WireEvent } from '../../../engine/lab/run/wire.ts'
import { PcapngWriter } from '../../../engine/network/capture/pcapng.ts'

/** Every frame of a lab as pcapng: when it arrived at the other end of its link, or when it was lost, and then why. */
export class LabCapture {
  readonly #writer: PcapngWriter
  readonly #links = new Set<string>()

  constructor(write: (bytes: Uint8Array) => void) {
    this.#writer = new PcapngWriter(write)
  }

  take({ kind, timeNs, link, direction, from, to, frame }: WireEvent): void {
    if (kind === 'sent') return
    if (!this.#links.has(link)) {
      const [a, b] = direction === 'a-to-b' ? [from, to] : [to, from]
      this.#writer.link(link, `${a.node}:${a.port} to ${b.node}:${b.port}`)
      this.#links.add(link)
    }
    this.#writer.packet({ link, direction, timeNs, frame, comment: kind === 'delivered' ? undefined : kind })
  }
}
