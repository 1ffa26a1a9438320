/** A field of a header: its offset in bytes and its width in bytes. Fields are big-endian, as RFC 1700 has it ("network byte order"). */
export type Field = readonly [offset: number, bytes: 1 | 2 | 4 | 6]

const TWO_32 = 2 ** 32

/**
 * A packet as named fields. It cannot be read or written outside its bytes: such an access throws RangeError, which is a bug of the
 * caller's, because every `parse` checks the length first.
 */
export class Header {
  readonly bytes: Uint8Array
  private readonly view: DataView

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  /** The field's value, unsigned. */
  get([offset, bytes]: Field): number {
    switch (bytes) {
      case 1:
        return this.view.getUint8(offset)
      case 2:
        return this.view.getUint16(offset)
      case 4:
        return this.view.getUint32(offset)
      case 6:
        return this.view.getUint16(offset) * TWO_32 + this.view.getUint32(offset + 2)
    }
  }

  set([offset, bytes]: Field, value: number): void {
    switch (bytes) {
      case 1:
        this.view.setUint8(offset, value)
        break
      case 2:
        this.view.setUint16(offset, value)
        break
      case 4:
        this.view.setUint32(offset, value)
        break
      case 6:
        this.view.setUint16(offset, Math.floor(value / TWO_32))
        this.view.setUint32(offset + 2, value % TWO_32)
        break
    }
  }
}

/** Why bytes are not the packet they were taken for. A `parse` returns one of these instead of the packet. */
export type Malformed = 'truncated' | 'bad version' | 'bad length' | 'bad checksum' | 'unsupported'

export const isMalformed = <Packet extends object>(result: Packet | Malformed): result is Malformed => typeof result === 'string'
