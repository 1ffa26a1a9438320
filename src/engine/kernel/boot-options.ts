import { splitCommandLine } from './arch/multiboot.ts'

/** What the Multiboot command line says: `init=/bin/hello seed=7 -- first second`. */
export interface BootOptions {
  /** Path of the first program. */
  init: string
  /** Its arguments, argv[0] included. */
  args: string[]
  seed: number
}

/** Reads the command line; words it does not know are left alone. */
export function parseBootOptions(commandLine: string): BootOptions {
  const words = splitCommandLine(commandLine)
  const separator = words.indexOf('--')
  const own = separator === -1 ? words : words.slice(0, separator)
  const value = (key: string): string | undefined => own.find((word) => word.startsWith(`${key}=`))?.slice(key.length + 1)
  const init = value('init') ?? '/init'
  const args = separator === -1 ? [init] : words.slice(separator + 1)
  return { init, args, seed: Number.parseInt(value('seed') ?? '0', 10) >>> 0 }
}
