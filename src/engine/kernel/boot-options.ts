import { splitCommandLine } from './arch/multiboot.ts'
import type { NetworkConfiguration } from './net/configuration.ts'
import { HOSTNAME_DEFAULT, isHostname } from './net/configuration.ts'

/**
 * What the Multiboot command line says: `init=/bin/hello seed=7 address=10.0.0.1/24 gateway=10.0.0.254 hostname=alice -- first second`.
 */
export interface BootOptions {
  /** Path of the first program. */
  init: string
  /** Its arguments, argv[0] included. */
  args: string[]
  seed: number
  network: NetworkConfiguration
}

/** Reads the command line; words it does not know are left alone. */
export function parseBootOptions(commandLine: string): BootOptions {
  const words = splitCommandLine(commandLine)
  const separator = words.indexOf('--')
  const own = separator === -1 ? words : words.slice(0, separator)
  const value = (key: string): string | undefined => own.find((word) => word.startsWith(`${key}=`))?.slice(key.length + 1)
  const init = value('init') ?? '/init'
  const args = separator === -1 ? [init] : words.slice(separator + 1)
  const hostname = value('hostname') ?? ''
  return {
    init,
    args,
    seed: Number.parseInt(value('seed') ?? '0', 10) >>> 0,
    network: {
      address: value('address') ?? null,
      gateway: value('gateway') ?? null,
      hostname: isHostname(hostname) ? hostname : HOSTNAME_DEFAULT,
    },
  }
}
