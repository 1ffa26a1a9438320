export type BadImageReason = 'not-multiboot' | 'not-executable' | 'truncated' | 'wrong-machine' | 'outside-ram' | 'overlap' | 'unsupported'

/** A boot image that cannot be loaded. The message is one sentence for whoever chose the file. */
export class BadImage extends Error {
  override readonly name = 'BadImage'
  readonly reason: BadImageReason

  constructor(reason: BadImageReason, message: string) {
    super(message)
    this.reason = reason
  }
}
