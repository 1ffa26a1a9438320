import type { Console } from '../drivers/console.ts'
import type { Wait } from '../process/wait.ts'
import type { NodeAttributes } from './node.ts'
import { Node } from './node.ts'

const DEVICES_DEVICE = 2
/** Bytes of zeros that one call of read makes at once. */
const ZERO_BYTES_MAX = 65536

abstract class CharacterDevice extends Node {
  readonly kind = 'character'
  private readonly inode: number

  constructor(inode: number) {
    super()
    this.inode = inode
  }

  override attributes(): NodeAttributes {
    return { inode: this.inode, kind: this.kind, permissions: 0o666, links: 1, size: 0, modifiedNs: 0, device: DEVICES_DEVICE }
  }

  /** O_TRUNC does nothing to a device. */
  override truncate(): void {}
}

/** /dev/null: nothing to read, everything may be written. */
export class NullDevice extends CharacterDevice {
  override read(): Uint8Array {
    return new Uint8Array(0)
  }
  override write(_offset: number, bytes: Uint8Array): number {
    return bytes.length
  }
}

/** /dev/zero: zeros without end. */
export class ZeroDevice extends CharacterDevice {
  override read(_offset: number, length: number): Uint8Array {
    return new Uint8Array(Math.min(length, ZERO_BYTES_MAX))
  }
  override write(_offset: number, bytes: Uint8Array): number {
    return bytes.length
  }
}

/** /dev/console: the serial line through its line discipline. */
export class ConsoleDevice extends CharacterDevice {
  readonly console: Console

  constructor(inode: number, console: Console) {
    super(inode)
    this.console = console
  }

  override read(_offset: number, length: number): Uint8Array | Wait {
    return this.console.read(length)
  }
  override write(_offset: number, bytes: Uint8Array): number | Wait {
    return this.console.write(bytes)
  }
}
