import type { ReactElement } from 'react'
import type { LabTopology } from '../../protocol/lab.ts'
import { commandKey } from '../commands/commands.ts'
import { warnings } from '../lab/topology.ts'
import { useStore } from '../state/use-store.ts'
import { useApp, useI18n } from '../ui/context.tsx'
import { Icon } from '../ui/icons.tsx'
import { Checks } from './checks.tsx'
import { InspectorHead, TextField } from './fields.tsx'

/** The lab as a whole, while nothing in it is selected. */
export function LabInspector({ topology }: { topology: LabTopology }): ReactElement {
  const { workbench } = useApp()
  const i18n = useI18n()
  const { t } = i18n
  const bench = workbench.lab
  const path = useStore(bench.lab.store, (view) => view.path)
  const { lab } = workbench.commands
  const found = warnings(topology)
  const hints = [lab.addMachine, lab.addSwitch, lab.connect, lab.properties, lab.cut, lab.startLab]
  return (
    <>
      <InspectorHead title={topology.name || t('lab.untitled')} kind={path ?? t('lab.neverSaved')} />
      <Checks />
      {found.length > 0 && (
        <ul className="inspector-warnings">
          {found.map((warning) => (
            <li key={warning.kind}>
              <button
                type="button"
                className="inspector-warning"
                onClick={() => (warning.kind === 'loop' ? bench.select([], warning.links) : bench.select(warning.nodes))}
              >
                <Icon name="warning" size={14} />
                {warning.kind === 'loop'
                  ? t('lab.warning.loop')
                  : t('lab.warning.address', { address: warning.address, nodes: warning.nodes.join(', ') })}
              </button>
            </li>
          ))}
        </ul>
      )}
      <TextField
        label={t('lab.name')}
        value={topology.name}
        placeholder={t('lab.untitled')}
        isFirst
        onDone={(name) => bench.changeLab({ name: name.trim() })}
      />
      <TextField
        label={t('lab.seed')}
        value={String(topology.seed)}
        hint={t('lab.seed.hint')}
        problemOf={(text) => (/^\d{1,9}$/.test(text.trim()) ? null : t('lab.seed.problem'))}
        onDone={(text) => bench.changeLab({ seed: Number(text) })}
      />
      <section className="inspector-section">
        <h3>{t('lab.keys')}</h3>
        <dl className="inspector-keys">
          {hints.map((command) => (
            <div key={command.title}>
              <dt>{t(command.title)}</dt>
              <dd>
                <kbd>{commandKey(command, i18n)}</kbd>
              </dd>
            </div>
          ))}
        </dl>
      </section>
    </>
  )
}
