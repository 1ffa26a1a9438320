import { spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { appRoot } from './app-root.ts'
import { stateFolder } from './folders.ts'
import { defaultProjectFolder, displayLocation, openProject } from './project-folder.ts'
import { ShellKeys } from './shell-keys.ts'
import { openToolchain, ToolchainBuilder } from './toolchain-builder.ts'
import { WebShell } from './web-shell.ts'
import { Workbench } from './workbench.ts'

export interface BrowserShell {
  /** Opens the workbench; contains the key. */
  address: string
  projectLocation: string
  /** Opens the user's browser; resolves with why not when it cannot. */
  openBrowser(): Promise<string | undefined>
  close(): Promise<void>
}

export interface BrowserShellOptions {
  /** 0: any free port. Left out: the port this project had last, if it is free, so that the browser finds its settings again. */
  port?: number
  /** The project's folder; the default one when left out. */
  project?: string
}

/** The workbench of a project, served to browsers on this computer. Rejects with a UserError. */
export async function startBrowserShell({ port, project: folder = defaultProjectFolder() }: BrowserShellOptions): Promise<BrowserShell> {
  const project = await openProject(folder)
  const workbench = new Workbench({ project, builder: new ToolchainBuilder(openToolchain()), shell: 'browser' })
  const keys = await ShellKeys.load(stateFolder(), project.root)
  const listen = async (wanted: number): Promise<WebShell> => {
    const web = new WebShell({
      pageFolder: join(appRoot(), 'out', 'renderer'),
      port: wanted,
      keys,
      onConnect: (channel) => workbench.connect(channel),
    })
    await web.listen()
    return web
  }
  let web: WebShell
  try {
    web = port === undefined && keys.port !== undefined ? await listen(keys.port).catch(() => listen(0)) : await listen(port ?? 0)
    await workbench.start()
  } catch (error) {
    workbench.dispose()
    throw error
  }
  await keys.remember(web.port)
  return {
    address: web.address,
    projectLocation: displayLocation(project.root),
    openBrowser: () => openInBrowser(web.issueTicket()),
    close: async () => {
      workbench.dispose()
      await web.close()
    },
  }
}

/** The system's own opener, and whether there is a screen to open anything on. */
function findOpener(env: NodeJS.ProcessEnv, platform: NodeJS.Platform): { command: string; args: string[] } | string {
  if (platform === 'darwin') return { command: '/usr/bin/open', args: [] }
  if (platform === 'win32') return { command: 'rundll32', args: ['url.dll,FileProtocolHandler'] }
  if (!env.DISPLAY && !env.WAYLAND_DISPLAY) return 'there is no display'
  for (const name of ['xdg-open', 'wslview']) {
    for (const folder of (env.PATH ?? '').split(delimiter)) {
      const command = join(folder, name)
      try {
        accessSync(command, constants.X_OK)
        return { command, args: [] }
      } catch {
        // The next folder may have it.
      }
    }
  }
  return 'there is no xdg-open'
}

function openInBrowser(address: string): Promise<string | undefined> {
  const opener = findOpener(process.env, process.platform)
  if (typeof opener === 'string') return Promise.resolve(opener)
  return new Promise((resolve) => {
    const child = spawn(opener.command, [...opener.args, address], { stdio: 'ignore', detached: true })
    child.once('error', (error) => resolve(error.message))
    child.once('spawn', () => {
      child.unref()
      resolve(undefined)
    })
  })
}
