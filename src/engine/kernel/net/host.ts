import type { Random } from '../../random/random.ts'

/** What the network uses of the kernel around it. */
export interface NetworkHost {
  /** Virtual nanoseconds since reset. */
  readonly nowNs: number
  readonly random: Random
  /** Makes the processes runnable that sleep on the channel. */
  wake(channel: string): void
  /** Spends virtual time. */
  charge(ns: number): void
  /** One line of the kernel's log. */
  log(text: string): void
}

/** Channels that the network wakes beside those of single sockets. */
export const NetworkChannel = {
  /** The transmitter takes frames again. */
  WRITABLE: 'network-writable',
  /** The machine has got an address. */
  CONFIGURED: 'network-configured',
} as const

export const NS_PER_S = 1_000_000_000
