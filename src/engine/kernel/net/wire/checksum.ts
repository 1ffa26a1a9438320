/** The Internet checksum (RFC 1071), and the pseudo-header that UDP and TCP put before it (RFC 768, RFC 9293 3.1). */

/** The ones' complement sum of big-endian 16-bit words, to go on with in a further call. An odd last byte is padded with zero. */
export function sum(bytes: Uint8Array, start = 0): number {
  let total = start
  const even = bytes.length & ~1
  for (let at = 0; at < even; at += 2) total += (bytes[at] << 8) | bytes[at + 1]
  if (even < bytes.length) total += bytes[even] << 8
  while (total > 0xffff) total = (total & 0xffff) + Math.floor(total / 0x10000)
  return total
}

/** The field's value for bytes in which the field is zero; 0 for bytes that hold a right one. */
export const checksum = (bytes: Uint8Array, start = 0): number => ~sum(bytes, start) & 0xffff

/** The sum of the pseudo-header. */
export function pseudoHeader(source: number, destination: number, protocol: number, length: number): number {
  return (source >>> 16) + (source & 0xffff) + (destination >>> 16) + (destination & 0xffff) + protocol + length
}
