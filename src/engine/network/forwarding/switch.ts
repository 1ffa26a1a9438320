/**
 * A learning switch: IEEE 802.1D-2004, sections 7.7 (forwarding), 7.8 (learning) and 7.9 (filtering database), without the spanning
 * tree protocol, so that a loop of switches storms, as it does on a table;
 * `intake.ts` says how much.
 */
import type { Forwarder } from './forwarder.ts'

/** Table 7-5: the recommended ageing time. */
const AGEING_NS = 300_000_000_000
/** Of a small switch; beyond it the address that was silent for longest is forgotten. */
const ADDRESSES_MAX = 8192
const DESTINATION = 0
const SOURCE = 6

/** 48 bits. */
function addressAt(frame: Uint8Array, offset: number): number {
  let address = 0
  for (let i = 0; i < 6; i++) address = address * 256 + frame[offset + i]
  return address
}

/** 7.12.6: bridge group addresses 01-80-C2-00-00-00 to -0F stay on their link. */
const RESERVED_FIRST = 0x0180c2000000
const RESERVED_LAST = 0x0180c200000f

const isGroup = (frame: Uint8Array, offset: number): boolean => (frame[offset] & 1) !== 0

export class Switch implements Forwarder {
  /** In the order in which they were last heard. */
  readonly #stations = new Map<number, { port: number; heardNs: number }>()

  forward(frame: Uint8Array, port: number, ports: readonly number[], timeNs: number): number[] {
    if (!isGroup(frame, SOURCE)) this.#learn(addressAt(frame, SOURCE), port, timeNs)
    const destination = addressAt(frame, DESTINATION)
    if (destination >= RESERVED_FIRST && destination <= RESERVED_LAST) return []
    const known = isGroup(frame, DESTINATION) ? undefined : this.#lookUp(destination, timeNs)
    if (known === undefined) return ports.filter((other) => other !== port)
    return known === port || !ports.includes(known) ? [] : [known]
  }

  portDown(port: number): void {
    for (const [address, station] of this.#stations) if (station.port === port) this.#stations.delete(address)
  }

  #learn(address: number, port: number, timeNs: number): void {
    this.#stations.delete(address)
    this.#stations.set(address, { port, heardNs: timeNs })
    if (this.#stations.size <= ADDRESSES_MAX) return
    for (const oldest of this.#stations.keys()) {
      this.#stations.delete(oldest)
      break
    }
  }

  #lookUp(address: number, timeNs: number): number | undefined {
    const station = this.#stations.get(address)
    if (station === undefined) return undefined
    if (timeNs - station.heardNs < AGEING_NS) return station.port
    this.#stations.delete(address)
    return undefined
  }
}
