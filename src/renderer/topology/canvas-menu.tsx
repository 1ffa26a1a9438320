import type { ReactElement } from 'react'
import type { NodePosition } from '../../protocol/lab.ts'
import type { Command } from '../commands/command.ts'
import { commandKey } from '../commands/commands.ts'
import { useApp, useI18n } from '../ui/context.tsx'
import type { MenuItem } from '../ui/menu.tsx'
import { Menu } from '../ui/menu.tsx'

export interface OpenCanvasMenu {
  kind: 'node' | 'link' | 'pane'
  x: number
  y: number
  /** The same place on the canvas. */
  at: NodePosition
}

/** What can be done at a place of the canvas. */
export function CanvasMenu({ menu, onClose }: { menu: OpenCanvasMenu; onClose: () => void }): ReactElement {
  const { workbench } = useApp()
  const i18n = useI18n()
  const { t } = i18n
  const bench = workbench.lab
  const { lab } = workbench.commands
  const item = (command: Command, isDanger = false): MenuItem[] =>
    command.isEnabled() ? [{ label: t(command.title), key: commandKey(command, i18n) ?? undefined, isDanger, run: command.run }] : []
  const machines = bench.selectedMachines()
  const items =
    menu.kind === 'node'
      ? [
          ...(machines.length > 0 ? [{ label: t('lab.menu.start'), run: () => void bench.start(machines) }] : []),
          ...(machines.some((node) => bench.isMachineAlive(node))
            ? [{ label: t('lab.menu.stop'), run: () => void bench.stop(machines) }]
            : []),
          ...item(lab.openConsole),
          ...item(lab.connect),
          ...item(lab.properties),
          ...item(lab.copy),
          ...item(lab.duplicate),
          ...[lab.alignRow, lab.alignColumn, lab.spreadRow, lab.spreadColumn].flatMap((command) => item(command)),
          ...item(lab.remove, true),
        ]
      : menu.kind === 'link'
        ? [...item(lab.cut), ...item(lab.properties), ...item(lab.remove, true)]
        : [
            ...(['machine', 'switch', 'hub'] as const).map((kind) => ({
              label: t(`command.lab.add${({ machine: 'Machine', switch: 'Switch', hub: 'Hub' } as const)[kind]}`),
              key: { machine: 'M', switch: 'S', hub: 'H' }[kind],
              run: () => bench.add(kind, menu.at),
            })),
            ...item(lab.paste),
            ...item(lab.selectAll),
            ...item(lab.fit),
          ]
  return <Menu label={t('lab.menu')} x={menu.x} y={menu.y} items={items} onClose={onClose} />
}
