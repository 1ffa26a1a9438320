import { test as base, expect } from '@playwright/test'
import type { Locator, Page, TestInfo } from '@playwright/test'
import { AtollServer } from './server.ts'

/** The names by which a person finds things. Written out, because a test that reads them from the application proves nothing. */
export const NAMES = {
  en: {
    tree: 'Project files', console: 'Serial console', problems: 'Problems', machine: 'Machine', settings: 'Settings'
  },
  es: {
    tree: 'Archivos del proyecto', console: 'Consola serie', problems: 'Problemas', machine: 'Máquina', settings: 'Ajustes'
  }
} as const

/** A window of the workbench, driven by roles and accessible names. */
export class Workbench {
  readonly page: Page
  private readonly info: TestInfo
  names: (typeof NAMES)['en' | 'es'] = NAMES.en

  constructor(page: Page, info: TestInfo) {
    this.page = page
    this.info = info
  }

  async goto(url: string): Promise<void> {
    // The console draws on a canvas. With screen reader support, it keeps its lines where screen readers, and we, find them.
    await this.page.addInitScript(() => {
      if (localStorage.getItem('atoll:settings') === null) localStorage.setItem('atoll:settings', JSON.stringify({ screenReader: true }))
    })
    await this.page.goto(url)
    await expect(this.tree).toBeVisible()
  }

  get tree(): Locator {
    return this.page.getByRole('tree', { name: this.names.tree })
  }

  get console(): Locator {
    return this.page.getByRole('region', { name: this.names.console })
  }

  /** The lines of the console that are in sight. */
  get output(): Locator {
    return this.console.getByRole('list')
  }

  get machine(): Locator {
    return this.page.getByRole('tabpanel', { name: this.names.machine, exact: true })
  }

  editor(file: string): Locator {
    return this.page.getByRole('textbox', { name: new RegExp(file.replaceAll('.', '\\.')) })
  }

  problem(name: string | RegExp): Locator {
    return this.page.getByRole('list', { name: this.names.problems }).getByRole('button', { name })
  }

  button(name: string): Locator {
    return this.page.getByRole('button', { name, exact: true })
  }

  async open(file: string): Promise<void> {
    await this.tree.getByRole('treeitem', { name: new RegExp(`^${file.replaceAll('.', '\\.')}`) }).click()
    await expect(this.editor(file)).toBeFocused()
  }

  /** Replaces the first occurrence of a text in the editor that has the focus, with the editor's own search. */
  async replace(file: string, text: string, replacement: string): Promise<void> {
    const editor = this.editor(file)
    await editor.press('Control+Home')
    await editor.press('Control+f')
    const find = this.page.getByRole('textbox', { name: /^(Find|Buscar)/ })
    await find.fill(text)
    await find.press('Enter')
    await find.press('Escape')
    await expect(editor).toBeFocused()
    await this.page.keyboard.insertText(replacement)
  }

  async typeIntoConsole(text: string): Promise<void> {
    await this.console.getByRole('textbox').focus()
    await this.page.keyboard.type(text)
  }

  /** A picture for people to look at; nothing compares it. */
  async picture(name: string): Promise<void> {
    await this.page.screenshot({ path: this.info.outputPath(`${name}.png`) })
  }
}

interface Fixtures {
  server: AtollServer
  /** A window that is open on the server's project. */
  workbench: Workbench
  /** Opens another window of the same browser. */
  openWindow: () => Promise<Workbench>
}

export const test = base.extend<Fixtures>({
  server: async ({}, use) => {
    const server = new AtollServer()
    await server.start()
    await use(server)
    await server.dispose()
  },
  workbench: async ({ page, server }, use, info) => {
    const workbench = new Workbench(page, info)
    await workbench.goto(server.url)
    await use(workbench)
  },
  openWindow: async ({ context, server }, use, info) => {
    await use(async () => {
      const workbench = new Workbench(await context.newPage(), info)
      await workbench.goto(server.url)
      return workbench
    })
  }
})

export { expect }
