import { decode, encode } from '@msgpack/msgpack'

/**
 * How RPC messages cross a WebSocket: one MessagePack value a binary frame. `Uint8Array` stays binary and arrives as a
 * copy of its own; object properties that are `undefined` are left out, as JSON does.
 */

/** Longest frame either side accepts, in bytes: a megabyte of console and the largest file text fit with room. */
export const FRAME_BYTES_MAX = 16 * 1024 * 1024

export function encodeFrame(message: unknown): Uint8Array<ArrayBuffer> {
  return encode(message, { ignoreUndefined: true })
}

/** Throws a RangeError or a DecodeError when the bytes are not exactly one MessagePack value within the bounds. */
export function decodeFrame(bytes: Uint8Array): unknown {
  if (bytes.byteLength > FRAME_BYTES_MAX)
    throw new RangeError(`frame of ${bytes.byteLength} bytes, at most ${FRAME_BYTES_MAX} are accepted`)
  return decode(bytes, {
    maxStrLength: FRAME_BYTES_MAX,
    maxBinLength: FRAME_BYTES_MAX,
    maxArrayLength: 1 << 16,
    maxMapLength: 1 << 16,
    maxExtLength: 16,
  })
}
