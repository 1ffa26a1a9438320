import type { LinkSpec, LinkOptions } from '../network.ts'

/** Address 02-00-00-00-00-nn, locally administered. */
export function address(station: number): number[] {
  return [2, 0, 0, 0, 0, station]
}

export const BROADCAST = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff]

/** A frame of the local experimental EtherType 1 that carries a number, of 18 bytes or as many as asked for. */
export function frame(destination: readonly number[], source: readonly number[], number: number, length = 18): Uint8Array {
  const bytes = new Uint8Array(length)
  bytes.set([...destination, ...source, 0x88, 0xb5])
  new DataView(bytes.buffer).setUint32(14, number)
  return bytes
}

/** The number that a frame carries. */
export function numberOf(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(14)
}

/** A link between port 0 of one and a port of another; its name is that of its first end. */
export function link(from: string, to: string, port: number, options: LinkOptions): LinkSpec {
  return { id: from, a: { node: from, port: 0 }, b: { node: to, port }, options }
}
