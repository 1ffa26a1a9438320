/** What is wrong with a module, in one sentence. A program that loads it gets ENOEXEC. */
export class WasmFormatError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'WasmFormatError'
  }
}

/** Reads the primitives of the binary format (WebAssembly core specification, chapter 5). Throws WasmFormatError past its end. */
export class ByteReader {
  readonly bytes: Uint8Array
  at: number
  readonly end: number

  constructor(bytes: Uint8Array, at = 0, end = bytes.length) {
    this.bytes = bytes
    this.at = at
    this.end = end
  }

  get isAtEnd(): boolean {
    return this.at >= this.end
  }

  u8(): number {
    if (this.at >= this.end) throw new WasmFormatError(`it ends in the middle, at byte ${this.at}`)
    return this.bytes[this.at++]
  }

  /** LEB128, at most 32 bits. */
  u32(): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.u8()
      value += (byte & 0x7f) * 2 ** shift
      if ((byte & 0x80) === 0) {
        if (value > 0xffffffff) break
        return value
      }
    }
    throw new WasmFormatError(`a number before byte ${this.at} has more than 32 bits`)
  }

  /** Signed LEB128 of at most 33 bits: what a block's type is written as. */
  s33(): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.u8()
      value += (byte & 0x7f) * 2 ** shift
      if ((byte & 0x80) === 0) return (byte & 0x40) !== 0 ? value - 2 ** (shift + 7) : value
    }
    throw new WasmFormatError(`a number before byte ${this.at} has more than 33 bits`)
  }

  /** Passes over an LEB128 number of any width. */
  skipLeb(): void {
    while ((this.u8() & 0x80) !== 0);
  }

  skip(count: number): void {
    if (count > this.end - this.at) throw new WasmFormatError(`it ends in the middle, at byte ${this.end}`)
    this.at += count
  }

  /** A view, not a copy. */
  take(count: number): Uint8Array {
    const start = this.at
    this.skip(count)
    return this.bytes.subarray(start, this.at)
  }

  name(): string {
    return new TextDecoder().decode(this.take(this.u32()))
  }
}

const INITIAL_BYTES = 256

/** Appends the primitives of the binary format to a growing buffer. */
export class ByteWriter {
  private buffer = new Uint8Array(INITIAL_BYTES)
  length = 0

  get bytes(): Uint8Array {
    return this.buffer.subarray(0, this.length)
  }

  private reserve(count: number): void {
    if (this.length + count <= this.buffer.length) return
    const larger = new Uint8Array(Math.max(this.buffer.length * 2, this.length + count))
    larger.set(this.bytes)
    this.buffer = larger
  }

  u8(...values: number[]): this {
    this.reserve(values.length)
    for (const value of values) this.buffer[this.length++] = value
    return this
  }

  u32(value: number): this {
    this.reserve(5)
    let rest = value >>> 0
    for (; rest >= 0x80; rest >>>= 7) this.buffer[this.length++] = (rest & 0x7f) | 0x80
    this.buffer[this.length++] = rest
    return this
  }

  s32(value: number): this {
    return this.s64(BigInt(value | 0))
  }

  s64(value: bigint): this {
    this.reserve(10)
    let rest = value
    for (;;) {
      const byte = Number(rest & 0x7fn)
      rest >>= 7n
      const isLast = (rest === 0n && (byte & 0x40) === 0) || (rest === -1n && (byte & 0x40) !== 0)
      this.buffer[this.length++] = isLast ? byte : byte | 0x80
      if (isLast) return this
    }
  }

  raw(bytes: Uint8Array): this {
    this.reserve(bytes.length)
    this.buffer.set(bytes, this.length)
    this.length += bytes.length
    return this
  }

  name(text: string): this {
    const bytes = new TextEncoder().encode(text)
    return this.u32(bytes.length).raw(bytes)
  }

  /** Overwrites bytes written before. */
  patch(at: number, bytes: readonly number[]): void {
    this.buffer.set(bytes, at)
  }

  /** A section: its id, its length, its contents. */
  section(id: number, contents: ByteWriter): this {
    return this.u8(id).u32(contents.length).raw(contents.bytes)
  }
}
