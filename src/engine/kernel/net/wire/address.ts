/**
 * Addresses are numbers: an Ethernet address has 48 bits, an IPv4 address 32, most significant byte first. So they compare, serve as
 * keys and are plain data.
 */
export const MAC_BROADCAST = 0xffffffffffff
export const MAC_NONE = 0
/** I/G bit of the first byte (IEEE 802.3, 3.2.3): a group of stations. Broadcast is one. */
export const isMacGroup = (mac: number): boolean => Math.floor(mac / 2 ** 40) % 2 === 1

export const IPV4_ANY = 0
export const IPV4_BROADCAST = 0xffffffff
export const IPV4_LOOPBACK = 0x7f000001
export const LOOPBACK_PREFIX = 8
/** 169.254/16 (RFC 3927). */
export const IPV4_LINK_LOCAL = 0xa9fe0000
export const LINK_LOCAL_PREFIX = 16

const IPV4_BITS = 32

/** The mask of a prefix: 24 gives 255.255.255.0. */
export const prefixMask = (prefix: number): number => (prefix === 0 ? 0 : (0xffffffff << (IPV4_BITS - prefix)) >>> 0)
export const networkOf = (address: number, prefix: number): number => (address & prefixMask(prefix)) >>> 0
/** The directed broadcast address of a network; networks of one or two hosts have none (RFC 3021). */
export const broadcastOf = (address: number, prefix: number): number | null =>
  prefix >= IPV4_BITS - 1 ? null : (address | ~prefixMask(prefix)) >>> 0

/** 224/4 (RFC 1112). */
export const isMulticast = (address: number): boolean => address >>> 28 === 0xe
export const isLoopback = (address: number): boolean => networkOf(address, LOOPBACK_PREFIX) === networkOf(IPV4_LOOPBACK, LOOPBACK_PREFIX)
/** Whether it can be the address of one host: neither this network, nor multicast, nor reserved, nor broadcast (RFC 1122, 3.2.1.3). */
export const isHost = (address: number): boolean => address >>> 24 !== 0 && address >>> 28 < 0xe

const octets = (value: number, count: number): number[] =>
  Array.from({ length: count }, (_, index) => Math.floor(value / 256 ** (count - 1 - index)) % 256)

/** `10.0.0.1` */
export const formatIpv4 = (address: number): string => octets(address, 4).join('.')

/** `52:54:00:12:34:56` */
export const formatMac = (mac: number): string => octets(mac, 6).map((octet) => octet.toString(16).padStart(2, '0')).join(':')

/** Four decimal octets without leading zeros; null for anything else. */
export function parseIpv4Address(text: string): number | null {
  const parts = text.split('.')
  if (parts.length !== 4 || !parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256)) return null
  return parts.reduce((address, part) => address * 256 + Number(part), 0)
}

/** Six bytes as a number. */
export const macFromBytes = (bytes: Uint8Array): number => bytes.reduce((mac, byte) => mac * 256 + byte, 0)
