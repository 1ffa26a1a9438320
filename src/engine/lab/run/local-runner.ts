import type { ProcessView } from '../../kernel/process/view.ts'
import { LabMachine } from './lab-machine.ts'
import type { MachineInput, MachineRunner, WindowResult } from './runner.ts'
import type { CreateLabSession } from './session.ts'

/** Machines in this thread. A worker has one of these too, behind its messages. */
export class LocalRunner<Spec> implements MachineRunner<Spec> {
  private readonly create: CreateLabSession<Spec>
  private readonly onTurn: (node: string | null) => void
  private readonly machines = new Map<string, LabMachine<Spec>>()
  /** Until when each is quiet. */
  private readonly quietUntilNs = new Map<string, number>()

  /** @param onTurn told which machine runs next, and null when none does: so that whoever watches knows which one does not come back */
  constructor(create: CreateLabSession<Spec>, onTurn: (node: string | null) => void = () => {}) {
    this.create = create
    this.onTurn = onTurn
  }

  define(node: string, spec: Spec): void {
    const machine = this.machines.get(node)
    if (machine === undefined) this.machines.set(node, new LabMachine(node, spec, this.create))
    else machine.spec = spec
  }

  remove(node: string): void {
    this.machines.delete(node)
    this.quietUntilNs.delete(node)
  }

  advance(untilNs: number, inputs: readonly MachineInput[]): Promise<WindowResult> {
    const own = new Map<string, MachineInput[]>()
    for (const input of inputs) {
      const list = own.get(input.node)
      if (list === undefined) own.set(input.node, [input])
      else list.push(input)
    }
    const result: WindowResult = { outputs: [], reports: [] }
    for (const [node, machine] of this.machines) {
      const inputsOfNode = own.get(node)
      if (inputsOfNode === undefined && (this.quietUntilNs.get(node) ?? -Infinity) >= untilNs) continue
      this.onTurn(node)
      for (const output of machine.advance(untilNs, inputsOfNode ?? [])) result.outputs.push(output)
      const report = machine.report(untilNs)
      this.quietUntilNs.set(node, report.quietUntilNs)
      result.reports.push(report)
    }
    this.onTurn(null)
    return Promise.resolve(result)
  }

  processes(node: string): Promise<ProcessView[]> {
    return Promise.resolve(this.machines.get(node)?.processes() ?? [])
  }

  dispose(): void {
    this.machines.clear()
    this.quietUntilNs.clear()
  }
}
