import { canRedo, canUndo } from '../lab/history.ts'
import { isLabDirty, isLabUp } from '../lab/lab.ts'
import type { Workbench } from '../workbench.ts'
import type { Command } from './command.ts'
import { defineCommand } from './command.ts'

/** What can be done by name about the lab. Those of the canvas have its letters as keys while it has the focus. */
export function createLabCommands(workbench: Workbench) {
  const { lab: bench, layout, isLabInFront } = workbench
  const { lab, selection } = bench
  const view = () => lab.store.get()
  const hasLab = (): boolean => view().history !== null
  const inFront = (): boolean => isLabInFront.get() && hasLab()
  const hasNodes = (): boolean => inFront() && selection.get().nodes.size > 0
  const hasSelection = (): boolean => hasNodes() || (inFront() && selection.get().links.size > 0)
  const hasSeveral = (): boolean => inFront() && selection.get().nodes.size > 1
  const canvas = (title: Parameters<typeof defineCommand>[0], keys: string[], run: () => void, isEnabled = inFront): Command =>
    defineCommand(title, run, { keys, scope: 'in-canvas', isEnabled })

  return {
    startLab: defineCommand('command.lab.start', () => void bench.start(), {
      keys: ['F5', 'Mod+Enter'],
      // Also before a lab is there: the key must not boot a program that nobody is looking at.
      isEnabled: () => isLabInFront.get(),
    }),
    stopLab: defineCommand('command.lab.stop', () => void bench.stop(), {
      keys: ['Shift+F5'],
      isEnabled: () => inFront() && isLabUp(view()),
    }),
    pauseLab: defineCommand('command.lab.pause', () => void bench.pauseOrResume(), {
      keys: ['F8'],
      isEnabled: () => hasLab() && isLabUp(view()),
    }),
    togglePace: defineCommand('command.lab.togglePace', () => bench.pace.update((pace) => (pace === 'live' ? 'fast' : 'live')), {
      isEnabled: hasLab,
    }),
    saveLab: defineCommand('command.lab.save', () => void bench.save(), {
      keys: ['Mod+S'],
      scope: 'outside-console',
      isEnabled: () => inFront() && (isLabDirty(view()) || view().path === null),
    }),
    saveLabAs: defineCommand('command.lab.saveAs', () => workbench.dialogs.set({ kind: 'lab-save' }), { isEnabled: hasLab }),
    newLab: defineCommand('command.lab.new', () => bench.leaving(() => void bench.create())),
    openLab: defineCommand('command.lab.open', () => workbench.dialogs.set({ kind: 'lab-open' })),
    showTopology: defineCommand('command.showTopology', () => layout.openTopology(), { keys: ['Mod+Shift+L'] }),
    showPackets: defineCommand('command.showPackets', () => layout.show('packets')),
    showProcesses: defineCommand('command.showProcesses', () => layout.show('processes')),
    exportCapture: defineCommand('command.lab.export', () => void bench.exportCapture(), { isEnabled: hasLab }),
    tileConsoles: defineCommand('command.lab.tile', () => layout.tileLabConsoles(), { isEnabled: () => layout.labConsoles().length > 1 }),
    stackConsoles: defineCommand('command.lab.stack', () => layout.stackLabConsoles(), {
      isEnabled: () => layout.labConsoles().length > 1,
    }),

    addMachine: canvas('command.lab.addMachine', ['M'], () => bench.add('machine')),
    addSwitch: canvas('command.lab.addSwitch', ['S'], () => bench.add('switch')),
    addHub: canvas('command.lab.addHub', ['H'], () => bench.add('hub')),
    connect: canvas(
      'command.lab.connect',
      ['C'],
      () => bench.startConnecting(),
      () => inFront() && selection.get().nodes.size === 1,
    ),
    cut: canvas(
      'command.lab.cut',
      ['X'],
      () => void bench.toggleCut(bench.selectedLink()!),
      () => inFront() && bench.selectedLink() !== null,
    ),
    openConsole: canvas(
      'command.lab.console',
      ['T'],
      () => bench.selectedMachines().forEach((node) => bench.openConsole(node)),
      () => inFront() && bench.selectedMachines().length > 0,
    ),
    properties: canvas('command.lab.properties', ['Enter', 'F2'], () => bench.canvas?.focusInspector()),
    undo: defineCommand('command.lab.undo', () => bench.undo(), {
      keys: ['Mod+Z'],
      scope: 'in-lab',
      isEnabled: () => inFront() && canUndo(view().history!),
    }),
    redo: defineCommand('command.lab.redo', () => bench.redo(), {
      keys: ['Mod+Shift+Z', 'Mod+Y'],
      scope: 'in-lab',
      isEnabled: () => inFront() && canRedo(view().history!),
    }),
    copy: canvas('command.lab.copy', ['Mod+C'], () => bench.copySelected(), hasNodes),
    cutNodes: canvas('command.lab.cutNodes', ['Mod+X'], () => bench.cutSelected(), hasNodes),
    paste: canvas(
      'command.lab.paste',
      ['Mod+V'],
      () => bench.pasteClipboard(),
      () => inFront() && bench.hasClipboard(),
    ),
    duplicate: canvas('command.lab.duplicate', ['Mod+D'], () => bench.duplicateSelected(), hasNodes),
    remove: canvas('command.lab.remove', ['Delete', 'Backspace'], () => bench.removeSelected(), hasSelection),
    selectAll: canvas('command.lab.selectAll', ['Mod+A'], () => bench.selectAll()),
    alignRow: canvas('command.lab.alignRow', [], () => bench.alignSelected('row'), hasSeveral),
    alignColumn: canvas('command.lab.alignColumn', [], () => bench.alignSelected('column'), hasSeveral),
    spreadRow: canvas('command.lab.spreadRow', [], () => bench.alignSelected('spread-row'), hasSeveral),
    spreadColumn: canvas('command.lab.spreadColumn', [], () => bench.alignSelected('spread-column'), hasSeveral),
    fit: canvas('command.lab.fit', ['F', '0'], () => bench.canvas?.fit()),
    zoomIn: canvas('command.lab.zoomIn', ['Plus', '='], () => bench.canvas?.zoom(1)),
    zoomOut: canvas('command.lab.zoomOut', ['-'], () => bench.canvas?.zoom(-1)),
  }
}
