import { expect } from '@playwright/test'
import type { Locator, Page } from '@playwright/test'
import type { Workbench } from './workbench.ts'

/** The lab in a window of the workbench, driven by roles and accessible names. */
export class LabView {
  readonly page: Page
  private readonly workbench: Workbench

  constructor(workbench: Workbench) {
    this.workbench = workbench
    this.page = workbench.page
  }

  get canvas(): Locator {
    return this.page.getByRole('application', { name: 'The lab’s network' })
  }

  get properties(): Locator {
    return this.page.getByRole('complementary', { name: 'Properties' })
  }

  get packets(): Locator {
    return this.page.getByRole('grid', { name: 'Frames' })
  }

  /** A machine, switch or hub; `state` is how its name goes on. */
  node(name: string, state = ''): Locator {
    return this.canvas.getByRole('group', { name: new RegExp(`^${name}, .*${state}`) })
  }

  get nodes(): Locator {
    return this.canvas.getByRole('group', { name: /, (Machine|Switch|Hub), / })
  }

  /** A cable; one that lies flat has no height, so count it rather than look for it. */
  link(a: string, b: string): Locator {
    return this.canvas.getByRole('group', { name: new RegExp(`^Link from ${a} to ${b}`) })
  }

  tool(name: string): Locator {
    return this.page.getByRole('toolbar', { name: 'Draw' }).getByRole('button', { name })
  }

  console(machine: string): Locator {
    return this.page.getByRole('region', { name: `Console of ${machine}` })
  }

  /** The lines of a machine's console that are in sight. */
  output(machine: string): Locator {
    return this.console(machine).getByRole('list')
  }

  /** Waits until the shell asks, and types. */
  async type(machine: string, text: string): Promise<void> {
    await expect(this.output(machine)).toContainText('atoll$')
    await this.console(machine).getByRole('textbox').focus()
    await this.page.keyboard.type(text)
  }

  /** A command of the palette. */
  async command(name: string): Promise<void> {
    await this.page.keyboard.press('F1')
    await this.page.getByRole('dialog', { name: 'Command palette' }).getByRole('combobox').fill(name)
    await this.page.keyboard.press('Enter')
  }

  async openNew(): Promise<void> {
    await this.workbench.button('Lab').click()
    await this.page.getByRole('button', { name: 'New lab' }).click()
    await expect(this.page.getByRole('heading', { name: 'An empty canvas' })).toBeVisible()
  }

  /** Drags a cable from the edge of a node to another. */
  async wire(from: string, to: string): Promise<void> {
    // The view moves after a node was added; a cable is drawn on what stands still.
    const box = async (name: string) => {
      const node = this.node(name)
      await node.hover()
      return (await node.boundingBox())!
    }
    const end = await box(to)
    const start = await box(from)
    const { mouse } = this.page
    await mouse.move(start.x + start.width / 2, start.y + start.height)
    await mouse.down()
    await mouse.move(start.x + start.width / 2, start.y + start.height + 24, { steps: 2 })
    await mouse.move(end.x + end.width / 2, end.y + end.height / 2, { steps: 4 })
    await mouse.up()
    await expect(this.link(from, to)).toHaveCount(1)
  }

  /** alice and bob on a switch. */
  async drawPair(): Promise<void> {
    await this.tool('Machine').click()
    await this.tool('Machine').click()
    await this.tool('Switch').click()
    await expect(this.nodes).toHaveCount(3)
    await this.wire('alice', 'switch-1')
    await this.wire('bob', 'switch-1')
  }

  async start(): Promise<void> {
    await this.page.keyboard.press('F5')
    await expect(this.page.getByRole('button', { name: 'Lab: Running' })).toBeVisible()
  }
}
