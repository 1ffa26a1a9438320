import { resolve } from 'node:path'
import { BadImage } from '../engine/machine/loader/bad-image.ts'
import { Machine } from '../engine/machine/machine.ts'
import { UserError } from '../main/service/errors.ts'
import type { TierChoice } from '../main/service/machine-options.ts'
import { readProgram } from '../main/service/program.ts'
import { drive } from './drive.ts'
import { ExitStatus } from './exit-status.ts'
import { HostConsole } from './host-console.ts'
import { say } from './report.ts'
import type { OpenGuest } from './tiers.ts'
import { guestFor } from './tiers.ts'

export interface BootOptions {
  ramBytes: number
  limitNs?: number
  tier: TierChoice
  /** The kernel's command line. */
  append: string
  /** A file for Linux's initial RAM disk, or a Multiboot kernel's first module. */
  initrd?: string
  /** Further modules for a Multiboot kernel: a file each, and behind a space the module's command line. */
  modules: readonly string[]
}

/**
 * `atoll boot`: a machine without our kernel, for a Linux bzImage or any Multiboot image, with its first serial port on standard input and
 * output. The exit status is what the guest writes to the debug-exit port, as QEMU's isa-debug-exit turns it into one: (value << 1) | 1;
 * or 0 when the guest switches the machine off.
 */
export async function boot(file: string, options: BootOptions): Promise<number> {
  const io = new HostConsole()
  io.open()
  const image = await readProgram(resolve(file), file)
  const initrd = options.initrd === undefined ? undefined : await readProgram(resolve(options.initrd), options.initrd)
  const modules: { bytes: Uint8Array; commandLine: string }[] = []
  for (const module of options.modules) {
    const path = module.split(' ', 1)[0]
    modules.push({ bytes: await readProgram(resolve(path), path), commandLine: module })
  }
  const warned = new Set<string>()
  const machines: Machine[] = []
  const guest = guestFor(options.tier, (tier, isHeard) => {
    const machine = new Machine({
      ramBytes: options.ramBytes,
      tier,
      onWarning: (message) => {
        if (warned.has(message)) return
        warned.add(message)
        say(message)
      },
    })
    try {
      machine.loadKernel(image, file, { commandLine: options.append, initrd, modules })
    } catch (error) {
      if (error instanceof BadImage) throw new UserError(`${file}: ${error.message}`)
      throw error
    }
    if (isHeard) machine.serial.onTransmit = (byte) => io.writeByte(byte)
    machines.push(machine)
    return guestOf(machine)
  })
  io.enterRawMode()
  const ending = await drive(guest, io, { pace: io.input === 'terminal' ? 'live' : 'fast', limitNs: options.limitNs })
  await io.flush(true)
  io.restore()
  if (ending === 'quit') return ExitStatus.INTERRUPTED
  if (ending === 'broken-pipe') return ExitStatus.BROKEN_PIPE
  if (ending === 'time-limit') {
    say(`stopped at the time limit of ${(options.limitNs ?? 0) / 1e9} s of virtual time`)
    return ExitStatus.TIME_LIMIT
  }
  const { state } = machines[0]
  if (state.kind === 'off') return ExitStatus.OK
  if (state.kind === 'exited') return ((state.code << 1) | 1) & 0xff
  say(state.kind === 'shutdown' ? `the processor shut down: ${state.reason}` : 'the machine halted with no interrupt to wake it')
  return state.kind === 'shutdown' ? ExitStatus.KERNEL : ExitStatus.OK
}

const guestOf = (machine: Machine): OpenGuest => ({
  machine,
  advance: (untilNs) => void machine.run(untilNs),
  type: (bytes) => machine.serial.receive(bytes),
  // A serial line has no end that a guest could see.
  endInput: () => undefined,
  get virtualNs() {
    return machine.clock.nowNs
  },
  get isEnded() {
    return machine.state.kind !== 'running'
  },
  get untakenBytes() {
    return machine.serial.waiting
  },
  waitsForInput: false,
})
