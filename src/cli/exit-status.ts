/** What the command line's exit status says when it is not the guest program's own. */
export const ExitStatus = {
  OK: 0,
  /** A check of a lab failed; standard error says which. */
  CHECK_FAILED: 1,
  /** The arguments, the files or the program's source are wrong; standard error says how. */
  USAGE_OR_BUILD: 2,
  /** EX_SOFTWARE of sysexits(3): the kernel panicked, the processor shut down after a triple fault, or Atoll itself failed. */
  KERNEL: 70,
  /** As timeout(1): the limit of virtual time was reached. */
  TIME_LIMIT: 124,
  /** 128 + SIGINT. */
  INTERRUPTED: 130,
  /** 128 + SIGPIPE: nobody reads standard output any more. */
  BROKEN_PIPE: 141,
  /** 128 + SIGTERM. */
  TERMINATED: 143,
} as const
