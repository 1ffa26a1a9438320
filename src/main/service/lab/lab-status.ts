import type { CheckStatus } from '../../../engine/lab/checks.ts'
import type { Lab } from '../../../engine/lab/lab.ts'
import type { LabMachineStatus, LabPhase, LabStatus, LinkStatus } from '../../../protocol/lab.ts'
import type { LabLoop } from './lab-loop.ts'
import type { LabRun } from './lab-run.ts'

/** What is left of a run that has ended. */
export interface Ended {
  virtualNs: number
  checks: CheckStatus[]
}

export interface LabState {
  /** As it is drawn. */
  lab: Lab
  run?: LabRun
  loop?: LabLoop
  last?: Ended
  /** Machines that were switched on; one of which nothing has been heard yet boots. */
  switchedOn: ReadonlySet<string>
  isBuilding: boolean
  cuts: ReadonlySet<string>
  /** Why it had to end. */
  failure?: string
}

/** How a lab stands, for those who watch it. */
export function labStatus(state: LabState): LabStatus {
  const { run, loop, last, failure } = state
  const status: LabStatus = {
    phase: phaseOf(state),
    virtualNs: run?.coordinator.nowNs ?? last?.virtualNs ?? 0,
    realTimeFactor: loop?.realTimeFactor() ?? 0,
    machines: machinesOf(state),
    links: linksOf(state),
    checks: run?.coordinator.checkStatuses() ?? last?.checks ?? [],
  }
  return failure === undefined ? status : { ...status, message: failure }
}

function phaseOf({ isBuilding, failure, loop }: LabState): LabPhase {
  if (isBuilding) return 'building'
  if (failure !== undefined) return 'failed'
  if (loop === undefined) return 'stopped'
  return loop.isPaused ? 'paused' : 'running'
}

function machinesOf({ lab, run, switchedOn }: LabState): LabMachineStatus[] {
  const reports = new Map(run?.coordinator.reports().map((report) => [report.node, report]))
  return lab.nodes
    .filter(({ kind }) => kind === 'machine')
    .map(({ id }): LabMachineStatus => {
      const report = reports.get(id)
      if (report === undefined) return { node: id, phase: switchedOn.has(id) ? 'booting' : 'off', virtualNs: 0, instructions: 0 }
      const { phase, exitStatus, virtualNs, instructions, message } = report
      return { node: id, phase, exitStatus, virtualNs, instructions, message }
    })
}

function linksOf({ lab, run, cuts }: LabState): LinkStatus[] {
  const accounts = new Map(run?.wire.accounts().map((account) => [account.link, account]))
  // The network knows what the timeline did to a link; what is drawn is newer until the network has been told.
  const isSettled = run?.coordinator.isSettled === true
  return lab.links.map(({ id, impairments }) => {
    const account = accounts.get(id)
    const { sentFrames = 0, deliveredFrames = 0, droppedFrames = 0, bytes = 0 } = account ?? {}
    return {
      link: id,
      isCut: cuts.has(id),
      impairments: isSettled && account !== undefined ? account.impairments : impairments,
      sentFrames,
      deliveredFrames,
      droppedFrames,
      bytes,
    }
  })
}
