/**
 * What a handler returns instead of a result when it cannot finish: the process sleeps on the channel and the system call is
 * made again, by the very instruction that made it, after the channel was woken. A channel is a name, so that a sleeping
 * process stays plain data.
 */
export class Wait {
  readonly channel: string
  /** Virtual nanoseconds at which the process wakes whatever the channel does; Infinity for never. */
  readonly deadlineNs: number

  constructor(channel: string, deadlineNs = Infinity) {
    this.channel = channel
    this.deadlineNs = deadlineNs
  }
}

/** Channels of the kernel's own. */
export const Channel = { CONSOLE_INPUT: 'console-input', TIMER: 'timer', AGAIN: 'again', ONWARD: 'onward' } as const

/** Make the same call again at once, after other processes had their turn: for work done in portions. */
export const again = new Wait(Channel.AGAIN, 0)

/** Make the same call again at once; others have their turn when the time slice is used up: for work that takes as long as it takes. */
export const onward = new Wait(Channel.ONWARD, 0)
