import type { SendOutcome } from '../link/ethernet.ts'

/** How a packet gets to its destination. */
export interface Path {
  link: 'loopback' | 'ethernet'
  /** Neighbour that gets it. */
  nextHop: number
  /** Our address on the way. */
  source: number
  /** Longest packet in bytes. */
  mtu: number
  isBroadcast: boolean
}

/** What sockets use of the network below them. */
export interface SocketNetwork {
  /** Null when there is no way; `configuring` while the machine has no address yet. */
  path(destination: number): Path | 'configuring' | null
  isOwn(address: number): boolean
  /** Sends one IP packet. The payload fits the path's MTU. */
  send(path: Path, source: number, destination: number, protocol: number, payload: Uint8Array): SendOutcome
}
