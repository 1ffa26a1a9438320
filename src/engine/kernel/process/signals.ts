/** Signal numbers as Linux has them on x86-64 (signal(7)). */
export const Signal = {
  SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGILL: 4, SIGTRAP: 5, SIGABRT: 6, SIGBUS: 7, SIGFPE: 8, SIGKILL: 9, SIGUSR1: 10,
  SIGSEGV: 11, SIGUSR2: 12, SIGPIPE: 13, SIGALRM: 14, SIGTERM: 15, SIGCHLD: 17, SIGCONT: 18, SIGSTOP: 19, SIGTSTP: 20,
  SIGURG: 23, SIGWINCH: 28, SIGSYS: 31,
} as const
export type SignalName = keyof typeof Signal

export const SIGNAL_MAX = 64

/** Signals whose default action is to do nothing. */
const IGNORED: readonly number[] = [Signal.SIGCHLD, Signal.SIGCONT, Signal.SIGURG, Signal.SIGWINCH]

export const isIgnoredByDefault = (signal: number): boolean => IGNORED.includes(signal)

/** `SIGSEGV`, or `signal 40` for one without a name here. */
export const signalName = (signal: number): string =>
  Object.entries(Signal).find(([, number]) => number === signal)?.[0] ?? `signal ${signal}`

/** Exit status of a process that a signal ended. */
export const signalStatus = (signal: number): number => 128 + signal
