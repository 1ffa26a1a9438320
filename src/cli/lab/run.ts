import { createWriteStream } from 'node:fs'
import type { WriteStream } from 'node:fs'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { setImmediate } from 'node:timers/promises'
import type { Lab } from '../../engine/lab/lab.ts'
import { ChromeTrace } from '../../engine/lab/trace/chrome.ts'
import type { TraceListener } from '../../engine/lab/trace/trace.ts'
import { fileError, UserError } from '../../main/service/errors.ts'
import { buildMachines, LabBuilder } from '../../main/service/lab/lab-build.ts'
import { LabCapture } from '../../main/service/lab/lab-capture.ts'
import { LabRun } from '../../main/service/lab/lab-run.ts'
import { openLab, systemProject } from '../../main/service/lab/open-lab.ts'
import { openToolchain, ToolchainBuilder } from '../../main/service/toolchain-builder.ts'
import type { Project } from '../../main/service/project.ts'
import { ExitStatus } from '../exit-status.ts'
import { printDiagnostics, say } from '../report.ts'
import { LabConsole } from './lab-console.ts'
import { StandardOutput } from './standard-output.ts'

export interface LabRunOptions {
  /** Virtual time; the lab's own duration when left out. */
  untilNs?: number
  seed?: number
  /** 0 runs every machine in this thread; one for each core when left out. */
  workers?: number
  /** Where frames go, as pcapng. */
  capture?: string
  /** Where the trace goes, as Chrome's JSON. */
  trace?: string
}

/** `atoll lab run`: returns the exit status. Throws a UserError for what the user can mend. */
export async function runLab(path: string, options: LabRunOptions): Promise<number> {
  const opened = await openLab(path)
  const lab: Lab = { ...opened.lab, seed: options.seed ?? opened.lab.seed }
  if (lab.nodes.every(({ kind }) => kind !== 'machine')) throw new UserError('the lab has no machine to run')
  const untilNs = options.untilNs ?? lab.durationNs
  const outputs = new Outputs()
  const nodes = lab.nodes.map(({ id }) => id)
  const standardOutput = new StandardOutput()
  const lines = new LabConsole(nodes, (text) => standardOutput.write(text))
  const listeners: TraceListener[] = [(record) => lines.take(record)]
  const capture = options.capture === undefined ? undefined : new LabCapture(await outputs.open(options.capture))
  if (capture !== undefined) listeners.push((record) => void (record.kind === 'frame' && capture.take(record.event)))
  const trace = options.trace === undefined ? undefined : new ChromeTrace(nodes, await outputs.open(options.trace))
  if (trace !== undefined) listeners.push((record) => trace.take(record))
  const run = new LabRun({ lab, workers: options.workers ?? availableParallelism(), listeners })
  try {
    if (!(await define(lab, opened.folder, run))) return ExitStatus.USAGE_OR_BUILD
    while (run.coordinator.nowNs < untilNs) {
      await run.coordinator.step(untilNs)
      await Promise.all([outputs.drain(), standardOutput.drain()])
      // Without workers nothing else would let signals and streams have their turn.
      if (options.workers === 0) await setImmediate()
    }
    run.coordinator.end()
    lines.end()
    trace?.close()
  } finally {
    run.dispose()
    await outputs.close()
  }
  const status = report(run)
  standardOutput.write(`trace ${run.traceHash()}\n`)
  await standardOutput.flush()
  return status
}

/** Builds the programs and switches every machine on; false, and said so, when one does not build. */
async function define(lab: Lab, folder: Project, { coordinator }: LabRun): Promise<boolean> {
  const builder = new LabBuilder(new ToolchainBuilder(openToolchain()), [folder, systemProject()])
  const nodes = lab.nodes.filter(({ kind }) => kind === 'machine')
  const { machines, results, message } = await buildMachines(builder, lab, nodes, folder)
  for (const { diagnostics } of results) printDiagnostics(diagnostics)
  if (message !== undefined) {
    say(message)
    return false
  }
  for (const [node, { spec }] of machines) {
    coordinator.define(node, spec)
    coordinator.act({ do: 'boot', node })
  }
  return true
}

/** Says on standard error what went wrong, and returns the exit status. */
function report(run: LabRun): number {
  for (const { node, phase, message } of run.coordinator.reports())
    if (phase === 'panicked' || phase === 'shutdown' || phase === 'stopped') say(`${node}: ${message ?? phase}`)
  const failed = run.coordinator.checkStatuses().filter(({ state }) => state === 'failed')
  for (const { name, message } of failed) say(`check failed: ${name}: ${message}`)
  return failed.length > 0 ? ExitStatus.CHECK_FAILED : ExitStatus.OK
}

interface Output {
  path: string
  stream: WriteStream
  failure?: Error
}

/** Files that are written while the lab runs, no faster than the disk takes them. */
class Outputs {
  readonly #outputs: Output[] = []

  /** Throws a UserError when it cannot be written. */
  async open(path: string): Promise<(piece: string | Uint8Array) => void> {
    const stream = createWriteStream(path)
    try {
      await once(stream, 'open')
    } catch (error) {
      throw fileError('write', path, error)
    }
    const output: Output = { path, stream }
    stream.on('error', (error) => (output.failure = error))
    this.#outputs.push(output)
    return (piece) => void stream.write(piece)
  }

  async drain(): Promise<void> {
    for (const { path, stream, failure } of this.#outputs) {
      if (failure !== undefined) throw fileError('write', path, failure)
      if (stream.writableNeedDrain) await once(stream, 'drain')
    }
  }

  async close(): Promise<void> {
    for (const { path, stream, failure } of this.#outputs) {
      if (failure === undefined) await new Promise((resolve) => stream.end(resolve))
      if (failure !== undefined) throw fileError('write', path, failure)
    }
  }
}
