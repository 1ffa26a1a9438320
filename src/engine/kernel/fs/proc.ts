import type { NodeAttributes } from './node.ts'
import { Node } from './node.ts'

const PROC_DEVICE = 5

/** A file whose content is made when it is read from its start: what the kernel knows, as text. */
export class ProcFile extends Node {
  readonly kind = 'file'
  private readonly inode: number
  private readonly text: () => string
  private content = new Uint8Array(0)

  constructor(inode: number, text: () => string) {
    super()
    this.inode = inode
    this.text = text
  }

  override attributes(): NodeAttributes {
    return { inode: this.inode, kind: this.kind, permissions: 0o444, links: 1, size: 0, modifiedNs: 0, device: PROC_DEVICE }
  }

  override read(offset: number, length: number): Uint8Array {
    if (offset === 0) this.content = new TextEncoder().encode(this.text())
    return this.content.subarray(offset, offset + length)
  }
}
