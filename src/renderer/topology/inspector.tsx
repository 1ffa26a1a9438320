import type { ReactElement } from 'react'
import type { LabNode, LabTopology } from '../../protocol/lab.ts'
import { parseAddress } from '../lab/address.ts'
import { isLabUp } from '../lab/lab.ts'
import { findLink, findNode, linksOf, nodeNameProblem, peerOf } from '../lab/topology.ts'
import { isProgram } from '../state/paths.ts'
import { useStore } from '../state/use-store.ts'
import { Button, IconButton } from '../ui/button.tsx'
import { useApp, useCommand, useI18n } from '../ui/context.tsx'
import { Icon } from '../ui/icons.tsx'
import { Ring } from '../ui/ring.tsx'
import { Field, InspectorHead, TextField } from './fields.tsx'
import { LabInspector } from './lab-inspector.tsx'
import { LinkInspector } from './link-inspector.tsx'
import { joinArguments, splitArguments } from './quantities.ts'
import { useNodeLook } from './use-node-look.ts'

const MIB = 1024 * 1024
/** What a machine has when the lab does not say. */
const MEMORY_DEFAULT = 64 * MIB
const MEMORY_CHOICES = [16, 32, 64, 128, 256, 512].map((size) => size * MIB)

/** What is selected, and everything about it that can be changed. */
export function Inspector({ topology }: { topology: LabTopology }): ReactElement {
  const { workbench } = useApp()
  const { t } = useI18n()
  const { nodes, links } = useStore(workbench.lab.selection)
  const node = nodes.size === 1 && links.size === 0 ? findNode(topology, [...nodes][0]) : undefined
  const isLinks = links.size > 0 && nodes.size === 0
  return (
    <aside className="inspector" aria-label={t('lab.inspector')}>
      {node ? (
        <NodeInspector key={workbench.lab.identityOf(node.id)} node={node} topology={topology} />
      ) : isLinks ? (
        <LinkInspector
          key={[...links].join()}
          links={[...links].flatMap((id) => {
            const link = findLink(topology, id)
            return link ? [link] : []
          })}
        />
      ) : nodes.size > 1 ? (
        <SeveralInspector />
      ) : (
        <LabInspector topology={topology} />
      )}
    </aside>
  )
}

function NodeInspector({ node, topology }: { node: LabNode; topology: LabTopology }): ReactElement {
  const { workbench } = useApp()
  const { t } = useI18n()
  const bench = workbench.lab
  const links = linksOf(topology, node.id)
  const connect = useCommand(workbench.commands.lab.connect)
  const remove = useCommand(workbench.commands.lab.remove)
  return (
    <>
      <InspectorHead title={node.id} kind={t(`lab.kind.${node.kind}`)}>
        <IconButton icon="trash" label={remove.label} title={remove.tooltip} onClick={remove.run} />
      </InspectorHead>
      {node.kind === 'machine' && <MachineState node={node.id} />}
      <TextField
        label={t('lab.node.name')}
        value={node.id}
        isFirst
        problemOf={(text) => {
          const problem = nodeNameProblem(topology, text, node.id)
          return problem && t(`lab.name.${problem}`)
        }}
        onDone={(text) => bench.rename(node.id, text)}
      />
      {node.kind === 'machine' && <MachineFields node={node} />}
      <section className="inspector-section">
        <h3>{t('lab.node.cables')}</h3>
        {links.length === 0 && <p className="field-hint">{t('lab.node.cables.none')}</p>}
        <ul className="inspector-list">
          {links.map((link) => (
            <li key={link.id}>
              <button type="button" className="inspector-row" onClick={() => bench.select([], [link.id])}>
                <Icon name="cable" size={14} />
                <span>{peerOf(link, node.id)}</span>
                <span className="inspector-row-end">
                  {t('lab.node.port', { port: link.a.node === node.id ? link.a.port : link.b.port })}
                </span>
              </button>
            </li>
          ))}
        </ul>
        {(node.kind !== 'machine' || links.length === 0) && (
          <Button icon="cable" title={connect.tooltip} onClick={connect.run}>
            {connect.label}
          </Button>
        )}
      </section>
    </>
  )
}

function MachineState({ node }: { node: string }): ReactElement {
  const { workbench } = useApp()
  const { t, duration } = useI18n()
  const bench = workbench.lab
  const look = useNodeLook(node)
  const status = useStore(bench.lab.store, (view) => view.status.machines.find((machine) => machine.node === node))
  return (
    <section className={`inspector-state tone-${look.tone}`}>
      <Ring state={look.ring} size={22} />
      <p className="machine-phase">{look.label}</p>
      {status && status.phase !== 'off' && <p className="inspector-time">{duration(status.virtualNs / 1e6)}</p>}
      {look.detail && <p className="machine-detail">{look.detail}</p>}
      <div className="inspector-actions">
        <Button icon={look.isAlive ? 'reset' : 'play'} onClick={() => void bench.start([node])}>
          {t(look.isAlive ? 'lab.node.restart' : 'lab.menu.start')}
        </Button>
        {look.isAlive && (
          <Button icon="stop" onClick={() => void bench.stop([node])}>
            {t('lab.menu.stop')}
          </Button>
        )}
        <IconButton icon="console" label={t('lab.console.tab', { node })} onClick={() => bench.openConsole(node)} />
      </div>
    </section>
  )
}

