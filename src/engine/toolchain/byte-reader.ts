/** A read past the end, or a value that no sane file holds. */
export class ReadError extends Error {
  override readonly name = 'ReadError'
}

const decoder = new TextDecoder()

/** Reads little-endian values one after the other and throws ReadError rather than leave its range. */
export class ByteReader {
  readonly bytes: Uint8Array
  readonly end: number
  at: number
  private readonly view: DataView

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    if (!(start >= 0 && start <= end && end <= bytes.length)) throw new ReadError(`range ${start} to ${end} of ${bytes.length} bytes`)
    this.bytes = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.at = start
    this.end = end
  }

  /** A reader of the next `length` bytes, which this one skips. */
  take(length: number): ByteReader {
    const start = this.skip(length)
    return new ByteReader(this.bytes, start, start + length)
  }

  /** Returns where it was. */
  skip(length: number): number {
    const start = this.at
    if (!Number.isSafeInteger(length) || length < 0 || length > this.end - start)
      throw new ReadError(`${length} bytes at ${start} go beyond the end at ${this.end}`)
    this.at = start + length
    return start
  }

  u8(): number {
    return this.view.getUint8(this.skip(1))
  }

  i8(): number {
    return this.view.getInt8(this.skip(1))
  }

  u16(): number {
    return this.view.getUint16(this.skip(2), true)
  }

  u32(): number {
    return this.view.getUint32(this.skip(4), true)
  }

  u64(): bigint {
    return this.view.getBigUint64(this.skip(8), true)
  }

  /** A 64-bit value that must be exact as a number: a length or an offset. */
  length64(): number {
    const value = this.u64()
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new ReadError(`length ${value}`)
    return Number(value)
  }

  /** Unsigned LEB128, at most 2^53 - 1. */
  uleb(): number {
    let value = 0
    for (let scale = 1; ; scale *= 128) {
      const byte = this.u8()
      value += (byte & 127) * scale
      if (value > Number.MAX_SAFE_INTEGER || scale > Number.MAX_SAFE_INTEGER) throw new ReadError(`LEB128 number above 2^53 at ${this.at}`)
      if (byte < 128) return value
    }
  }

  /** Signed LEB128 of magnitude below 2^53. */
  sleb(): number {
    let value = 0
    for (let scale = 1; ; scale *= 128) {
      const byte = this.u8()
      value += (byte & 127) * scale
      if (value > Number.MAX_SAFE_INTEGER || scale > Number.MAX_SAFE_INTEGER / 128)
        throw new ReadError(`LEB128 number beyond 2^53 at ${this.at}`)
      if (byte < 128) return (byte & 64) === 0 ? value : value - scale * 128
    }
  }

  /** A string up to its NUL. */
  string(): string {
    const start = this.at
    const nul = this.bytes.subarray(start, this.end).indexOf(0)
    if (nul < 0) throw new ReadError(`string at ${start} does not end`)
    this.at = start + nul + 1
    return decoder.decode(this.bytes.subarray(start, start + nul))
  }
}
