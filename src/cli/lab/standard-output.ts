import { once } from 'node:events'

/** Standard output, as far as somebody reads it: a reader who leaves early, as `head` does, changes nothing of what is done. */
export class StandardOutput {
  #isBroken = false

  constructor() {
    process.stdout.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE' && error.code !== 'ERR_STREAM_DESTROYED' && error.code !== 'EIO')
        process.stderr.write(`atoll: cannot write to standard output: ${error.message}\n`)
      this.#isBroken = true
    })
  }

  write(text: string): void {
    if (!this.#isBroken) process.stdout.write(text)
  }

  /** Resolves when more may be written. */
  async drain(): Promise<void> {
    if (this.#isBroken || !process.stdout.writableNeedDrain) return
    // An error ends the waiting too, and was heard of by then.
    await once(process.stdout, 'drain').catch(() => undefined)
  }

  /** Resolves when everything has left. */
  async flush(): Promise<void> {
    if (!this.#isBroken) await new Promise<void>((resolve) => process.stdout.write('', () => resolve()))
  }
}
