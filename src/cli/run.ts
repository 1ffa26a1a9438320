import { resolve } from 'node:path'
import { UserError } from '../main/service/errors.ts'
import type { TierChoice } from '../main/service/machine-options.ts'
import { checkArgs } from '../main/service/machine-options.ts'
import { checkProgram, kindOf, readProgram } from '../main/service/program.ts'
import type { HostedMachine } from '../main/service/create-session.ts'
import { guestFiles, guestProgramPath } from '../main/service/guest-files.ts'
import { Project } from '../main/service/project.ts'
import { systemPrograms } from '../main/service/system-programs.ts'
import { openToolchain } from '../main/service/toolchain-builder.ts'
import type { MachineSpec } from '../main/worker/messages.ts'
import type { MachinePhase } from '../protocol/service.ts'
import { buildSource } from './build.ts'
import type { Ending } from './drive.ts'
import { drive } from './drive.ts'
import { ExitStatus } from './exit-status.ts'
import { HostConsole } from './host-console.ts'
import { say } from './report.ts'
import type { OpenGuest } from './tiers.ts'
import { guestFor } from './tiers.ts'

export interface RunOptions {
  ramBytes: number
  seed: number
  tier: TierChoice
  /** Of virtual time; none when left out. */
  limitNs?: number
  /** A folder whose files the guest finds in its RAM file system. */
  files?: string
}

/** `atoll run`: returns the exit status. Throws a UserError for what the user can mend. */
export async function run(file: string, args: string[], options: RunOptions): Promise<number> {
  checkArgs(args)
  const io = new HostConsole()
  io.open()
  // Loading the engine takes as long as a small compilation; the compiler is another process.
  const toolchain = openToolchain()
  const path = guestProgramPath(file)
  const [program, boot, files, system, { createSession }] = await Promise.all([
    loadProgram(file, options.ramBytes),
    toolchain.assembleBoot(),
    options.files === undefined ? new Map<string, Uint8Array>() : guestFiles(new Project(resolve(options.files))),
    systemPrograms(toolchain, path),
    import('../main/service/create-session.ts'),
  ])
  if (program === undefined) return ExitStatus.USAGE_OR_BUILD
  const spec: MachineSpec = {
    boot,
    program: { path, bytes: program, args },
    files: new Map([...system, ...files]),
    ramBytes: options.ramBytes,
    seed: options.seed,
  }
  const sessions: HostedMachine[] = []
  const guest = guestFor(options.tier, (tier, isHeard) => {
    const session = newSession(() => createSession({ ...spec, tier }, isHeard ? (bytes) => io.write(bytes) : () => {}))
    sessions.push(session)
    return guestOf(session)
  })
  const pace = io.input === 'terminal' ? 'live' : 'fast'
  io.enterRawMode()
  const ending = await drive(guest, io, { pace, limitNs: options.limitNs })
  await io.flush(true)
  io.restore()
  return conclude(ending, sessions[0].status(), options)
}

const guestOf = (session: HostedMachine): OpenGuest => ({
  machine: session.machine,
  advance: (untilNs) => session.advance(untilNs),
  type: (bytes) => session.type(bytes),
  endInput: () => session.endInput(),
  get virtualNs() {
    return session.status().virtualNs
  },
  get isEnded() {
    return ENDED.has(session.status().phase)
  },
  get untakenBytes() {
    return session.untakenBytes
  },
  get waitsForInput() {
    return session.waitsForInput
  },
})

/** A machine that the host has no memory for is nobody's bug. */
function newSession<T>(create: () => T): T {
  try {
    return create()
  } catch (error) {
    if (error instanceof RangeError) throw new UserError(`the machine cannot be made: ${error.message}`)
    throw error
  }
}

const ENDED: ReadonlySet<MachinePhase> = new Set(['exited', 'halted', 'panicked', 'shutdown', 'stopped'])

async function loadProgram(file: string, ramBytes: number): Promise<Uint8Array | undefined> {
  const kind = kindOf(file)
  if (kind === 'binary') {
    const bytes = await readProgram(resolve(file), file)
    checkProgram(bytes, file, ramBytes)
    return bytes
  }
  const built = await buildSource([file])
  if (built?.kind === 'wasm') checkProgram(built.output, file, ramBytes)
  return built?.output
}

function conclude(
  ending: Ending,
  status: { phase: MachinePhase; exitStatus?: number; message?: string },
  { limitNs = 0 }: RunOptions,
): number {
  switch (ending) {
    case 'quit':
      return ExitStatus.INTERRUPTED
    case 'broken-pipe':
      return ExitStatus.BROKEN_PIPE
    case 'time-limit':
      say(`stopped at the time limit of ${limitNs / 1e9} s of virtual time`)
      return ExitStatus.TIME_LIMIT
    case 'ended':
      if (status.phase === 'exited') return status.exitStatus ?? ExitStatus.OK
      say(
        status.message ??
          (status.phase === 'halted' ? 'the machine halted with no interrupt to wake it' : `the machine ended: ${status.phase}`),
      )
      return ExitStatus.KERNEL
  }
}
