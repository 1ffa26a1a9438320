import { resolve } from 'node:path'
import { startBrowserShell } from '../main/service/browser-shell.ts'
import { ExitStatus } from './exit-status.ts'

export interface ServeOptions {
  port?: number
  project?: string
  open: boolean
}

/** `atoll serve`: returns when it was asked to end. */
export async function serve({ port, project, open }: ServeOptions): Promise<number> {
  const shell = await startBrowserShell({ port, project: project === undefined ? undefined : resolve(project) })
  process.stdout.write(`Atoll is at ${shell.address}\n`)
  process.stdout.write(`Project: ${shell.projectLocation}. Ctrl-C ends Atoll.\n`)
  if (open) {
    const problem = await shell.openBrowser()
    if (problem !== undefined) process.stdout.write(`No browser was opened: ${problem}. Open the address above.\n`)
  }
  await new Promise<void>((end) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => end())
  })
  await shell.close()
  return ExitStatus.OK
}
