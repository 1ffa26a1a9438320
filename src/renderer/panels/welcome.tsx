import type { ReactElement } from 'react'
import { commandKey } from '../commands/commands.ts'
import { baseName, isProgram } from '../state/paths.ts'
import { useStore } from '../state/use-store.ts'
import { Button } from '../ui/button.tsx'
import { useApp, useI18n } from '../ui/context.tsx'
import { Ring } from '../ui/ring.tsx'
import { useTarget } from '../ui/use-target.ts'

const PROGRAMS_SHOWN = 5

/** Shown where documents go while none is open: the loop in one sentence, and the ways in. */
export function Welcome(): ReactElement {
  const { workbench } = useApp()
  const i18n = useI18n()
  const { t } = i18n
  const entries = useStore(workbench.project.store, (project) => project.entries)
  const isAlive = useStore(workbench.machine.store, ({ status }) => status?.phase === 'running' || status?.phase === 'booting')
  const target = useTarget()
  const programs = (entries ?? [])
    .filter(({ kind, path }) => kind === 'file' && isProgram(path))
    .toSorted((a, b) => Number(b.path === target) - Number(a.path === target))
    .slice(0, PROGRAMS_SHOWN)
  const { boot, toggleConsole, palette, lab } = workbench.commands
  const key = commandKey(boot, i18n) ?? ''
  const [before, after] = t('welcome.title', { key: '\u0000' }).split('\u0000')
  return (
    <div className="welcome">
      <Ring state={isAlive ? 'live' : 'done'} size={56} />
      <h1>
        {before}
        <kbd>{key}</kbd>
        {after}
      </h1>
      <p>{t('welcome.detail')}</p>
      <div className="welcome-files">
        {programs.map(({ path }) => (
          <Button key={path} variant={path === target ? 'primary' : 'plain'} icon="file" onClick={() => workbench.openDocument(path)}>
            {t('welcome.open', { name: baseName(path) })}
          </Button>
        ))}
        <Button icon="plus" onClick={() => workbench.startNewFile('')}>
          {t('welcome.new')}
        </Button>
        <Button icon="network" onClick={lab.showTopology.run}>
          {t('welcome.lab')}
        </Button>
      </div>
      <dl className="welcome-keys">
        {(
          [
            ['welcome.boot', boot],
            ['welcome.focusConsole', toggleConsole],
            ['welcome.palette', palette],
          ] as const
        ).map(([label, command]) => (
          <div key={label}>
            <dt>{t(label)}</dt>
            <dd>
              <kbd>{commandKey(command, i18n)}</kbd>
            </dd>
          </div>
        ))}
      </dl>
    </div>
  )
}
