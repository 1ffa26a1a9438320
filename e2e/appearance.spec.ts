import { expect, NAMES, test } from './workbench.ts'
import type { Workbench } from './workbench.ts'

async function choose(workbench: Workbench, option: string): Promise<void> {
  await workbench.button(workbench.names.settings).first().click()
  const dialog = workbench.page.getByRole('dialog', { name: workbench.names.settings })
  await dialog.getByRole('radio', { name: option, exact: true }).check({ force: true })
  await workbench.page.keyboard.press('Escape')
  await expect(dialog).toBeHidden()
}

test('the language changes at once, stays, and changes back', async ({ workbench }) => {
  await workbench.open('hello.c')
  await choose(workbench, 'Español')
  workbench.names = NAMES.es
  await expect(workbench.button('Arrancar')).toBeVisible()
  await expect(workbench.console).toBeVisible()
  await workbench.page.keyboard.press('F5')
  await expect(workbench.output).toContainText('[user] Hello from ring-3!')
  await workbench.picture('spanish')

  await workbench.page.reload()
  await expect(workbench.button('Arrancar')).toBeVisible()
  await choose(workbench, 'English')
  workbench.names = NAMES.en
  await expect(workbench.button('Boot')).toBeVisible()
})

test('dark and light differ, and the choice stays', async ({ workbench }) => {
  await workbench.open('hello.c')
  const background = () => workbench.page.evaluate(() => getComputedStyle(document.body).backgroundColor)
  await choose(workbench, 'Dark')
  const dark = await background()
  await workbench.picture('dark')
  await choose(workbench, 'Light')
  await expect.poll(background).not.toBe(dark)
  const light = await background()
  await workbench.picture('light')
  await workbench.page.reload()
  await expect(workbench.tree).toBeVisible()
  expect(await background()).toBe(light)
})