function MachineFields({ node }: { node: LabNode }): ReactElement {
  const { workbench } = useApp()
  const { t, number } = useI18n()
  const bench = workbench.lab
  const entries = useStore(workbench.project.store, (project) => project.entries)
  const isUp = useStore(bench.lab.store, isLabUp)
  const programs = (entries ?? []).filter(({ kind, path }) => kind === 'file' && isProgram(path)).map(({ path }) => path)
  const isMissing = node.program !== undefined && entries !== null && !programs.includes(node.program)
  const memory = node.memoryBytes ?? MEMORY_DEFAULT
  return (
    <>
      <Field label={t('lab.node.program')} problem={isMissing ? t('lab.node.program.missing') : null}>
        {(id, describedBy) => (
          <select
            id={id}
            className="input"
            aria-describedby={describedBy}
            value={node.program ?? ''}
            onChange={({ target: { value } }) => bench.change(node.id, { program: value === '' ? undefined : value })}
          >
            <option value="">{t('lab.shell')}</option>
            {isMissing && <option value={node.program}>{node.program}</option>}
            {programs.map((path) => (
              <option key={path} value={path}>
                {path}
              </option>
            ))}
          </select>
        )}
      </Field>
      <TextField
        label={t('lab.node.args')}
        value={joinArguments(node.args ?? [])}
        placeholder={t('lab.node.args.placeholder')}
        onDone={(text) => {
          const args = splitArguments(text)
          bench.change(node.id, { args: args.length === 0 ? undefined : args })
        }}
      />
      <TextField
        label={t('lab.node.address')}
        value={node.address ?? ''}
        placeholder={t('lab.node.address.placeholder')}
        hint={node.address === undefined ? t('lab.node.address.hint') : undefined}
        problemOf={(text) => (text.trim() === '' || parseAddress(text) ? null : t('lab.node.address.problem'))}
        onDone={(text) => bench.change(node.id, { address: text.trim() === '' ? undefined : text.trim() })}
      />
      <Field label={t('lab.node.memory')} hint={isUp ? t('lab.node.nextStart') : undefined}>
        {(id, describedBy) => (
          <select
            id={id}
            className="input"
            aria-describedby={describedBy}
            value={memory}
            onChange={({ target: { value } }) =>
              bench.change(node.id, { memoryBytes: Number(value) === MEMORY_DEFAULT ? undefined : Number(value) })
            }
          >
            {[...new Set([...MEMORY_CHOICES, memory])]
              .sort((a, b) => a - b)
              .map((bytes) => (
                <option key={bytes} value={bytes}>
                  {number(bytes / MIB)} MiB
                </option>
              ))}
          </select>
        )}
      </Field>
    </>
  )
}

function SeveralInspector(): ReactElement {
  const { workbench } = useApp()
  const { t } = useI18n()
  const bench = workbench.lab
  const { lab } = workbench.commands
  const { nodes } = useStore(bench.selection)
  const machines = bench.selectedMachines()
  const duplicate = useCommand(lab.duplicate)
  const remove = useCommand(lab.remove)
  const alignments = [
    ['alignRow', useCommand(lab.alignRow)],
    ['alignColumn', useCommand(lab.alignColumn)],
    ['spreadRow', useCommand(lab.spreadRow)],
    ['spreadColumn', useCommand(lab.spreadColumn)],
  ] as const
  return (
    <>
      <InspectorHead title={t('lab.several', { count: nodes.size })} kind={[...nodes].join(', ')}>
        <IconButton icon="trash" label={remove.label} title={remove.tooltip} onClick={remove.run} />
      </InspectorHead>
      <section className="inspector-section">
        <h3>{t('lab.several.arrange')}</h3>
        <div className="inspector-actions">
          {alignments.map(([icon, { label, tooltip, run }]) => (
            <IconButton key={icon} icon={icon} label={label} title={tooltip} onClick={run} />
          ))}
        </div>
        <Button icon="duplicate" title={duplicate.tooltip} onClick={duplicate.run}>
          {duplicate.label}
        </Button>
      </section>
      {machines.length > 0 && (
        <section className="inspector-section">
          <h3>{t('lab.several.machines', { count: machines.length })}</h3>
          <div className="inspector-actions">
            <Button icon="play" onClick={() => void bench.start(machines)}>
              {t('lab.menu.start')}
            </Button>
            <Button icon="stop" onClick={() => void bench.stop(machines)}>
              {t('lab.menu.stop')}
            </Button>
          </div>
        </section>
      )}
    </>
  )
}
