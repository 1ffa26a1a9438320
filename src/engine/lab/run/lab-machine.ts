import type { ProcessView } from '../../kernel/process/view.ts'
import type { MachineInput, MachineOutput, MachineReport } from './runner.ts'
import type { CreateLabSession, LabSession, SessionPhase } from './session.ts'

const ENDED: ReadonlySet<SessionPhase> = new Set(['halted', 'exited', 'panicked', 'shutdown', 'stopped'])

/** What an output is made of while it is gathered. */
interface Chunk {
  bytes: number[]
  timesNs: number[]
}

/**
 * One machine of a lab, on and off, in the lab's time. Inputs are applied between two calls of the session: it has then reached their
 * time and not an instruction more, wherever windows end. What it does beyond a window's end, when its kernel charges a long piece of
 * work at once, is told with the window to which it belongs.
 */
export class LabMachine<Spec> {
  readonly node: string
  spec: Spec
  private readonly create: CreateLabSession<Spec>
  private session: LabSession | null = null
  /** The lab's time at which it was switched on. */
  private bornNs = 0
  private ended: Omit<MachineReport, 'node' | 'quietUntilNs'> = { phase: 'off', virtualNs: 0, instructions: 0 }
  private outputs: MachineOutput[] = []
  private chunk: Chunk = { bytes: [], timesNs: [] }

  constructor(node: string, spec: Spec, create: CreateLabSession<Spec>) {
    this.node = node
    this.spec = spec
    this.create = create
  }

  /** Returns what it did before `untilNs`. */
  advance(untilNs: number, inputs: readonly MachineInput[]): MachineOutput[] {
    for (const input of inputs) {
      this.run(input.timeNs)
      this.apply(input)
    }
    this.run(untilNs)
    this.endChunk()
    return this.takeBefore(untilNs)
  }

  report(untilNs: number): MachineReport {
    const { node, session } = this
    // What it does beyond the window is told with later ones, which therefore may not be skipped.
    const heldNs = this.outputs.reduce((least, { timeNs }) => Math.min(least, timeNs), Infinity)
    if (session === null) return { node, ...this.ended, quietUntilNs: heldNs }
    const { phase, exitStatus, message, virtualNs, instructions } = session.status()
    const quietUntilNs = Math.min(Math.max(untilNs, this.bornNs + session.quietUntilNs), heldNs)
    return { node, phase, exitStatus, message, virtualNs, instructions, quietUntilNs }
  }

  processes(): ProcessView[] {
    return this.session?.processes() ?? []
  }

  private run(untilNs: number): void {
    const { session } = this
    if (session === null) return
    try {
      session.advance(Math.max(0, untilNs - this.bornNs))
    } catch (error) {
      this.end({ ...session.status(), phase: 'panicked', message: `Atoll failed while it ran this machine: ${sentence(error)}` })
      return
    }
    const status = session.status()
    if (ENDED.has(status.phase)) this.end(status)
  }

  private apply(input: MachineInput): void {
    switch (input.kind) {
      case 'boot':
        this.end(null, input.timeNs)
        this.boot(input.timeNs)
        return
      case 'kill':
        this.end(null, input.timeNs)
        return
      case 'type':
        this.session?.type(input.bytes)
        return
      case 'frame':
        this.session?.receive(input.frame)
        return
    }
  }

  private boot(timeNs: number): void {
    this.bornNs = timeNs
    this.say({ node: this.node, timeNs, kind: 'power', phase: 'booting' })
    try {
      this.session = this.create(this.spec, {
        onConsoleByte: (byte, ownNs) => {
          this.chunk.bytes.push(byte)
          this.chunk.timesNs.push(timeNs + ownNs)
        },
        onFrame: (frame, ownNs) => this.say({ node: this.node, timeNs: timeNs + ownNs, kind: 'frame', frame }),
      })
    } catch (error) {
      this.end({ phase: 'stopped', virtualNs: 0, instructions: 0, message: sentence(error) })
    }
  }

  /**
   * It is over. With a status it ended by itself, at the time that its own clock shows; without, the plug was pulled at `timeNs`: what it
   * would have done after that never happened.
   */
  private end(status: ReturnType<LabSession['status']> | null, timeNs = 0): void {
    if (status !== null) {
      const { phase, exitStatus, message, virtualNs, instructions } = status
      this.say({ node: this.node, timeNs: this.bornNs + virtualNs, kind: 'power', phase, exitStatus, message })
      this.ended = { phase, exitStatus, message, virtualNs, instructions }
    } else {
      if (this.session === null && this.ended.phase === 'off') return
      this.endChunk()
      this.outputs = this.takeBefore(timeNs)
      const last = this.session?.status() ?? this.ended
      this.say({ node: this.node, timeNs, kind: 'power', phase: 'off' })
      this.ended = { phase: 'off', virtualNs: last.virtualNs, instructions: last.instructions }
    }
    this.session = null
  }

  private say(output: MachineOutput): void {
    this.endChunk()
    this.outputs.push(output)
  }

  private endChunk(): void {
    const { bytes, timesNs } = this.chunk
    if (bytes.length === 0) return
    this.chunk = { bytes: [], timesNs: [] }
    this.outputs.push({
      node: this.node,
      timeNs: timesNs[0],
      kind: 'console',
      bytes: Uint8Array.from(bytes),
      timesNs: Float64Array.from(timesNs),
    })
  }

  /**
   * Removes and returns what happened before `timeNs`, in order: a frame leaves when its last bit does, which the processor may have
   * passed by then. A piece of console output is cut in two there.
   */
  private takeBefore(timeNs: number): MachineOutput[] {
    if (this.outputs.length === 0) return []
    const taken: MachineOutput[] = []
    const later: MachineOutput[] = []
    for (const output of this.outputs.sort((one, other) => one.timeNs - other.timeNs)) {
      const [before, after] = output.kind === 'console' ? cutConsole(output, timeNs) : [output]
      if (output.kind !== 'console' && output.timeNs >= timeNs) later.push(output)
      else if (before !== undefined) taken.push(before)
      if (after !== undefined) later.push(after)
    }
    this.outputs = later
    return taken
  }
}

type ConsoleOutput = Extract<MachineOutput, { kind: 'console' }>

function cutConsole(output: ConsoleOutput, timeNs: number): [before?: ConsoleOutput, after?: ConsoleOutput] {
  const { bytes, timesNs } = output
  const cut = timesNs.findIndex((byteNs) => byteNs >= timeNs)
  if (cut === -1) return [output]
  if (cut === 0) return [undefined, output]
  const piece = (from: number, to: number): ConsoleOutput => ({
    ...output,
    timeNs: timesNs[from],
    bytes: bytes.slice(from, to),
    timesNs: timesNs.slice(from, to),
  })
  return [piece(0, cut), piece(cut, bytes.length)]
}

function sentence(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
