import type { NeighbourState } from './link/neighbours.ts'
import type { DatagramProtocol, SocketAddress } from './socket/datagram.ts'
import type { NetworkStack } from './stack.ts'
import { LOOPBACK_INDEX } from './stack.ts'
import { IPV4_BYTES_MAX } from './wire/ipv4.ts'
import { IPV4_LOOPBACK, LOOPBACK_PREFIX, formatIpv4, formatMac } from './wire/address.ts'

/** What the network knows, for inspectors and `/proc`. Addresses are numbers, see wire/address.ts. */

/** As the ABI numbers them (IFF_UP and the like). */
export const InterfaceFlag = { up: 1, broadcast: 2, loopback: 8, configuring: 0x10000 } as const
export type InterfaceFlagName = keyof typeof InterfaceFlag

export interface TrafficView {
  receivedPackets: number
  receivedBytes: number
  receivedDropped: number
  sentPackets: number
  sentBytes: number
  sentDropped: number
}

export interface InterfaceView {
  name: string
  index: number
  flags: InterfaceFlagName[]
  /** 0 while it has none. */
  address: number
  prefix: number
  /** 0 for none. */
  gateway: number
  mac: number
  mtu: number
  traffic: TrafficView
}

export interface NeighbourView {
  address: number
  mac: number
  state: NeighbourState
  pendingPackets: number
}

export interface RouteView {
  destination: number
  prefix: number
  gateway: number
  interface: number
}

export interface SocketView {
  number: number
  protocol: DatagramProtocol
  local: SocketAddress
  remote: SocketAddress | null
  queuedBytes: number
  dropped: number
}

export interface NetworkView {
  hostname: string
  interfaces: InterfaceView[]
  neighbours: NeighbourView[]
  routes: RouteView[]
  /** Bound ones. */
  sockets: SocketView[]
  /** What was dropped and why. */
  counters: [string, number][]
}

export function viewInterfaces({ ethernet, loopbackTraffic, routes }: NetworkStack): InterfaceView[] {
  const loopback: InterfaceView = {
    name: 'lo', index: LOOPBACK_INDEX, flags: ['up', 'loopback'], address: IPV4_LOOPBACK, prefix: LOOPBACK_PREFIX, gateway: 0, mac: 0,
    mtu: IPV4_BYTES_MAX, traffic: { ...loopbackTraffic },
  }
  if (ethernet === null) return [loopback]
  const { name, index, address, prefix, mac, mtu, traffic } = ethernet
  const flags: InterfaceFlagName[] = ethernet.isConfiguring ? ['up', 'broadcast', 'configuring'] : ['up', 'broadcast']
  const gateway = routes.list().find((route) => route.prefix === 0)?.gateway ?? 0
  return [loopback, { name, index, flags, address, prefix, gateway, mac, mtu, traffic: { ...traffic } }]
}

export function viewNetwork(stack: NetworkStack): NetworkView {
  return {
    hostname: stack.hostname,
    interfaces: viewInterfaces(stack),
    neighbours: (stack.ethernet?.neighbours.list() ?? []).map(({ address, mac, state, pending }) => ({
      address, mac, state, pendingPackets: pending.length,
    })),
    routes: stack.routes.list().map((route) => ({ ...route })),
    sockets: stack.sockets.list().map(({ number, protocol, local, remote, queuedBytes, dropped }) => ({
      number, protocol, local, remote, queuedBytes, dropped,
    })),
    counters: stack.counters.entries(),
  }
}

const table = (rows: readonly (readonly (string | number)[])[]): string => rows.map((row) => `${row.join(' ')}\n`).join('')
const endpoint = (address: SocketAddress | null): string => (address === null ? '-' : `${formatIpv4(address.address)}:${address.port}`)

/** Files of `/proc` by name: one line for each thing, columns apart by blanks. */
export const networkFiles: Readonly<Record<string, (stack: NetworkStack) => string>> = {
  hostname: ({ hostname }) => `${hostname}\n`,
  interfaces: (stack) =>
    table([
      ['NAME', 'ADDRESS', 'MAC', 'MTU', 'RX_PACKETS', 'RX_BYTES', 'RX_DROPPED', 'TX_PACKETS', 'TX_BYTES', 'TX_DROPPED'],
      ...viewInterfaces(stack).map(({ name, address, prefix, mac, mtu, traffic }) => [
        name, address === 0 ? '-' : `${formatIpv4(address)}/${prefix}`, formatMac(mac), mtu,
        traffic.receivedPackets, traffic.receivedBytes, traffic.receivedDropped,
        traffic.sentPackets, traffic.sentBytes, traffic.sentDropped,
      ]),
    ]),
  neighbours: (stack) =>
    table([
      ['ADDRESS', 'MAC', 'STATE'],
      ...viewNetwork(stack).neighbours.map(({ address, mac, state }) => [formatIpv4(address), formatMac(mac), state]),
    ]),
  routes: (stack) =>
    table([
      ['NETWORK', 'GATEWAY', 'INTERFACE'],
      ...viewNetwork(stack).routes.map(({ destination, prefix, gateway, interface: index }) => [
        `${formatIpv4(destination)}/${prefix}`, gateway === 0 ? '-' : formatIpv4(gateway), index === LOOPBACK_INDEX ? 'lo' : 'eth0',
      ]),
    ]),
  sockets: (stack) =>
    table([
      ['PROTOCOL', 'LOCAL', 'PEER', 'QUEUED_BYTES', 'DROPPED'],
      ...viewNetwork(stack).sockets.map(({ protocol, local, remote, queuedBytes, dropped }) => [
        protocol, endpoint(local), endpoint(remote), queuedBytes, dropped,
      ]),
    ]),
  drops: (stack) => table([['COUNT', 'REASON'], ...viewNetwork(stack).counters.map(([reason, count]) => [count, reason])]),
}
