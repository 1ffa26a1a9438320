import type { IDockviewPanelProps } from 'dockview-react'
import type { ReactElement } from 'react'
import type { LabConsoleParams } from '../panels/layout.ts'
import { useStore } from '../state/use-store.ts'
import { Button } from '../ui/button.tsx'
import { useApp, useI18n } from '../ui/context.tsx'
import { Ring } from '../ui/ring.tsx'
import { useNodeLook } from '../topology/use-node-look.ts'
import { ConsoleView } from './console-view.tsx'

/** The serial console of one of the lab's machines. */
export function LabConsolePanel({ params }: IDockviewPanelProps<LabConsoleParams>): ReactElement {
  const { node } = params
  const { workbench, labConsoles } = useApp()
  const { t } = useI18n()
  const terminal = labConsoles.terminal(node)
  const hasText = useStore(terminal.hasText)
  const look = useNodeLook(node)
  return (
    <ConsoleView
      terminal={terminal}
      label={t('lab.console.label', { node })}
      empty={
        !hasText &&
        !look.isAlive && (
          <>
            <Ring state="off" size={40} />
            <p className="console-empty-title">{t('lab.console.off', { node })}</p>
            <Button icon="play" onClick={() => void workbench.lab.start([node])}>
              {t('lab.node.start', { node })}
            </Button>
          </>
        )
      }
    />
  )
}
