import { join } from 'node:path'
import { resolveLab } from '../../src/engine/lab/file/parse.ts'
import type { Lab } from '../../src/engine/lab/lab.ts'
import { buildMachines, LabBuilder } from '../../src/main/service/lab/lab-build.ts'
import { LabRun } from '../../src/main/service/lab/lab-run.ts'
import { systemProject } from '../../src/main/service/lab/open-lab.ts'
import { Project } from '../../src/main/service/project.ts'
import { openToolchain, ToolchainBuilder } from '../../src/main/service/toolchain-builder.ts'

export interface BuiltLab {
  lab: Lab
  /** Switches every machine on. */
  start(options: { workers: number; onConsole: (node: string, bytes: Uint8Array) => void }): LabRun
}

/**
 * Builds what the machines of a lab run. Throws an Error with the reason when that fails.
 * @param content as in a `lab.json`
 */
export async function buildLab(content: object, installation: string): Promise<BuiltLab> {
  const lab = resolveLab({ version: 1, name: 'bench', ...content })
  const folder = new Project(join(installation, 'bench', 'lab'))
  const builder = new LabBuilder(new ToolchainBuilder(openToolchain()), [folder, systemProject()])
  const nodes = lab.nodes.filter(({ kind }) => kind === 'machine')
  const { machines, message } = await buildMachines(builder, lab, nodes, undefined)
  if (message !== undefined) throw new Error(message)
  return {
    lab,
    start(options) {
      const run = new LabRun({ lab, ...options })
      for (const [node, { spec }] of machines) {
        run.coordinator.define(node, spec)
        run.coordinator.act({ do: 'boot', node })
      }
      return run
    },
  }
}
