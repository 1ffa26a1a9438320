import { setImmediate } from 'node:timers/promises'
import type { Pace } from '../main/worker/messages.ts'
import { Pacer } from '../main/worker/pacer.ts'

/** What the command line drives: a machine, with or without our kernel. */
export interface Guest {
  advance(untilNs: number): void
  type(bytes: Uint8Array): void
  endInput(): void
  readonly virtualNs: number
  readonly isEnded: boolean
  /** Bytes typed that the machine has not taken yet. */
  readonly untakenBytes: number
  /** Everybody in the machine waits for the console: nothing happens until something is typed. */
  readonly waitsForInput: boolean
}

/** The other end of the serial line; `HostConsole` is one. */
export interface Line {
  readonly isBroken: boolean
  readonly isQuit: boolean
  readonly hasInput: boolean
  take(): { bytes: Uint8Array[]; isEnded: boolean }
  wait(ms: number): Promise<void>
  flush(): Promise<void>
}

export type Ending = 'ended' | 'time-limit' | 'quit' | 'broken-pipe'

/** No more input is handed over while the machine has so much to take, in bytes. */
const UNTAKEN_BYTES_MAX = 64 * 1024

/**
 * Runs a guest at the end of a line until one of them has had enough. With `live` the clock follows the wall; with `fast` it does so only
 * while the guest waits for input that may still come, since nothing else can happen meanwhile.
 */
export async function drive(
  guest: Guest,
  line: Line,
  { pace, limitNs = Number.POSITIVE_INFINITY }: { pace: Pace; limitNs?: number },
): Promise<Ending> {
  let isInputOpen = true
  const fast = new Pacer('fast', performance.now())
  let live: Pacer | undefined = pace === 'live' ? new Pacer('live', performance.now()) : undefined
  for (;;) {
    if (line.isQuit) return 'quit'
    if (line.isBroken) return 'broken-pipe'
    if (isInputOpen && line.hasInput && guest.untakenBytes < UNTAKEN_BYTES_MAX) {
      const { bytes, isEnded } = line.take()
      for (const piece of bytes) guest.type(piece)
      if (isEnded) guest.endInput()
      isInputOpen = !isEnded
      live?.wake()
    }
    const now = performance.now()
    const beforeNs = guest.virtualNs
    if (pace === 'fast') {
      const isWaiting = isInputOpen && guest.waitsForInput
      if (!isWaiting) live = undefined
      else if (live === undefined) {
        live = new Pacer('live', now)
        live.resume(now, beforeNs)
      }
    }
    const pacer = live ?? fast
    const step = pacer.next(now, beforeNs)
    if (step.kind === 'wait') {
      await line.wait(step.ms)
      continue
    }
    guest.advance(Math.min(step.untilNs, limitNs))
    pacer.ran(Math.max(0, guest.virtualNs - beforeNs), performance.now() - now)
    await line.flush()
    if (guest.isEnded) return 'ended'
    if (guest.virtualNs >= limitNs) return 'time-limit'
    await setImmediate()
  }
}
