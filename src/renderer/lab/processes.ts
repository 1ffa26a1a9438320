import type { ProcessStatus } from '../../protocol/lab.ts'

export interface ProcessRow extends ProcessStatus {
  /** Steps from the first process that has no parent in the list. */
  depth: number
  /** The part of the virtual time since the last look that it ran, 0 to 1; null at the first look. */
  load: number | null
}

export interface ProcessLook {
  virtualNs: number
  processes: readonly ProcessStatus[]
}

/** Parents before their children, each with the load since the look before. */
export function processRows(now: ProcessLook, before: ProcessLook | null): ProcessRow[] {
  const elapsedNs = before ? now.virtualNs - before.virtualNs : 0
  const spent = new Map(before?.processes.map(({ pid, cpuNs }) => [pid, cpuNs]))
  const childrenOf = (pid: number): ProcessStatus[] => now.processes.filter((process) => process.parent === pid && process.pid !== pid)
  const pids = new Set(now.processes.map(({ pid }) => pid))
  const rows: ProcessRow[] = []
  const visit = (process: ProcessStatus, depth: number): void => {
    const earlier = spent.get(process.pid)
    const load = earlier === undefined || elapsedNs <= 0 ? null : Math.min(1, Math.max(0, (process.cpuNs - earlier) / elapsedNs))
    rows.push({ ...process, depth, load })
    for (const child of childrenOf(process.pid)) visit(child, depth + 1)
  }
  for (const process of now.processes) if (!pids.has(process.parent) || process.parent === process.pid) visit(process, 0)
  return rows
}
