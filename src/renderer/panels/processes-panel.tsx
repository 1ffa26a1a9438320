import type { ReactElement } from 'react'
import { useEffect, useMemo, useState } from 'react'
import type { ProcessLook, ProcessRow } from '../lab/processes.ts'
import { processRows } from '../lab/processes.ts'
import { topologyOf } from '../lab/lab.ts'
import { useStore } from '../state/use-store.ts'
import { useApp, useI18n } from '../ui/context.tsx'
import { useNodeLook } from '../topology/use-node-look.ts'

/** Between two looks at the processes, in milliseconds. */
const LOOK_MS = 1000

/** The processes of the lab's machine that was selected last, while they run. */
export function ProcessesPanel(): ReactElement {
  const { workbench } = useApp()
  const { t } = useI18n()
  const bench = workbench.lab
  const topology = useStore(bench.lab.store, topologyOf)
  const selected = useStore(bench.lastMachine)
  const machines = (topology?.nodes ?? []).filter(({ kind }) => kind === 'machine').map(({ id }) => id)
  const node = selected ?? machines[0]
  if (node === undefined) {
    return (
      <div className="panel-hint" tabIndex={-1} data-autofocus>
        <p>{t('processes.none')}</p>
      </div>
    )
  }
  return (
    <section className="processes" aria-label={t('processes.of', { node })}>
      <select
        className="input"
        data-autofocus=""
        aria-label={t('processes.machine')}
        value={node}
        onChange={({ target: { value } }) => bench.lastMachine.set(value)}
      >
        {machines.map((id) => (
          <option key={id} value={id}>
            {id}
          </option>
        ))}
      </select>
      <ProcessTable key={node} node={node} />
    </section>
  )
}

function ProcessTable({ node }: { node: string }): ReactElement {
  const { t, number, duration } = useI18n()
  const look = useNodeLook(node)
  const { rows, problem } = useProcesses(node, look.isAlive)
  if (!look.isAlive) return <p className="panel-hint">{t('processes.off', { node, state: look.label })}</p>
  if (problem !== null) return <p className="panel-hint">{problem}</p>
  return (
    <div className="processes-scroll">
      <table>
        <thead>
          <tr>
            <th>{t('processes.column.pid')}</th>
            <th className="process-name">{t('processes.column.name')}</th>
            <th>{t('processes.column.state')}</th>
            <th>{t('processes.column.load')}</th>
            <th>{t('processes.column.memory')}</th>
            <th>{t('processes.column.time')}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ pid, name, depth, state, waitsFor, load, memoryBytes, cpuNs }) => (
            <tr key={pid}>
              <td>{pid}</td>
              <td className="process-name" style={{ paddingInlineStart: depth * 12 + 6 }}>
                {name}
              </td>
              <td className={`process-state process-${state}`}>
                {t(`processes.state.${state}`)}
                {waitsFor && <span className="process-wait"> {waitsFor}</span>}
              </td>
              <td>{load === null ? '–' : number(load, { style: 'percent', maximumFractionDigits: 0 })}</td>
              <td>{number(memoryBytes / 1024, { maximumFractionDigits: 0 })} KiB</td>
              <td>{duration(cpuNs / 1e6)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

/** Looks once a second while the machine lives and the panel is there. */
function useProcesses(node: string, isAlive: boolean): { rows: readonly ProcessRow[]; problem: string | null } {
  const { workbench } = useApp()
  const [looks, setLooks] = useState<{ now: ProcessLook | null; before: ProcessLook | null }>({ now: null, before: null })
  const [problem, setProblem] = useState<string | null>(null)
  useEffect(() => {
    if (!isAlive) return
    let isOver = false
    const take = async (): Promise<void> => {
      const result = await workbench.lab.processes(node)
      if (isOver) return
      if (typeof result === 'string') setProblem(result)
      else {
        setProblem(null)
        setLooks(({ now }) => ({ now: result, before: now }))
      }
    }
    void take()
    const timer = setInterval(() => void take(), LOOK_MS)
    return () => {
      isOver = true
      clearInterval(timer)
    }
  }, [workbench, node, isAlive])
  const rows = useMemo(() => (looks.now ? processRows(looks.now, looks.before) : []), [looks])
  return { rows, problem }
}
