import type { SessionOptions, SessionStatus } from '../session.ts'
import { MachineSession } from '../session.ts'

export interface Run {
  session: MachineSession
  /** Everything the machine sent. */
  output: string
  /** What it sent between the banner and the line that says how the first program ended. */
  program: string
  status: SessionStatus
}

export interface RunOptions extends Omit<SessionOptions, 'program' | 'onConsole'> {
  path?: string
  args?: string[]
  /** Typed at the start; then the input ends unless `keepInput` is set. */
  input?: string
  keepInput?: boolean
  /** Virtual nanoseconds after which it is enough. */
  untilNs?: number
}

const UNTIL_NS_DEFAULT = 2_000_000_000
/** The machine is advanced in windows, as a host does it. */
const WINDOW_NS = 7_000_000
/** The banner's last line. */
const BANNER_END = "`-~~~-'\n\n"

/** Boots a machine with a program and runs it to its end, or as long as it may. */
export function runProgram(bytes: Uint8Array, options: RunOptions): Run {
  const chunks: Uint8Array[] = []
  const { path = '/bin/program', args = [], input = '', keepInput = false, untilNs = UNTIL_NS_DEFAULT, ...rest } = options
  const session = new MachineSession({ ...rest, program: { path, bytes, args }, onConsole: (chunk) => chunks.push(chunk) })
  session.type(new TextEncoder().encode(input))
  if (!keepInput) session.endInput()
  const isOver = (): boolean => !['booting', 'running'].includes(session.status().phase)
  while (!isOver() && session.status().virtualNs < untilNs) session.advance(Math.min(session.status().virtualNs + WINDOW_NS, untilNs))
  const output = new TextDecoder().decode(Uint8Array.from(chunks.flatMap((chunk) => [...chunk])))
  const start = output.indexOf(BANNER_END)
  const program = start === -1 ? '' : output.slice(start + BANNER_END.length).replace(/\n?\[ *\d+\.\d+\] init: .*\n$/s, '\n').trimEnd()
  return { session, output, program, status: session.status() }
}
