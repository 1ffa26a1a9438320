import { formatIpv4, isHost, isLoopback, networkOf, parseIpv4Address } from './wire/address.ts'

/** How the machine's Ethernet interface gets its address, as the boot command line says. */
export interface NetworkConfiguration {
  /** `10.0.0.1/24`; null for IPv4 link-local. */
  address: string | null
  /** Next hop for every other network, or null. */
  gateway: string | null
  hostname: string
}

export const HOSTNAME_DEFAULT = 'atoll'

export interface InterfaceAddress {
  address: number
  /** Length of the network's part in bits. */
  prefix: number
}

/** A static address with its prefix length, 8 to 30. Null when the text is none that a host can have. */
export function parseInterfaceAddress(text: string): InterfaceAddress | null {
  const match = /^([\d.]+)\/(\d{1,2})$/.exec(text)
  const address = match === null ? null : parseIpv4Address(match[1])
  if (match === null || address === null) return null
  const prefix = Number(match[2])
  if (prefix < 8 || prefix > 30 || !isHost(address) || isLoopback(address)) return null
  const host = address - networkOf(address, prefix)
  return host === 0 || host === 2 ** (32 - prefix) - 1 ? null : { address, prefix }
}

/** A gateway for an interface: another host of the same network. Null when the text is none. */
export function parseGateway(text: string, { address, prefix }: InterfaceAddress): number | null {
  const gateway = parseInterfaceAddress(`${text}/${prefix}`)?.address ?? null
  return gateway === null || gateway === address || networkOf(gateway, prefix) !== networkOf(address, prefix) ? null : gateway
}

/** A label of RFC 1123: letters, digits and hyphens, at most 63, no hyphen at either end. */
export const isHostname = (text: string): boolean => /^[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?$/i.test(text)

/** `10.0.0.1/24` */
export const formatInterfaceAddress = ({ address, prefix }: InterfaceAddress): string => `${formatIpv4(address)}/${prefix}`
