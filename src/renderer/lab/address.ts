import type { LabTopology } from '../../protocol/lab.ts'

/** Static IPv4 addresses as a lab writes them: `10.0.0.1/24`. */
const PATTERN = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/

export interface Ipv4Address {
  /** As an unsigned 32-bit number. */
  value: number
  prefix: number
}

/** Null for what is no address that a host can have: a number too big, the network's own or its broadcast address. */
export function parseAddress(text: string): Ipv4Address | null {
  const match = PATTERN.exec(text.trim())
  if (!match) return null
  const [a, b, c, d, prefix] = match.slice(1).map(Number)
  if ([a, b, c, d].some((octet) => octet > 255) || prefix < 1 || prefix > 30 || a === 0 || a === 127 || a >= 224) return null
  const value = ((a << 24) | (b << 16) | (c << 8) | d) >>> 0
  const hosts = 2 ** (32 - prefix)
  const host = value % hosts
  return host === 0 || host === hosts - 1 ? null : { value, prefix }
}

export function formatAddress({ value, prefix }: Ipv4Address): string {
  return `${[24, 16, 8, 0].map((shift) => (value >>> shift) & 0xff).join('.')}/${prefix}`
}

/** The first free address of the network after `address`; undefined when the network is full. */
export function nextAddress(address: string, taken: ReadonlySet<string>): string | undefined {
  const start = parseAddress(address)
  if (!start) return undefined
  const hosts = 2 ** (32 - start.prefix)
  const network = start.value - (start.value % hosts)
  // A network of millions is never full of machines that somebody drew.
  for (let step = 1; step <= Math.min(hosts, taken.size + 3); step++) {
    const candidate = formatAddress({ value: network + ((start.value - network + step) % hosts), prefix: start.prefix })
    if (parseAddress(candidate) && !taken.has(candidate)) return candidate
  }
  return undefined
}

/** What the first machine of a lab is called on the network, unless someone says otherwise. */
const FIRST_ADDRESS = '10.0.0.1/24'

/**
 * The address of a machine to come: the one after the last that was given. Undefined, for a link-local one, in a lab in which the machines
 * choose their addresses themselves.
 */
export function freeAddress({ nodes }: LabTopology): string | undefined {
  const given = nodes.flatMap(({ address }) => (address === undefined ? [] : [address]))
  const last = given.at(-1)
  if (last !== undefined) return nextAddress(last, new Set(given))
  return nodes.some(({ kind }) => kind === 'machine') ? undefined : FIRST_ADDRESS
}
